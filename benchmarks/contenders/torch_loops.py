"""PyTorch: its LSTM cell on the CPU, as a fast sampler of folk-rnn's kind uses it, in float32 and with int8 weights."""

from collections.abc import Callable

import torch

from benchmarks.task import STEPS, Task


class _Network(torch.nn.Module):  # type: ignore[misc]
    def __init__(self, task: Task) -> None:
        super().__init__()
        w = {name: torch.from_numpy(value) for name, value in task.weights().items()}
        self.embedding = torch.nn.Embedding.from_pretrained(w["embedding"])
        self.cell = torch.nn.LSTMCell(w["kernel"].shape[0], w["recurrent"].shape[0])
        self.dense = torch.nn.Linear(w["dense"].shape[0], w["dense"].shape[1])
        with torch.no_grad():
            self.cell.weight_ih.copy_(w["kernel"].T)  # both have the gates as i, f, g, o
            self.cell.weight_hh.copy_(w["recurrent"].T)
            self.cell.bias_ih.copy_(w["bias"])
            self.cell.bias_hh.zero_()
            self.dense.weight.copy_(w["dense"].T)
            self.dense.bias.copy_(w["dense_bias"])


def lstm(task: Task) -> Callable[[], int]:
    return _loop(task, _Network(task))


def lstm_int8(task: Task) -> Callable[[], int]:
    """Dynamically quantised, by PyTorch's own means."""
    kinds = {torch.nn.LSTMCell, torch.nn.Linear}
    return _loop(task, torch.quantization.quantize_dynamic(_Network(task), kinds, dtype=torch.qint8))


def _loop(task: Task, network: torch.nn.Module) -> Callable[[], int]:
    torch.set_num_threads(task.threads)
    units = network.cell.hidden_size

    @torch.inference_mode()  # type: ignore[untyped-decorator]
    def work() -> int:
        h = c = torch.zeros(task.batch, units)
        ids = torch.zeros(task.batch, dtype=torch.int64)
        for _ in range(STEPS):
            h, c = network.cell(network.embedding(ids), (h, c))
            ids = torch.multinomial(torch.softmax(network.dense(h), 1), 1)[:, 0]
            ids.tolist()
        return task.batch * STEPS

    return work  # type: ignore[no-any-return]
