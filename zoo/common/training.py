"""Training: Keras `fit`, an epoch at a time, so that a run can be killed and resumed anywhere."""

from __future__ import annotations

import math
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
from tqdm import tqdm

from zoo.common import presets, runs
from zoo.common.errors import ZooError
from zoo.common.progress import watched
from zoo.common.recipe import Recipe, flatten
from zoo.common.task import Task

# Of `--overfit`: batches in an epoch, and the dev metric below which the examples count as learnt.
OVERFIT_STEPS = 20
OVERFIT_LEARNT = 0.02


class Learner(keras.Model):
    """What `fit` trains: a task's learner with the task's loss.

    network: keras.Model. From the x of a batch to the outputs the loss takes.
    """

    def __init__(self, network: keras.Model, task: Task):
        super().__init__()
        self.network = network
        self.task = task
        self.built = True  # the network is

    def call(self, x, training=None):
        """The network's outputs."""
        return self.network(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean of the task's loss; its share, where a batch is split over several devices."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return tf.reduce_mean(self.task.loss(y, y_pred)) / replicas


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


def train(
    recipe: Recipe,
    train_examples: list,
    dev_examples: list,
    folder: Path,
    *,
    resume: bool = False,
    init: keras.Model | None = None,
    about: dict[str, Any] | None = None,
    log=lambda line: print(line, file=sys.stderr, flush=True),
) -> list[dict[str, float]]:
    """Trains a recipe into a run folder and returns its history, one row an epoch.

    train_examples, dev_examples: list. What the recipe's task has found usable.
    resume: bool. Go on from the last finished epoch in `folder`; the rest comes out as if the run had
        never been interrupted (to the last bit on the CPU).
    init: keras.Model. Weights to start from.
    about: what run.json records beside versions, seed and commit.

    Raises `ZooError` if `folder` exists (unless resuming), if what is resumed does not fit, and if
    the loss stops being a number: then the best model so far stays in the folder.
    """
    record = {
        "recipe": recipe.to_dict(),
        "data_checksum": recipe.task.checksum(train_examples + dev_examples),
        **(about or {}),
    }
    runs.check_folder(folder, resume)
    if resume:
        _check_same_run(folder, record)
        runs.clear_unfinished(folder)

    keras.utils.set_random_seed(recipe.training.seed)
    with _strategy().scope():
        model, learner = _build(recipe, train_examples, init)
    state = [*learner.variables, *learner.optimizer.variables]
    # A run that was killed in its first epoch begins anew.
    history = runs.load_state(folder, state) if resume and runs.has_epochs(folder) else []
    with runs.started(folder, record):
        board = tf.summary.create_file_writer(str(folder / "tensorboard"))

        metric, training = recipe.task.metric, recipe.training
        steps = recipe.task.steps(recipe, train_examples)
        while len(history) < training.epochs and not _stale(history, metric, training.patience):
            epoch = len(history)
            started = time.perf_counter()
            batches = recipe.task.batches(model, recipe, train_examples, epoch)
            watch = _Watch(epoch, training.epochs, steps)
            loss = _fit(learner, batches, epoch, watch)
            if watch.bad_batch is not None:
                raise _not_a_number(recipe, model, train_examples, epoch, watch.bad_batch, folder)
            seconds = time.perf_counter() - started
            evaluation = recipe.task.evaluate(model, recipe, dev_examples)
            row = {
                "epoch": epoch + 1,
                "loss": loss,
                **evaluation.metrics,
                "learning_rate": float(learner.optimizer.learning_rate),
                "seconds": round(seconds, 2),
                "batches_per_second": round(watch.batches / seconds, 3),
            }
            best = all(row[metric] < earlier[metric] for earlier in history)
            history.append(row)
            if best:
                presets.save_model(folder, model, recipe)
            runs.save_state(folder, state, history)
            runs.write_history(folder, history, metric)
            with board.as_default(step=epoch + 1):
                for name, value in row.items():
                    tf.summary.scalar(name, value)
            log(
                f"epoch {epoch + 1}/{training.epochs}  loss {loss:.4f}  "
                + "  ".join(f"dev {name} {value:.4f}" for name, value in evaluation.metrics.items())
                + f"  {row['batches_per_second']:.1f} batches/s  {seconds:.1f} s"
                + ("  best" if best else "")
            )
    return history


def _fit(learner: Learner, batches: tf.data.Dataset, epoch: int, watch: _Watch) -> float:
    """One epoch; its mean loss."""
    with warnings.catch_warnings():
        # How many batches the buckets give is known when they have run out.
        warnings.filterwarnings("ignore", message="Your input ran out of data")
        history = learner.fit(
            batches.map(lambda x, y, ids: (x, y)),
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            shuffle=False,
            callbacks=[watch],
        )
    return history.history["loss"][-1]


def overfit(
    recipe: Recipe, examples: list, folder: Path, **arguments: Any
) -> list[dict[str, float]]:
    """Trains on a few examples and measures on the same, to prove that the model can learn them.

    Raises `ZooError` if it did not.
    """
    repeats = -(-OVERFIT_STEPS * recipe.training.batch_size // len(examples))
    history = train(recipe, examples * repeats, examples, folder, **arguments)
    metric = recipe.task.metric
    best = min(row[metric] for row in history)
    if best > OVERFIT_LEARNT:
        raise ZooError(
            f"The model did not learn the {len(examples)} examples in {len(history)} epochs: its best "
            f"{metric} on them is {best:.4f}, above {OVERFIT_LEARNT}."
        )
    return history


def _build(recipe: Recipe, examples: list, init: keras.Model | None):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.training.precision)
    try:
        model = recipe.model.build()
        learner = Learner(recipe.task.learner(model), recipe.task)
    finally:
        keras.config.set_dtype_policy(before)
    if init is not None:
        model.set_weights(init.get_weights())
    steps = recipe.task.steps(recipe, examples)
    config = recipe.optimizer
    warmup = round(config.warmup_epochs * steps)
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(
            0.0 if warmup else config.learning_rate,
            decay_steps=max(1, recipe.training.epochs * steps - warmup),
            warmup_target=config.learning_rate if warmup else None,
            warmup_steps=warmup,
        ),
        weight_decay=config.weight_decay,
        global_clipnorm=config.clip_norm,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    # XLA is left to the layers that gain from it: the CTC kernel cannot be compiled.
    learner.compile(optimizer, jit_compile=False)
    learner.optimizer.build(learner.trainable_variables)
    return model, learner


def _strategy() -> tf.distribute.Strategy:
    """One replica a GPU where there are several; TensorFlow's default where there are not."""
    if len(tf.config.list_physical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


def _stale(history: list[dict[str, float]], metric: str, patience: int) -> bool:
    values = [row[metric] for row in history]
    return bool(values) and (
        len(values) - 1 - values.index(min(values)) >= patience or min(values) == 0
    )


def _check_same_run(folder: Path, record: dict[str, Any]) -> None:
    path = folder / runs.RUN_FILE
    before = runs.read_json(path)
    if not isinstance(before, dict):
        raise ZooError(f"{path} is corrupt: it records no run.")
    before = dict(flatten(before))
    for key, value in flatten(record):
        # A corpus may have moved: its checksum tells whether it is the same.
        if key != "data" and before.get(key) != value:
            raise ZooError(
                f"{folder} cannot be resumed: its {key} was {before.get(key)!r}. "
                f"Received: {value!r}."
            )


def _not_a_number(recipe, model, examples, epoch, batch, folder) -> ZooError:
    batches = recipe.task.batches(model, recipe, examples, epoch)
    (ids,) = [ids for _, _, ids in batches.skip(batch).take(1).as_numpy_iterator()]
    names = ", ".join(id_.decode() for id_ in ids)
    return ZooError(
        f"The loss is not a number in epoch {epoch + 1}, batch {batch + 1}. Its examples: {names}. "
        + (f"The best model so far is in {folder}." if epoch else "There is no model yet.")
    )
