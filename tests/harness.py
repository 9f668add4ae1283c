"""One call that checks what every model of the zoo has to stand: used by each model's own test."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from zoo.common import presets
from zoo.common.export import exporter
from zoo.common.recipe import Recipe
from zoo.common.recurrent import Bidirectional, to_stock
from zoo.common.training import Learner

# Opens a model.keras where nothing of the zoo can be imported.
PLAIN_KERAS = """
import sys
sys.modules["zoo"] = None
import keras
keras.saving.load_model(sys.argv[1], safe_mode=True)
"""


def check_model(recipe: Recipe, examples: list, folder: Path) -> None:
    """Build, named inputs and outputs, a training step, mixed precision, save and load, exports.

    recipe: with a model of tiny dimensions. examples: a few that it can be trained on.
    """
    keras.utils.set_random_seed(0)
    model = recipe.model.build()
    _check_names(model)
    _check_step(model, recipe, examples)
    _check_mixed_precision(recipe, examples)
    _check_saved(model, recipe, folder)
    preset = presets.load_preset(folder)
    for format_ in ("savedmodel", "onnx", "litert"):
        for row in exporter(format_)(preset, folder):
            assert row["max_difference"] <= row["tolerance"]


def _check_names(model: keras.Model) -> None:
    assert isinstance(model.input, dict)
    assert isinstance(model.output, dict)
    assert {key: tensor.name for key, tensor in model.input.items()} == {k: k for k in model.input}


def _check_step(model: keras.Model, recipe: Recipe, examples: list) -> None:
    """One step of training changes every weight that is to be trained, the running statistics of batch
    normalisation, and no other."""
    learner = Learner(recipe.task.learner(model), recipe.task)
    learner.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    before = [np.array(weight) for weight in model.weights]
    x, y, _ = next(iter(recipe.task.batches(model, recipe, examples, epoch=0)))
    assert np.isfinite(learner.train_on_batch(x, y))
    for weight, old in zip(model.weights, before, strict=True):
        learnt = weight.trainable or weight.name in ("moving_mean", "moving_variance")
        assert np.any(np.array(weight) != old) == learnt, weight.path


def _check_mixed_precision(recipe: Recipe, examples: list) -> None:
    """The loss in bfloat16 is that in float32 but for rounding."""
    losses = []
    for policy in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(policy)
        try:
            model = recipe.model.build()
        finally:
            keras.config.set_dtype_policy("float32")
        x, y, _ = next(iter(recipe.task.batches(model, recipe, examples, epoch=0)))
        outputs = recipe.task.learner(model)(x, training=False)
        losses.append(float(tf.reduce_mean(recipe.task.loss(y, outputs))))
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)


def _check_saved(model: keras.Model, recipe: Recipe, folder: Path) -> None:
    """A saved model comes back with its numbers, and opens without the zoo."""
    presets.save_model(folder, model, recipe)
    loaded = presets.load_preset(folder).model
    for weight, again in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.array(weight), np.array(again))
    assert not any(isinstance(layer, Bidirectional) for layer in to_stock(loaded).layers)
    subprocess.run(
        [sys.executable, "-c", PLAIN_KERAS, str(folder / presets.MODEL_FILE)],
        check=True,
        capture_output=True,
    )


def plain(recipe: Recipe) -> Recipe:
    """The recipe without SpecAugment, whose masks need a package not every Python has."""
    masks = replace(recipe.task.spec_augment, freq_masks=0, time_masks=0)
    return replace(recipe, task=replace(recipe.task, spec_augment=masks))
