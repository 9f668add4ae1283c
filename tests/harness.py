"""One call that checks a model. The test of each model uses it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import keras
import numpy as np

from zoo.common.core.data import Epoch
from zoo.common.core.recipe import Recipe
from zoo.common.export import exporter
from zoo.common.layers.recurrent import Bidirectional, to_stock
from zoo.common.presets import store
from zoo.common.runtime.preset import load_preset
from zoo.common.training.training_model import TrainingModel

# Reads paths of model.keras files from stdin, and opens each one where the zoo cannot be imported.
PLAIN_KERAS = """
import sys
sys.modules["zoo"] = None
import keras
for path in map(str.rstrip, sys.stdin):
    try:
        keras.saving.load_model(path, safe_mode=True)
        print(path, flush=True)
    except TypeError:
        print("a layer is not registered", flush=True)
"""


FORMATS = ("savedmodel", "onnx", "litert")


def check_model(
    recipe: Recipe, examples: list, folder: Path, formats: tuple[str, ...] = FORMATS
) -> None:
    """Check names of inputs and outputs, a training step, mixed precision, save and load, and exports.

    Args:
        recipe: a recipe with a model of tiny dimensions.
        examples: a few examples to train on.
        folder: an empty folder.
        formats: the exports to write. They take most of the time.
    """
    keras.utils.set_random_seed(0)
    model = recipe.model.build()
    _check_names(model)
    _check_step(model, recipe, examples)
    _check_mixed_precision(recipe, examples)
    _check_saved(model, recipe, folder)
    preset = load_preset(folder)
    for format_ in formats:
        for row in exporter(format_)(preset, folder):
            assert row["max_difference"] <= row["tolerance"]


def _check_names(model: keras.Model) -> None:
    assert isinstance(model.input, dict)
    assert isinstance(model.output, dict)
    assert {key: tensor.name for key, tensor in model.input.items()} == {k: k for k in model.input}


def _training_model(model: keras.Model, recipe: Recipe) -> TrainingModel:
    states = recipe.model.states if recipe.data.carries_states else ()
    network = recipe.model.training_model(model)
    return TrainingModel(network, recipe.task, states, recipe.training.batch_size)


def _batch(model: keras.Model, recipe: Recipe, examples: list) -> tuple:
    """Return x and y of the first batch, after a check of their shapes and dtypes against its spec."""
    epoch = Epoch(0, recipe.training.batch_size, recipe.training.seed)
    batches = recipe.data.batches(examples, recipe.model, model, epoch)
    x, y, _ = next(iter(batches))
    for arrays, spec in zip((x, y), batches.spec, strict=True):
        assert set(arrays) == set(spec)
        for name, (shape, dtype) in spec.items():
            assert arrays[name].dtype == np.dtype(dtype), name
            assert len(arrays[name].shape) == len(shape)
            assert all(n in (None, m) for n, m in zip(shape, arrays[name].shape, strict=True)), name
    return x, y


def _check_step(model: keras.Model, recipe: Recipe, examples: list) -> None:
    """Check that a training step changes trainable weights and the statistics of batch normalization.

    It must change no other weights. The weights are restored afterwards.
    """
    training_model = _training_model(model, recipe)
    training_model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    before = [np.array(weight) for weight in model.weights]
    x, y = _batch(model, recipe, examples)
    assert np.isfinite(training_model.train_on_batch(x, y))
    for weight, old in zip(model.weights, before, strict=True):
        learnt = weight.trainable or weight.name in ("moving_mean", "moving_variance")
        assert np.any(np.array(weight) != old) == learnt, weight.path
        weight.assign(old)


def _check_mixed_precision(recipe: Recipe, examples: list) -> None:
    """Check that the loss in bfloat16 and in float32 are equal within rounding."""
    losses = []
    for policy in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        keras.config.set_dtype_policy(policy)
        try:
            model = recipe.model.build()
        finally:
            keras.config.set_dtype_policy("float32")
        x, y = _batch(model, recipe, examples)
        outputs = _training_model(model, recipe)(x, training=False)
        losses.append(float(np.mean(recipe.task.loss(y, outputs))))
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.02)


def _check_saved(model: keras.Model, recipe: Recipe, folder: Path) -> None:
    """Check that a saved model has the same weights when it is loaded.

    It opens without the zoo, unless it has layers that Keras does not have.
    """
    store.save_model(folder, model, recipe)
    loaded = load_preset(folder).model
    for weight, again in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(np.array(weight), np.array(again))
    assert not any(isinstance(layer, Bidirectional) for layer in to_stock(loaded).layers)
    path = folder / recipe.model.file
    assert _opened_without_zoo(path) != recipe.model.contents(path).needs_zoo


@cache
def _plain_keras() -> subprocess.Popen:
    """Return one process for all models, because it starts slowly."""
    command = [sys.executable, "-c", PLAIN_KERAS]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _opened_without_zoo(path: Path) -> bool:
    process = _plain_keras()
    print(path, file=process.stdin, flush=True)
    answer = process.stdout.readline()
    if not answer:  # the process died
        _plain_keras.cache_clear()
    return answer == f"{path}\n"


def plain(recipe: Recipe) -> Recipe:
    """Return the recipe without SpecAugment, whose package is not available for all Python versions."""
    masks = ("data.spec_augment.freq_masks", "data.spec_augment.time_masks")
    return recipe.override(dict.fromkeys(masks, 0))
