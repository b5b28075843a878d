"""Characters a second: the notebook's loop and other ways to step the same weights, beside Lilt's engine."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model_store.manifest import DECODER_FILE, LEXICON_FILE, PLANS_FILE
from model_store.store import Checkpoint

ROOT = Path(__file__).parent.parent
PEERS = ROOT / ".cache" / "peers" / "bin" / "python"
SYSTEM = Path("/usr/bin/python3")

UNITS = (512, 1024)
BATCHES = (1, 16, 64)
ROUNDS = 5
SECONDS_A_TURN = 0.5
SECONDS_OF_TRIAL = 0.3


@dataclass(frozen=True)
class Contender:
    """A row of the table."""

    name: str
    function: str
    """`module:function` in `benchmarks.contenders`."""
    python: Path = Path(sys.executable)
    threads: tuple[int, ...] = (1,)
    """What is tried; the fastest is measured."""
    batches: tuple[int, ...] = BATCHES


BOTH = (1, os.cpu_count() or 1)
NOTEBOOK = "the notebook's loop, Keras eager"
ROOFLINE = "(reading the int8 weights alone)"
OURS = "Lilt, with the grammar, new tunes"
CONTENDERS = (
    Contender(NOTEBOOK, "tensorflow_loops:notebook", batches=(1,)),
    Contender("tf.function step", "tensorflow_loops:function_step", threads=BOTH),
    Contender("TensorFlow loop, XLA", "tensorflow_loops:xla_loop", threads=BOTH),
    Contender("NumPy", "numpy_loop:loop", threads=BOTH),
    Contender("PyTorch LSTMCell", "torch_loops:lstm", SYSTEM, BOTH),
    Contender("PyTorch LSTMCell, int8", "torch_loops:lstm_int8", SYSTEM, BOTH),
    Contender("ONNX Runtime", "onnx_loops:onnxruntime", PEERS, BOTH),
    Contender("ONNX Runtime, int8", "onnx_loops:onnxruntime_int8", PEERS, BOTH),
    Contender("OpenVINO", "onnx_loops:openvino", PEERS, BOTH),
    Contender("OpenVINO, int8", "onnx_loops:openvino_int8", PEERS, BOTH),
    Contender("Lilt, LiteRT int8", "ours:free", threads=BOTH),
    Contender(OURS, "ours:grammar_on_new_tunes", threads=BOTH),
    Contender("Lilt, with the grammar, tunes made before", "ours:grammar", threads=BOTH),
    Contender(ROOFLINE, "roofline:read_weights", threads=BOTH),
)

Rates = dict[str, float | None]
"""Contender → characters a second; None where it cannot run here."""


def run(checkpoint: Checkpoint, units: tuple[int, ...] = UNITS) -> dict[str, dict[str, Rates]]:
    """Units → batch size → rates."""
    with tempfile.TemporaryDirectory(prefix="lilt-bench-") as name:
        folders = {size: write(checkpoint, size, Path(name) / str(size)) for size in units}
        return {str(size): {str(b): _compare(folder, b) for b in BATCHES} for size, folder in folders.items()}


def table(results: dict[str, dict[str, Rates]]) -> Iterator[str]:
    """The lines that are printed."""
    for units, batches in results.items():
        notebook = batches["1"][NOTEBOOK]
        yield f"\n{units} units: characters a second, and times the notebook's loop"
        yield f"  {'':<42}" + "".join(f"{f'batch {batch}':>22}" for batch in batches)
        for contender in CONTENDERS:
            cells = [_cell(rates.get(contender.name, 0.0), notebook) for rates in batches.values()]
            yield f"  {contender.name:<42}" + "".join(f"{cell:>22}" for cell in cells)
        ours, reading = batches["1"][OURS], batches["1"][ROOFLINE]
        if ours and reading:
            yield f"  with grammar and sampling, {reading / ours:.2f} times the time that the weights take to read"


def _cell(rate: float | None, notebook: float | None) -> str:
    if rate is None or notebook is None:
        return "not installed"
    return f"{rate:,.0f} {f'({rate / notebook:,.0f} ×)':>9}" if rate else "–"


# ------------------------------------------------------------------------------------------------------- the folder


def write(checkpoint: Checkpoint, units: int, folder: Path) -> Path:
    """Write what `Task` reads: the checkpoint's own network, or one of twice the units that says the same."""
    names = ("embedding", "lstm_0/kernel", "lstm_0/recurrent_kernel", "lstm_0/bias", "dense/kernel", "dense/bias")
    weights, graph = checkpoint.weights(), checkpoint.path(DECODER_FILE).read_bytes()
    while checkpoint.manifest.model.lstm_units < units > len(weights["dense/kernel"]):
        from training.publishing.export import decoder_graph  # brings TensorFlow

        weights = _widened(weights)
        graph = decoder_graph(weights, inputs=checkpoint.manifest.model.inputs)
    folder.mkdir(parents=True)
    weights = _of_characters(weights)
    short = ("embedding", "kernel", "recurrent", "bias", "dense", "dense_bias")
    np.savez(folder / "weights.npz", **{name: weights[long] for name, long in zip(short, names, strict=True)})  # type: ignore[arg-type]
    (folder / "vocabulary.json").write_text(json.dumps(checkpoint.manifest.vocabulary))
    (folder / DECODER_FILE).write_bytes(graph)
    for name in {LEXICON_FILE, PLANS_FILE} & checkpoint.manifest.files.keys():
        (folder / name).write_bytes(checkpoint.path(name).read_bytes())
    return folder


