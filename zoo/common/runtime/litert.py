"""Graphs of LiteRT files. This module imports neither TensorFlow nor Keras."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np

from zoo.common.core.model import Function
from zoo.common.runtime.files import corrupt, guarded, open_files
from zoo.common.utils.packages import import_package
from zoo.common.utils.quiet import silent_stderr

SUFFIX = ".tflite"


def open_export(folder: Path) -> dict[str, Function]:
    """Return the graphs in a folder of LiteRT files.

    Raises:
        ExportError: a file is damaged.
    """
    runtime = import_package("ai_edge_litert.interpreter", "ai-edge-litert", "litert")

    def function(path: Path) -> Function:
        try:
            interpreter = runtime.Interpreter(str(path))
            (signature,) = interpreter.get_signature_list()
            runner = interpreter.get_signature_runner(signature)
            dtypes = {name: of["dtype"] for name, of in runner.get_input_details().items()}
        except Exception as error:  # damage raises KeyError, IndexError and others
            raise corrupt(path, "LiteRT", error) from None
        quiet_start = [silent_stderr()]  # the first call logs its delegate

        @guarded(path, "LiteRT", dtypes)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            """Run the rows one by one, since the batch size of the file is 1."""
            arrays = {name: np.asarray(inputs[name], dtype) for name, dtype in dtypes.items()}
            with quiet_start.pop() if quiet_start else nullcontext():
                rows = [
                    runner(**{name: array[i : i + 1] for name, array in arrays.items()})
                    for i in range(len(next(iter(arrays.values()))))
                ]
            return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

        return run

    return open_files(folder, SUFFIX, function)
