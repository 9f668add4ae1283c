"""Training by gradient descent: Keras `fit`, one epoch at a time, so that a run can be resumed.

It supports every backend of Keras, and uses TensorFlow only on its own backend.
"""

from __future__ import annotations

import itertools
import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import keras
from tqdm import tqdm

from zoo.common.core.data import Batches, Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best, is_perfect
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe, settings
from zoo.common.presets import runs, store, trained_on
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.averaging import WeightAverage
from zoo.common.training.layer_groups import Freezing, depths
from zoo.common.training.parallel import Parallel
from zoo.common.training.precision import chosen_precision
from zoo.common.training.trainers import GradientDescent
from zoo.common.training.training_model import ROW_LOSS, TrainingModel
from zoo.common.utils.plots import plot_learning_curves
from zoo.common.utils.progress import say, watched

# The weight, its gradient and two moments of the optimizer, in float32.
_BYTES_PER_WEIGHT = 16
# Minimum time between two drawings of the learning curves: one drawing takes half a second.
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
    callbacks: Sequence[keras.callbacks.Callback] = (),
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    parallel: Parallel | None = None,
) -> list[dict[str, float]]:
    """Train a recipe into a run folder. See `zoo.common.training.trainers.train`.

    A resumed run has the same result as one without interruption (bit-identical on the CPU). If the loss
    becomes NaN, the best model so far stays in the folder.

    Callbacks receive the events of each `fit` call, which trains one epoch. `model.stop_training` set by
    a callback ends the run after the epoch.
    """
    recipe = chosen_precision(recipe, log)
    training, config, optimizer = recipe.training, recipe.model, recipe.optimizer
    if (
        not isinstance(training, GradientDescent)
        or not isinstance(config, KerasModel)
        or optimizer is None
    ):
        raise ZooError(f"{recipe.name} cannot be trained by gradient descent.")
    parallel = parallel or Parallel()
    parallel.check(
        training.batch_size,
        recipe.data.carries_states,
        settings=[recipe.to_dict(), resume],
        data=recipe.data.checksum(train_examples + dev_examples),
    )
    if parallel.writes:
        record = runs.begin(recipe, train_examples + dev_examples, folder, resume, record)
    keras.utils.set_random_seed(training.seed)
    with _device_scope(), parallel.scope():
        model, training_model = _build(recipe, config, training, init, parallel.weighs_rows)
    local = parallel.local_model(model, config.build)

    def epoch_batches(number: int) -> Batches:
        epoch = Epoch(number, training.batch_size, training.seed)
        return parallel.batches(recipe.data.batches(train_examples, config, local, epoch))

    batches = epoch_batches(0)
    # On TensorFlow only the layers that gain from XLA use it.
    jit_compile = False if keras.config.backend() == "tensorflow" else "auto"
    with parallel.scope():
        keras_optimizer = optimizer.build(
            training.epochs, batches.steps, depths(training_model.network)
        )
        training_model.compile(keras_optimizer, jit_compile=jit_compile)
        keras_optimizer.build(training_model.trainable_variables)
        average = WeightAverage(training_model, optimizer)
    freezing = Freezing(recipe, model, training_model.network, init is not None)
    state = [*training_model.variables, *keras_optimizer.variables, *average.variables]

    def saved() -> Any:
        # A run that was killed in its first epoch starts again.
        return runs.read_state(folder, state) if resume and runs.has_epochs(folder) else ([], [])

    history, values = parallel.share(saved)
    if history:
        for variable, value in zip(state, values, strict=True):
            variable.assign(value)
        # The state is written first: a killed process may have left the table incomplete.
        if parallel.writes:
            runs.write_history(folder, history)
    predictor = recipe.predictor(Graphs("keras", config.functions(local)))
    metric = recipe.task.monitor
    drawn = float("-inf")  # the curves of the first epoch are drawn immediately
    stopped = False
    # Not for each trial of a sweep, which sets `on_epoch`.
    announce = say if parallel.writes and on_epoch is None else None

    def evaluated() -> dict[str, float]:
        return dict(recipe.task.evaluate(predictor, dev_examples).metrics)

    with ExitStack() as files:
        if parallel.writes:
            files.enter_context(runs.started(folder, record or {}))
            trained_on.write(folder, recipe.data, train_examples, dev_examples)
            write_events = files.enter_context(runs.event_log(folder, settings(recipe)))
        while (
            len(history) < training.epochs
            and not stopped
            and not _finished(history, metric, training.patience)
        ):
            epoch = len(history)
            started = time.perf_counter()
            _seed_pytorch(training.seed + epoch)
            batches = epoch_batches(epoch)
            watch = _Watch(epoch, training.epochs, batches.steps, announce)
            announce = None
            with parallel.scope():
                if freezing.update(epoch):
                    training_model.compile(keras_optimizer, jit_compile=jit_compile)
                loss = _fit(training_model, batches, epoch, [watch, *callbacks])
            stopped = training_model.stop_training
            if watch.bad_batch is not None:
                raise _bad_loss(batches, epoch, watch.bad_batch, folder)
            seconds = time.perf_counter() - started
            average.update(epoch)
            with average.in_model():
                parallel.update(local, model)
                metrics = parallel.share(evaluated)
                row = {
                    "epoch": epoch + 1,
                    "loss": loss,
                    **metrics,
                    "learning_rate": float(keras_optimizer.learning_rate),
                    "seconds": round(seconds, 2),
                    "batches_per_second": round(watch.batches / seconds, 3),
                }
                history.append(row)
                is_best = best(history, metric) is row
                if is_best and parallel.writes:
                    store.save_model(folder, local, recipe)
            if not parallel.writes:
                continue
            runs.save_state(folder, state, history, folder / config.file)
            runs.write_history(folder, history)
            if time.perf_counter() - drawn > _SECONDS_BETWEEN_PICTURES:
                plot_learning_curves(history, metric, folder / runs.CURVES_FILE)
                drawn = time.perf_counter()
            write_events(row)
            log(
                f"epoch {epoch + 1}/{training.epochs}  loss {loss:.4f}  "
                + "  ".join(f"dev {name} {value:.4f}" for name, value in metrics.items())
                + f"  {row['batches_per_second']:.1f} batches/s  {seconds:.1f} s"
                + ("  best" if is_best else "")
            )
            if on_epoch:
                on_epoch(row)
        if history and parallel.writes:
            plot_learning_curves(history, metric, folder / runs.CURVES_FILE)
    return history


