"""Every private API of Keras and TensorFlow in use, each behind a function with a test of its own.

An upgrade that breaks one is found here, by tests/common/utils/test_private.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def nodes(model: keras.Model) -> Iterator[Any]:
    """Yield the nodes of a functional or Sequential model, each after those it takes its inputs from.

    A node has `operation`, `arguments`, `input_tensors` and `outputs`.
    """
    functional = getattr(model, "_functional", model)  # what a Sequential model wraps
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        for node in functional._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def flat_layers(model: keras.Model) -> list[keras.Layer]:
    """Return every layer of a model, those inside its layers too."""
    return model._flatten_layers()


def in_xla() -> bool:
    """Return whether TensorFlow is tracing a function that XLA compiles as a whole."""
    import tensorflow as tf

    return tf.__internal__.get_enclosing_xla_context() is not None


def weight_shapes(build: Callable[[], keras.Model]) -> list[tuple[int, ...]]:
    """Return the shapes of the weights of the model that a function builds, without their memory.

    No weight gets a value: the model is of no other use.
    """
    import keras
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            return [tuple(weight.shape) for weight in build().weights]
    finally:  # Keras would give them their values, and the memory, when the next such scope ends
        global_state.set_global_attribute(waiting, before)
