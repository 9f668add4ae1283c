"""An encoder-decoder's layers: an input gives states, and tokens are stepped through from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.common.core.states import StateSpec

if TYPE_CHECKING:
    import keras


class EncoderDecoder(ABC):
    """The layers of a model, in the ways they are called.

    Subclasses make each layer once, in `__init__`, by a `MakeLayer`, with a name of its own.
    """

    @abstractmethod
    def initial_state(self, *inputs: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Return the states before the first token, by name, constant ones too, from an input."""

    @abstractmethod
    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """Return the outputs of the graph `step` from tokens [batch, time] and the states by name.

        Those are `logits`, `next_<name>` for each state that is not constant, and the `step_outputs`.
        """


def step_graph(layers: EncoderDecoder, specs: Sequence[StateSpec]) -> keras.Model:
    """Return the graph `step`: `tokens` int32 [batch, time] and the states to `decode_step`'s outputs.

    Args:
        specs: what the states are.
    """
    import keras

    states = {
        spec.name: keras.Input(spec.shape, dtype=spec.dtype, name=spec.name) for spec in specs
    }
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    outputs = layers.decode_step(tokens, states)
    return keras.Model({"tokens": tokens, **states}, outputs, name="step")
