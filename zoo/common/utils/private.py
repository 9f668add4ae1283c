"""All private APIs of Keras, TensorFlow and JAX that the zoo uses, one function and one test each.

tests/common/utils/test_private.py fails if an upgrade changes one of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


def nodes(model: keras.Model) -> Iterator[Any]:
    """Yield the nodes of a functional or Sequential model in topological order, without the inputs.

    A node has the attributes `operation`, `arguments`, `input_tensors` and `outputs`.

    Args:
        model: a functional or Sequential model.
    """
    functional = getattr(model, "_functional", model)  # the attribute of a Sequential model
    for depth in sorted(functional._nodes_by_depth, reverse=True):
        for node in functional._nodes_by_depth[depth]:
            if not node.is_input:
                yield node


def flat_layers(model: keras.Model) -> list[keras.Layer]:
    """Return all layers of a model, including the layers inside its layers."""
    return model._flatten_layers()


def in_xla() -> bool:
    """Return whether TensorFlow is tracing a function that XLA compiles as a whole."""
    import tensorflow as tf

    return tf.__internal__.get_enclosing_xla_context() is not None


def update_outputs_in_place(converter: Any) -> None:
    """Let loops of a LiteRT file write each output in place, instead of copying all outputs each step.

    Args:
        converter: a `tf.lite.TFLiteConverter`.
    """
    converter._experimental_enable_dynamic_update_slice = True


def weight_shapes(build: Callable[[], keras.Model]) -> list[tuple[int, ...]]:
    """Return the shapes of a model's weights without allocating memory for the weights.

    Args:
        build: returns the model. Its weights are not initialized, so the model is not usable.
    """
    import keras
    from keras.src.backend.common import global_state

    waiting = "uninitialized_variables"
    before = list(global_state.get_global_attribute(waiting) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            return [tuple(weight.shape) for weight in build().weights]
    finally:  # else Keras would initialize the weights when the next such scope ends
        global_state.set_global_attribute(waiting, before)


def rnn(
    step: Callable[..., tuple[Any, list[Any]]],
    sequences: Any,
    states: list[Any],
    mask: Any,
    reverse: bool,
) -> tuple[Any, Any, list[Any]]:
    """Run the loop of Keras's recurrent layers over time.

    Args:
        step: maps an element of the sequences and the states to an output and the next states.
        sequences: tensor [time, batch, ...].
        states: the initial states.
        mask: bool [time, batch, 1], or None. The states do not change where it is False.
        reverse: whether to run from the last element to the first.

    Returns:
        The last output, the outputs [time, batch, ...] in the order of the steps, and the last states.
    """
    from keras.src import backend

    # Not time_major=True, with which the TensorFlow backend of Keras 3.15 takes the batch size for the
    # number of steps if that is unknown.
    swap = backend.numpy.swapaxes
    last, outputs, states = backend.rnn(
        step,
        swap(sequences, 0, 1),
        states,
        go_backwards=reverse,
        mask=None if mask is None else swap(mask, 0, 1),
    )
    return last, swap(outputs, 0, 1), states


def gloo_on_loopback() -> None:
    """Let the processes of JAX on CPUs exchange arrays over the loopback interface.

    The caller has not used JAX yet, except for its configuration.
    """
    from jax._src import distributed, xla_bridge
    from jax._src.lib import _jax

    def make_client() -> Any:
        client = distributed.global_state.client
        return xla_bridge.make_cpu_client(
            collectives=_jax.make_gloo_tcp_collectives(
                distributed_client=client, hostname="127.0.0.1"
            )
        )

    factories = xla_bridge._backend_factories
    factories["cpu"] = dataclasses.replace(factories["cpu"], factory=make_client)
