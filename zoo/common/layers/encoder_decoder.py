"""The layers of an encoder-decoder model and its step graph."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoo.common.core.states import STEP, StateSpec

if TYPE_CHECKING:
    import keras


class EncoderDecoder(ABC):
    """The layers of an encoder-decoder model.

    The encoder computes the initial states from an input, and the decoder computes outputs from tokens
    and states. Subclasses create each layer once, in `__init__`, with a `MakeLayer` and a unique name.
    """

    @abstractmethod
    def initial_state(self, *inputs: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Return the states before the first token by name, with the constant states.

        Args:
            *inputs: inputs of the encoder.
        """

    @abstractmethod
    def decode_step(
        self, tokens: keras.KerasTensor, states: dict[str, keras.KerasTensor]
    ) -> dict[str, keras.KerasTensor]:
        """Return the outputs of the graph `step`.

        Args:
            tokens: int32 [batch, time].
            states: the states by name.

        Returns:
            `logits`, `next_<name>` for each state that is not constant, and the `step_outputs`.
        """


def step_graph(layers: EncoderDecoder, specs: Sequence[StateSpec]) -> keras.Model:
    """Return the graph `step`, from `tokens` int32 [batch, time] and the states to the next outputs.

    Args:
        layers: the layers of the model. `decode_step` computes the outputs.
        specs: the states of the model.
    """
    import keras

    states = {
        spec.name: keras.Input(spec.shape, dtype=spec.dtype, name=spec.name) for spec in specs
    }
    tokens = keras.Input((None,), name="tokens", dtype="int32")
    outputs = layers.decode_step(tokens, states)
    return keras.Model({"tokens": tokens, **states}, outputs, name=STEP)
