"""Training by gradients: Keras `fit`, an epoch at a time, so that a run can be killed and resumed.

It runs on every backend of Keras. Where that is not TensorFlow, it needs none.
"""

from __future__ import annotations

import itertools
import math
import os
import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from zoo.common.core.data import Batches
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best, is_perfect
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.presets import runs, store
from zoo.common.training.averaging import WeightAverage
from zoo.common.training.precision import chosen_precision
from zoo.common.training.training_model import TrainingModel
from zoo.common.utils.plots import plot_learning_curves
from zoo.common.utils.progress import say, watched

# Itself, its gradient and two moments of the optimizer, in float32.
_BYTES_A_WEIGHT = 16
# The curves are drawn no oftener while a run goes on: a picture takes half a second.
_SECONDS_BETWEEN_PICTURES = 10.0


def train(
    recipe: Recipe,
    train_examples: list,
    dev_examples: list,
    folder: Path,
    *,
    resume: bool = False,
    init: keras.Model | None = None,
    record: dict[str, Any] | None = None,
    log: Callable[[str], None] = say,
) -> list[dict[str, float]]:
    """Train a recipe into a run folder. See `zoo.common.core.trainer.Trainer.train`.

    What is resumed comes out as if the run had never been interrupted (to the last bit on the CPU).
    Where the loss stops being a number, the best model so far stays in the folder.
    """
    recipe = chosen_precision(recipe, log)
    record = runs.begin(recipe, train_examples + dev_examples, folder, resume, record)
    keras.utils.set_random_seed(recipe.training.seed)
    with _device_scope():
        model, training_model = _build(recipe, train_examples, init)
    average = WeightAverage(training_model, recipe.optimizer)
    state = [*training_model.variables, *training_model.optimizer.variables, *average.variables]
    # A run that was killed in its first epoch begins anew.
    history = runs.load_state(folder, state) if resume and runs.has_epochs(folder) else []
    if history:  # the state is written first: a killed process may have left the table short
        runs.write_history(folder, history)
    graphs = Graphs("keras", recipe.model.functions(model))
    metric, training = recipe.task.metric, recipe.training
    steps = recipe.data.steps_per_epoch(recipe, train_examples)
    drawn = float("-inf")  # so the curves of the first epoch are drawn at once
    with runs.started(folder, record), runs.event_log(folder) as write_events:
        while len(history) < training.epochs and not _finished(history, metric, training.patience):
            epoch = len(history)
            started = time.perf_counter()
            _seed_pytorch(training.seed + epoch)
            batches = recipe.data.batches(model, recipe, train_examples, epoch)
            watch = _Watch(epoch, training.epochs, steps)
            loss = _fit(training_model, batches, epoch, watch)
            if watch.bad_batch is not None:
                raise _not_a_number(batches, epoch, watch.bad_batch, folder)
            seconds = time.perf_counter() - started
            average.update(epoch)
            with average.in_model():
                evaluation = recipe.task.evaluate(graphs, recipe, dev_examples)
                row = {
                    "epoch": epoch + 1,
                    "loss": loss,
                    **evaluation.metrics,
                    "learning_rate": float(training_model.optimizer.learning_rate),
                    "seconds": round(seconds, 2),
                    "batches_per_second": round(watch.batches / seconds, 3),
                }
                history.append(row)
                is_best = best(history, metric) is row
                if is_best:
                    store.save_model(folder, model, recipe)
            runs.save_state(folder, state, history, folder / recipe.model.file)
            runs.write_history(folder, history)
            if time.perf_counter() - drawn > _SECONDS_BETWEEN_PICTURES:
                plot_learning_curves(history, metric, folder / runs.CURVES_FILE)
                drawn = time.perf_counter()
            write_events(row)
            log(
                f"epoch {epoch + 1}/{training.epochs}  loss {loss:.4f}  "
                + "  ".join(f"dev {name} {value:.4f}" for name, value in evaluation.metrics.items())
                + f"  {row['batches_per_second']:.1f} batches/s  {seconds:.1f} s"
                + ("  best" if is_best else "")
            )
        if history:
            plot_learning_curves(history, metric, folder / runs.CURVES_FILE)
    return history


