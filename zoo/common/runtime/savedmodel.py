"""Graphs of a SavedModel, run by TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.common.core.model import Function
from zoo.common.runtime.files import corrupt, guarded
from zoo.common.utils.quiet import import_tensorflow


def open_export(folder: Path) -> dict[str, Function]:
    """Return the signatures of a SavedModel as graphs.

    Raises:
        ExportError: it is damaged.
    """
    import_tensorflow()
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
    except Exception as error:  # damage raises OpError, DecodeError, KeyError and others
        raise corrupt(folder, "TensorFlow", error) from None

    def function(signature) -> Function:
        spec = signature.structured_input_signature[1]

        @guarded(folder, "TensorFlow", spec)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            tensors = {name: tf.constant(inputs[name], of.dtype) for name, of in spec.items()}
            return {name: output.numpy() for name, output in signature(**tensors).items()}

        run.module = loaded  # type: ignore[attr-defined]  # keeps its variables alive
        return run

    return {name: function(signature) for name, signature in loaded.signatures.items()}