class _Watch(keras.callbacks.Callback):
    """Show a progress bar with the loss, and stop when the loss is NaN or infinite.

    Args:
        epoch: number of the epoch, from 0.
        epochs: number of epochs.
        steps: number of batches.
        announce: receives a line before and after the first step, which compiles; None for none.
    """

    def __init__(
        self, epoch: int, epochs: int, steps: int, announce: Callable[[str], None] | None = None
    ):
        super().__init__()
        self.announce = announce
        self.started = 0.0
        self.bar = tqdm(
            desc=f"Epoch {epoch + 1}/{epochs}",
            total=steps,
            unit="batch",
            leave=False,
            disable=not watched(),
        )
        self.batches = 0
        self.bad_batch: int | None = None

    def on_train_begin(self, logs=None):
        self.started = time.perf_counter()
        if self.announce:
            self.announce("The first step compiles the model.")

    def on_train_batch_end(self, batch, logs=None):
        loss = logs["loss"]
        self.batches += 1
        if self.announce and self.batches == 1:
            self.announce(f"The first step took {time.perf_counter() - self.started:.1f} s.")
        self.bar.set_postfix(loss=f"{loss:.4g}", refresh=False)
        self.bar.update()
        if not math.isfinite(loss):
            self.bad_batch = batch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.bar.close()


def _fit(
    model: TrainingModel,
    batches: Batches,
    epoch: int,
    callbacks: list[keras.callbacks.Callback],
) -> float:
    """Train one epoch and return its mean loss."""
    with warnings.catch_warnings():
        # The number of batches is an estimate.
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        history = model.fit(
            _fit_input(batches),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=callbacks,
        )
    return history.history.get(ROW_LOSS, history.history["loss"])[-1]


def _fit_input(batches: Batches) -> Any:
    """Return batches as `fit` takes them: on TensorFlow a prefetched dataset with known shapes."""
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
    recipe: Recipe,
    config: KerasModel,
    training: GradientDescent,
    init: keras.Model | None,
    weighs_rows: bool,
) -> tuple[keras.Model, TrainingModel]:
    """Return the model, and the model that `fit` trains."""
    _check_memory(config)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(training.precision)
    try:
        model = config.build()
        network = config.training_model(model)
    finally:
        keras.config.set_dtype_policy(before)
    states = config.states if recipe.data.carries_states else ()
    if init is not None:
        config.take_weights(model, init)
    size = training.batch_size
    return model, TrainingModel(network, recipe.task, states, size, weighs_rows)


def _check_memory(config: KerasModel) -> None:
    """Raise `ZooError` for a model that is too large for this machine, before it is built."""
    weights = sum(map(math.prod, config.declared_weights()))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if weights * _BYTES_PER_WEIGHT > memory:
        raise ZooError(
            f"The model has {weights:,} weights, too many for {memory / 2**30:.0f} GiB of memory."
        )


def _seed_pytorch(seed: int) -> None:
    """Seed PyTorch's dropout. On other backends the state of a run has the random states."""
    if keras.config.backend() == "torch":
        import torch

        torch.manual_seed(seed)


def _device_scope():
    """Return a scope with one replica per GPU if TensorFlow has several GPUs."""
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        if len(tf.config.list_physical_devices("GPU")) > 1:
            return tf.distribute.MirroredStrategy().scope()
    return nullcontext()


def _finished(history: list[dict[str, float]], metric: str, patience: int) -> bool:
    """Return whether the dev metric is perfect, or did not improve for `patience` epochs."""
    if not history:
        return False
    row = best(history, metric)
    return len(history) - row["epoch"] >= patience or is_perfect(metric, row[metric])


def _bad_loss(batches: Batches, epoch: int, batch: int, folder: Path) -> ZooError:
    _, _, ids = next(itertools.islice(batches, batch, None))
    names = ", ".join(map(str, ids))
    return ZooError(
        f"The loss is NaN or infinite in epoch {epoch + 1}, batch {batch + 1}. Its examples: {names}. "
        + (f"The best model so far is in {folder}." if epoch else "No epoch is complete.")
    )
