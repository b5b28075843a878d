"""ONNX Runtime and OpenVINO: the folded step as an ONNX graph, in float32 and as each makes int8 of it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from benchmarks.task import STEPS, Draw, Task, folded

Arrays = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Step = Callable[[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]], Arrays]
"""ids [B], h and c [B, U] → logits [B, V], h, c."""


def graph(task: Task) -> onnx.ModelProto:
    """The step of `training.publishing.export` in ONNX's operators, for one batch size."""
    w = task.weights()
    units, vocab_size = w["dense"].shape
    constants = {"table": folded(w), "recurrent": w["recurrent"], "dense": w["dense"], "dense_bias": w["dense_bias"]}
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "ids"], ["x"]),
        node("MatMul", ["h", "recurrent"], ["y"]),
        node("Add", ["x", "y"], ["z"]),
        node("Split", ["z"], ["i", "f", "g", "o"], axis=1, num_outputs=4),
        *(node("Sigmoid", [gate], [f"{gate}_open"]) for gate in "ifo"),
        node("Tanh", ["g"], ["g_tanh"]),
        node("Mul", ["f_open", "c"], ["kept"]),
        node("Mul", ["i_open", "g_tanh"], ["added"]),
        node("Add", ["kept", "added"], ["c_out"]),
        node("Tanh", ["c_out"], ["c_tanh"]),
        node("Mul", ["o_open", "c_tanh"], ["h_out"]),
        node("MatMul", ["h_out", "dense"], ["unbiased"]),
        node("Add", ["unbiased", "dense_bias"], ["logits"]),
    ]
    value, state = helper.make_tensor_value_info, [task.batch, units]
    inputs = [value("ids", TensorProto.INT64, [task.batch]), *(value(n, TensorProto.FLOAT, state) for n in ("h", "c"))]
    outputs = [
        value("logits", TensorProto.FLOAT, [task.batch, vocab_size]),
        *(value(n, TensorProto.FLOAT, state) for n in ("h_out", "c_out")),
    ]
    stored = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "step", inputs, outputs, stored), opset_imports=[helper.make_opsetid("", 18)]
    )
    model.ir_version = 10
    onnx.checker.check_model(model)
    return model


def onnxruntime(task: Task) -> Callable[[], int]:
    return _loop(task, _onnxruntime(task, graph(task).SerializeToString()))


def onnxruntime_int8(task: Task) -> Callable[[], int]:
    """Dynamically quantised by ONNX Runtime's own tool, per channel."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    plain, quantised = (task.folder / f"{name}-{task.batch}-{task.threads}.onnx" for name in ("plain", "int8"))
    onnx.save(graph(task), plain)
    quantize_dynamic(plain, quantised, per_channel=True, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return _loop(task, _onnxruntime(task, quantised.read_bytes()))


def _onnxruntime(task: Task, content: bytes) -> Step:
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = task.threads, 1
    session = runtime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def step(ids: NDArray[np.int64], h: NDArray[np.float32], c: NDArray[np.float32]) -> Arrays:
        logits, h, c = session.run(None, {"ids": ids, "h": h, "c": c})
        return logits, h, c

    return step


def openvino(task: Task) -> Callable[[], int]:
    return _loop(task, _openvino(task, {"INFERENCE_PRECISION_HINT": "f32"}))


def openvino_int8(task: Task) -> Callable[[], int]:
    """Weights compressed to int8 and the products' other side quantised as it runs, as OpenVINO's plugin does it."""
    return _loop(task, _openvino(task, {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "64"}, compress=True))


def _openvino(task: Task, options: dict[str, Any], *, compress: bool = False) -> Step:
    import openvino as ov

    core = ov.Core()
    model = core.read_model(graph(task).SerializeToString())
    if compress:
        _compress(model)
    fixed = {"INFERENCE_NUM_THREADS": task.threads, "PERFORMANCE_HINT": "LATENCY", **options}
    request = core.compile_model(model, "CPU", fixed).create_infer_request()

    def step(ids: NDArray[np.int64], h: NDArray[np.float32], c: NDArray[np.float32]) -> Arrays:
        results = request.infer({"ids": ids, "h": h, "c": c}, share_inputs=True)
        logits, h, c = (results[n] for n in range(3))
        return logits, h, c

    return step


def _compress(model: Any) -> None:  # noqa: ANN401  # OpenVINO's Model
    """Each matrix as int8 with a scale a column, turned back where it is read: what the plugin looks for."""
    from openvino import opset13 as ops

    for product in [op for op in model.get_ops() if op.get_type_name() == "MatMul"]:
        matrix = product.input_value(1).get_node().get_data()  # [U, 4U] or [U, V]
        scale = np.abs(matrix).max(axis=0, keepdims=True) / 127
        levels = ops.constant(np.round(matrix / scale).T.astype(np.int8))
        restored = ops.multiply(ops.convert(levels, np.float32), ops.constant(scale.T.astype(np.float32)))
        smaller = ops.matmul(product.input_value(0), restored, transpose_a=False, transpose_b=True)
        product.output(0).replace(smaller.output(0))


def _loop(task: Task, step: Step) -> Callable[[], int]:
    draw, units = Draw(), task.weights()["dense"].shape[0]

    def work() -> int:
        h = c = np.zeros((task.batch, units), np.float32)
        ids = np.zeros(task.batch, np.int64)
        for _ in range(STEPS):
            logits, h, c = step(ids, h, c)
            ids = draw(logits)
        return task.batch * STEPS

    return work