def _of_characters(weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """What is left of a network that reads nothing but characters, as the peers do."""
    size, dim = weights["embedding"].shape
    return weights | {
        "lstm_0/kernel": weights["lstm_0/kernel"][:dim],
        "dense/kernel": weights["dense/kernel"][:, :size],
        "dense/bias": weights["dense/bias"][:size],
    }


def _widened(weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The same function by twice the units: each is there twice, and counts half (Net2Net; Chen et al., 2016)."""

    def twice(array: NDArray[np.float32]) -> NDArray[np.float32]:  # the units of each of the four gates
        return np.concatenate([np.tile(gate, 2) for gate in np.split(array, 4, axis=-1)], axis=-1)

    wider: dict[str, NDArray[np.float32]] = {
        "lstm_0/kernel": twice(weights["lstm_0/kernel"]),
        "lstm_0/bias": twice(weights["lstm_0/bias"]),
        "lstm_0/recurrent_kernel": np.tile(twice(weights["lstm_0/recurrent_kernel"]), (2, 1)) * np.float32(0.5),
        "dense/kernel": np.tile(weights["dense/kernel"], (2, 1)) * np.float32(0.5),
    }
    return weights | wider


# ------------------------------------------------------------------------------------------------------- the race


class Worker:
    """A contender in its process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def rate(self, seconds: float) -> float | None:
        assert self._process.stdin  # noqa: S101
        assert self._process.stdout  # noqa: S101
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        made, _, took = self._process.stdout.readline().partition(" ")
        return int(made) / float(took) if took else None


@contextmanager
def working(contender: Contender, folder: Path, batch: int, threads: int) -> Iterator[Worker | None]:
    """A contender in its process; None where it cannot run here, and why stands on stderr."""
    command = [
        str(contender.python),
        "-m",
        "benchmarks.worker",
        contender.function,
        str(folder),
        str(batch),
        str(threads),
    ]
    own = {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Which kernels a BLAS takes for this processor is its own affair.
    inherited = {k: v for k, v in os.environ.items() if k not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    if not contender.python.exists():
        print(f"{contender.name}: there is no {contender.python}", file=sys.stderr)
        yield None
        return
    with subprocess.Popen(  # noqa: S603
        command,
        cwd=ROOT,
        env=inherited | own,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout  # noqa: S101
        try:
            if process.stdout.readline() != "ready\n":
                said = process.stderr.read().strip().splitlines() if process.stderr else []
                print(f"{contender.name}: {said[-1] if said else 'it ended'}", file=sys.stderr)
                yield None
            else:
                yield Worker(process)
        finally:
            process.kill()


def _compare(folder: Path, batch: int) -> Rates:
    """The median of turns taken one after another, so that a machine whose speed drifts is unfair to nobody."""
    with ExitStack() as stack:
        workers = {c.name: _fastest(stack, c, folder, batch) for c in CONTENDERS if batch in c.batches}
        turns: dict[str, list[float]] = {name: [] for name, worker in workers.items() if worker}
        for _ in range(ROUNDS):
            for name, worker in workers.items():
                if worker and (rate := worker.rate(SECONDS_A_TURN)):
                    turns[name].append(rate)
    return {name: statistics.median(turns[name]) if turns.get(name) else None for name in workers}


def _fastest(stack: ExitStack, contender: Contender, folder: Path, batch: int) -> Worker | None:
    best: tuple[float, Worker] | None = None
    for threads in contender.threads:
        worker = stack.enter_context(working(contender, folder, batch, threads))
        if worker is None:
            return None
        rate = worker.rate(SECONDS_OF_TRIAL) or 0.0
        if best is None or rate > best[0]:
            best = rate, worker
    return best[1] if best else None
