"""New labels for a trained network."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.common.training.output_layer import label_axes, with_new_labels

DIGITS = Labels(tuple("0123456789"), "class")


def built(name, labels, **overrides):
    recipe = entry(name).recipe().override(overrides)
    return replace(recipe, data=replace(recipe.data, labels=labels)).adapt([])


@pytest.mark.parametrize(
    ("name", "labels", "overrides", "outputs"),
    [
        ("speech/tdnn-fsdd", DIGITS, {}, {(5, 8, 10): 2, (10,): 0}),
        # A size that is equal to the number of labels is not mistaken for it.
        ("speech/tdnn-fsdd", DIGITS, {"model.channels": "10"}, {(5, 10, 10): 2, (10,): 0}),
        (
            "speech/bilstm-ctc-an4",
            Labels(tuple("abc")),
            {"model.layers": 1, "model.hidden_size": 8, "model.conv_filters": 2},
            {(16, 4): 1, (4,): 0},
        ),
        (
            "speech/crnn-watkins",
            Labels(("low", "high"), "class"),
            {"model.channels": "2,2,2", "model.hidden_size": 4},
            {(16, 2): 1, (2,): 0},
        ),
    ],
)
def test_axes_of_labels(name, labels, overrides, outputs):
    recipe = built(name, labels, **overrides)
    axes = label_axes(recipe.data, recipe.model)
    shapes = recipe.model.declared_weights()
    found = [(shape, axis) for shape, axis in zip(shapes, axes, strict=True) if axis is not None]
    assert found == list(outputs.items())


def test_classes_with_equal_names_keep_their_weights():
    before = built("speech/tdnn-fsdd", DIGITS)
    preset = before.model.build()
    generator = np.random.default_rng(0)
    preset.set_weights([generator.normal(size=w.shape) for w in preset.get_weights()])
    after = built("speech/tdnn-fsdd", Labels(("7", "three", "2"), "class"))
    model = with_new_labels(after.data, after.model, preset, DIGITS, seed=3)
    again = with_new_labels(after.data, after.model, preset, DIGITS, seed=3)
    *lower, kernel, bias = model.get_weights()
    *lower_before, kernel_before, bias_before = preset.get_weights()
    for one, two in zip(lower, lower_before, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(kernel[..., [0, 2]], kernel_before[..., [7, 2]])
    np.testing.assert_array_equal(bias[[0, 2]], bias_before[[7, 2]])
    assert bias[1] == 0
    assert not np.isin(kernel[..., 1], kernel_before).any()
    np.testing.assert_array_equal(kernel, again.get_weights()[-2])


def test_the_blank_of_another_alphabet_is_kept():
    tiny = {"model.layers": 1, "model.hidden_size": 8, "model.conv_filters": 2}
    letters, others = Labels(tuple("abc")), Labels(tuple("bcdé"))
    before = built("speech/bilstm-ctc-an4", letters, **tiny)
    after = built("speech/bilstm-ctc-an4", others, **tiny)
    preset = before.model.build()
    model = with_new_labels(after.data, after.model, preset, letters, seed=0)
    old, new = (one.get_layer("logits").get_weights()[0] for one in (preset, model))
    assert new.shape == (16, 5)
    np.testing.assert_array_equal(new[:, :3], old[:, [0, 2, 3]])
    assert not np.isin(new[:, 3:], old).any()
