"""The runtimes a preset answers in: Keras itself, or one of its exports.

Each opens the graphs of a preset (`Task.graphs`) as functions of named NumPy arrays; what stands
around them is the task's own code, the same for all. `onnx` and `litert` import neither TensorFlow
nor Keras.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from zoo.common import presets
from zoo.common.errors import ZooError
from zoo.common.quiet import descriptor_2_elsewhere, import_tensorflow
from zoo.common.task import Graphs

if TYPE_CHECKING:
    import keras
    from tensorflow.types.experimental import ConcreteFunction

Function = Callable[..., dict[str, np.ndarray]]

BACKENDS = ("keras", "savedmodel", "onnx", "litert")

# Where an export stands in the folder of a preset. TensorFlow Serving wants a number.
FOLDERS = {"savedmodel": "1", "onnx": "onnx", "litert": "litert", "tensorrt": "tensorrt"}
SUFFIXES = {"onnx": ".onnx", "litert": ".tflite", "tensorrt": ".engine"}


def open_graphs(backend: str, preset_or_folder: str) -> Graphs:
    """The graphs of a preset in a runtime.

    Raises `ZooError` for an unknown backend or preset, for one that was not exported to that
    backend, for a damaged file, and where the runtime's package is not installed.
    """
    if backend not in BACKENDS:
        raise ZooError(f"--backend is one of {', '.join(BACKENDS)}. Received: {backend!r}.")
    folder = presets.find(preset_or_folder)
    if backend == "keras":
        import_tensorflow()
        return presets.load_preset(preset_or_folder).graphs
    export = folder / FOLDERS[backend]
    if not export.is_dir():
        raise ZooError(
            f"There is no {export}: export it first: zoo export {preset_or_folder} --to {backend}"
        )
    return open_export(backend, export)


def open_export(backend: str, folder: Path) -> Graphs:
    """The graphs in the folder of an export, such as `<preset>/onnx`. Raises as `open_graphs`."""
    return _Exported(backend, folder, _OPENERS[backend](folder))


def keras_graphs(models: dict[str, keras.Model]) -> Graphs:
    """Functional models as graphs: each traced once, for every shape its inputs leave free."""
    return Graphs("keras", {name: _keras_function(model) for name, model in models.items()})


def concrete_function(model: keras.Model, batch: int | None = None) -> ConcreteFunction:
    """A functional model as a traced function of its inputs by name, of any batch or a fixed one."""
    import tensorflow as tf

    spec = {
        name: tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, name)
        for name, tensor in model.input.items()
    }
    return tf.function(lambda **inputs: model(inputs, training=False)).get_concrete_function(**spec)


def import_package(module: str, package: str) -> ModuleType:
    """An optional package. Raises `ZooError` with the command that installs it."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise ZooError(f"{package} is not installed: pip install {package}") from None


class _Exported(Graphs):
    """Graphs from a folder, which may lack one."""

    def __init__(self, backend: str, folder: Path, functions: dict[str, Function]):
        super().__init__(backend, functions)
        self._folder = folder

    def __missing__(self, name: str) -> Function:
        raise ZooError(f"{self._folder} is not whole: it has no graph {name!r}. Export it anew.")


def _keras_function(model: keras.Model) -> Function:
    import tensorflow as tf

    traced = concrete_function(model)

    def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        tensors = {
            name: tf.constant(inputs[name], tensor.dtype) for name, tensor in model.input.items()
        }
        return {name: output.numpy() for name, output in traced(**tensors).items()}

    return run


def _open_savedmodel(folder: Path) -> dict[str, Function]:
    import_tensorflow()
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # OpError, DecodeError, KeyError: whatever damage makes it raise
        raise _corrupt(folder, "TensorFlow", error) from None

    def function(signature) -> Function:
        spec = signature.structured_input_signature[1]

        @_guarded(folder, "TensorFlow", spec)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            tensors = {name: tf.constant(inputs[name], of.dtype) for name, of in spec.items()}
            return {name: output.numpy() for name, output in signature(**tensors).items()}

        run.module = loaded  # whose variables live no longer than it does
        return run

    return {name: function(signature) for name, signature in loaded.signatures.items()}


def _open_onnx(folder: Path) -> dict[str, Function]:
    runtime = import_package("onnxruntime", "onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # its warnings are for those who write exporters

    def function(path: Path) -> Function:
        try:
            session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own exceptions have no common public class
            raise _corrupt(path, "ONNX Runtime", error) from None
        dtypes = {node.name: _ONNX_TYPES[node.type] for node in session.get_inputs()}
        names = [node.name for node in session.get_outputs()]

        @_guarded(path, "ONNX Runtime", dtypes)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            arrays = {name: np.asarray(inputs[name], dtype) for name, dtype in dtypes.items()}
            return dict(zip(names, session.run(names, arrays), strict=True))

        return run

    return _files("onnx", folder, function)


_ONNX_TYPES = {
    "tensor(float)": np.float32,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def _open_litert(folder: Path) -> dict[str, Function]:
    runtime = import_package("ai_edge_litert.interpreter", "ai-edge-litert")

    def function(path: Path) -> Function:
        try:
            interpreter = runtime.Interpreter(str(path))
            (signature,) = interpreter.get_signature_list()
            runner = interpreter.get_signature_runner(signature)
        except (ValueError, RuntimeError) as error:
            raise _corrupt(path, "LiteRT", error) from None
        dtypes = {name: of["dtype"] for name, of in runner.get_input_details().items()}
        quiet_start = [descriptor_2_elsewhere()]  # of the first call, which tells of its delegate

        @_guarded(path, "LiteRT", dtypes)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            """The rows one by one: the file's batch is 1, its time is free."""
            arrays = {name: np.asarray(inputs[name], dtype) for name, dtype in dtypes.items()}
            with quiet_start.pop() if quiet_start else nullcontext():
                rows = [
                    runner(**{name: array[i : i + 1] for name, array in arrays.items()})
                    for i in range(len(next(iter(arrays.values()))))
                ]
            return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

        return run

    return _files("litert", folder, function)


def _files(backend: str, folder: Path, function: Callable[[Path], Function]) -> dict[str, Function]:
    """Graph names, which the files are called by, to functions."""
    paths = sorted(folder.glob(f"*{SUFFIXES[backend]}"))
    return {path.stem: function(path) for path in paths}


def _guarded(path: Path, runtime: str, names: Iterable[str]) -> Callable[[Function], Function]:
    """Decorator: tells in one line that a file was not made from the preset it is asked for."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            if not set(names) <= set(inputs):
                raise ZooError(
                    f"{path} does not fit the preset: it takes {', '.join(names)}. "
                    f"Received: {', '.join(inputs)}. Export it anew."
                )
            try:
                return function(**inputs)
            except Exception as error:  # each runtime raises its own
                raise ZooError(f"{path}: {runtime} cannot run it: {_line(error)}") from error

        return run

    return decorate


def _corrupt(path: Path, runtime: str, error: Exception) -> ZooError:
    return ZooError(
        f"{path} is corrupt: {runtime} cannot open it. Export it anew. ({_line(error)})"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


_OPENERS = {"savedmodel": _open_savedmodel, "onnx": _open_onnx, "litert": _open_litert}
