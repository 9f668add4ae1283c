"""Graphs of ONNX files, run by ONNX Runtime. This module imports neither TensorFlow nor Keras."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.common.core.model import Function
from zoo.common.runtime.files import corrupt, guarded, open_files
from zoo.common.utils.packages import import_package

SUFFIX = ".onnx"
# Number of threads that compute a graph; 0 for one per core.
_threads = 0


def set_threads(count: int) -> None:
    """Set the number of threads of the graphs that this process opens later.

    Args:
        count: the number; 0 for one per core, which gives the shortest time of a single request.
    """
    global _threads
    _threads = count


def open_export(folder: Path) -> dict[str, Function]:
    """Return the graphs in a folder of ONNX files.

    Raises:
        ExportError: a file is damaged.
    """
    runtime = import_package("onnxruntime", "onnxruntime", "onnx")
    runtime.disable_telemetry_events()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = _threads
    options.log_severity_level = 4  # warnings are of no use to users

    def function(path: Path) -> Function:
        try:
            session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            dtypes = {node.name: _ONNX_TYPES[node.type] for node in session.get_inputs()}
        except Exception as error:  # its exceptions have no common public class
            raise corrupt(path, "ONNX Runtime", error) from None
        names = [node.name for node in session.get_outputs()]

        @guarded(path, "ONNX Runtime", dtypes)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            arrays: dict[str, np.ndarray] = {
                name: np.asarray(inputs[name], dtype) for name, dtype in dtypes.items()
            }
            return dict(zip(names, session.run(names, arrays), strict=True))

        return run

    return open_files(folder, SUFFIX, function)


_ONNX_TYPES = {
    "tensor(float)": np.float32,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}
