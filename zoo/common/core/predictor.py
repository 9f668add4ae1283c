"""A predictor: the graphs of a trained model with the parts of its recipe that answers depend on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from zoo.common.core.model import Graphs

DataT = TypeVar("DataT")
ModelT = TypeVar("ModelT")
DecoderT = TypeVar("DecoderT")


@dataclass(frozen=True)
class Predictor(Generic[DataT, ModelT, DecoderT]):
    """Hold what a task needs to answer inputs.

    A task states the types that it requires, such as `Predictor[LabelledData, KerasModel, Classes]`.

    Args:
        name: name of the recipe, for error messages.
        data: reads inputs and examples, and collates them.
        model: config of the model.
        decoder: chooses answers; None for a task without a choice.
        graphs: graphs of the trained model in a runtime, from named arrays to named arrays. Inside a
            TensorFlow graph, functional Keras models take their place.
    """

    name: str
    data: DataT
    model: ModelT
    decoder: DecoderT
    graphs: Graphs