class _Watch(keras.callbacks.Callback):
    """Shows throughput and stops at a loss that is not a number."""

    def __init__(self, epoch: int, epochs: int, steps: int):
        super().__init__()
        self.bar = tqdm(
            desc=f"Epoch {epoch + 1}/{epochs}",
            total=steps,
            unit="batch",
            leave=False,
            disable=not watched(),
        )
        self.batches = 0
        self.bad_batch: int | None = None

    def on_train_batch_end(self, batch, logs=None):
        loss = logs["loss"]
        self.batches += 1
        self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        self.bar.update()
        if not math.isfinite(loss):
            self.bad_batch = batch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.bar.close()


def _fit(model: TrainingModel, batches: Batches, epoch: int, watch: _Watch) -> float:
    """One epoch; its mean loss."""
    with warnings.catch_warnings():
        # How many batches there are is known when they have run out.
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        history = model.fit(
            _fit_input(batches),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[watch],
        )
    return history.history["loss"][-1]


def _fit_input(batches: Batches) -> Any:
    """Batches as `fit` takes them: on TensorFlow with the shapes that are known, made ahead."""
    if keras.config.backend() != "tensorflow":
        return ((x, y) for x, y, _ in batches)
    import tensorflow as tf

    x_spec, y_spec = (
        {name: tf.TensorSpec(shape, dtype) for name, (shape, dtype) in part.items()}
        for part in batches.spec
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: ((x, y) for x, y, _ in batches), output_signature=(x_spec, y_spec)
    )
    return dataset.prefetch(2)


def _build(
    recipe: Recipe, examples: list, init: keras.Model | None
) -> tuple[keras.Model, TrainingModel]:
    data, training = recipe.data, recipe.training
    _check_memory(recipe)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(training.precision)
    try:
        model = recipe.model.build()
        network = recipe.model.training_model(model)
    finally:
        keras.config.set_dtype_policy(before)
    states = recipe.model.states if data.carries_states else ()
    training_model = TrainingModel(network, recipe.task, states, training.batch_size)
    if init is not None:
        model.set_weights(init.get_weights())
    steps = data.steps_per_epoch(recipe, examples)
    # On TensorFlow XLA is left to the layers that gain from it.
    jit_compile = False if keras.config.backend() == "tensorflow" else "auto"
    optimizer = recipe.optimizer.build(training.epochs, steps)
    training_model.compile(optimizer, jit_compile=jit_compile)
    training_model.optimizer.build(training_model.trainable_variables)
    return model, training_model


def _check_memory(recipe: Recipe) -> None:
    """Raise `ZooError` for a model that this machine cannot train, before it is built."""
    weights = sum(map(math.prod, recipe.model.declared_weights()))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if weights * _BYTES_A_WEIGHT > memory:
        raise ZooError(
            f"The model has {weights:,} weights: too many to be trained in {memory / 2**30:.0f} GiB of "
            "memory."
        )


def _seed_pytorch(seed: int) -> None:
    """Fix what PyTorch's dropout draws in an epoch: of other backends a run's state holds that."""
    if keras.config.backend() == "torch":
        import torch

        torch.manual_seed(seed)


def _device_scope():
    """One replica a GPU where TensorFlow has several; nothing elsewhere."""
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        if len(tf.config.list_physical_devices("GPU")) > 1:
            return tf.distribute.MirroredStrategy().scope()
    return nullcontext()


def _finished(history: list[dict[str, float]], metric: str, patience: int) -> bool:
    """Whether the dev metric is perfect, or has not got better for `patience` epochs."""
    if not history:
        return False
    row = best(history, metric)
    return len(history) - row["epoch"] >= patience or is_perfect(metric, row[metric])


def _not_a_number(batches: Batches, epoch: int, batch: int, folder: Path) -> ZooError:
    _, _, ids = next(itertools.islice(batches, batch, None))
    names = ", ".join(map(str, ids))
    return ZooError(
        f"The loss is not a number in epoch {epoch + 1}, batch {batch + 1}. Its examples: {names}. "
        + (f"The best model so far is in {folder}." if epoch else "There is no model yet.")
    )
