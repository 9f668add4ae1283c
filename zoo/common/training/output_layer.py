"""The output layer of a model with labels: new labels for a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.common.data.labels import BLANK_INDEX, LabelledData, Labels
from zoo.common.runtime.keras_model import KerasModel

if TYPE_CHECKING:
    import keras

# The first of the symbols that count the labels of a model: one character, which is also one word.
_SYMBOL = 0x4E00


def label_axes(data: LabelledData, model: KerasModel) -> list[int | None]:
    """Return the axis of each weight that has an entry for each label; None for the other weights.

    They are found by the shapes of models with different numbers of labels.

    Args:
        data: sets the number of labels of a model.
        model: config of the model.
    """
    shapes = [_shapes(data, model, len(data.labels) + more) for more in (1, 2)]
    axes: list[int | None] = []
    for one, two in zip(*shapes, strict=True):
        longer = [axis for axis in range(len(one)) if one[axis] != two[axis]]
        axes.append(longer[0] if longer else None)
    return axes


def _shapes(data: LabelledData, model: KerasModel, count: int) -> list[tuple[int, ...]]:
    symbols = tuple(chr(_SYMBOL + i) for i in range(count))
    labels = Labels(symbols, data.labels.unit)
    _, config = data.with_labels(labels).adapt([], model)
    assert isinstance(config, KerasModel)
    return config.declared_weights()


def with_new_labels(
    data: LabelledData, config: KerasModel, preset: keras.Model, before: Labels, seed: int
) -> keras.Model:
    """Return a model for the labels of `data` with the weights of a preset.

    The weights of labels that the preset has are copied; those of the others are new.

    Args:
        data: has the new labels.
        config: config of the new model.
        preset: a trained model whose config differs only by the number of labels.
        before: the labels of the preset.
        seed: seed of the new weights.
    """
    import keras

    keras.utils.set_random_seed(seed)
    model = config.build()
    new, old = _common(data.labels, before)
    axes = label_axes(data, config)
    for weight, trained, axis in zip(model.weights, preset.weights, axes, strict=True):
        if axis is None:
            weight.assign(trained)
            continue
        value, source = (np.moveaxis(np.array(w), axis, 0) for w in (weight, trained))
        value[new] = source[old]
        weight.assign(np.moveaxis(value, 0, axis))
    return model


def _common(labels: Labels, before: Labels) -> tuple[list[int], list[int]]:
    """Return the outputs of two models that have the same label or are blanks."""
    known = set(before.symbols)
    both = [symbol for symbol in labels.symbols if symbol in known]
    blank = [BLANK_INDEX] if labels.size > len(labels) else []
    new, old = (blank + [of.encode(symbol)[0] for symbol in both] for of in (labels, before))
    return new, old
