"""Train a recipe into a run folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.class_counts import say_class_counts
from zoo.api.init import initial_model, start_from, with_new_labels
from zoo.api.init_encoder import language_model, model_with_encoder, with_words_of
from zoo.api.options import PresetLike, preset_folder, preset_name
from zoo.api.results import TrainResult
from zoo.api.resume import how_to_continue, record_arguments, resumed
from zoo.api.sources import (
    TrainingExamples,
    check_weights,
    filter_training,
    find_source,
    join,
    read_train,
    read_train_and_dev,
    training_sizes,
)
from zoo.api.suited import suit, suit_monitor
from zoo.api.train_baseline import compare_with_baseline, fit_baseline
from zoo.common.core import registry
from zoo.common.core.capabilities import WindowedExamples
from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.metrics import best
from zoo.common.core.recipe import Recipe, settings
from zoo.common.presets.lineage import EARLIER, trainings
from zoo.common.presets.runs import RUN_FILE, check_folder
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import start_backend

if TYPE_CHECKING:
    import keras

    from zoo.common.training.parallel import Parallel


def train(
    recipe: str,
    *,
    data: str | Path | None = None,
    manifest: str | Path | Sequence[str | Path] | None = None,
    weights: Sequence[int] | None = None,
    dev_manifest: str | Path | None = None,
    init: PresetLike | None = None,
    init_encoder: PresetLike | None = None,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    overfit: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainResult:
    """Train a recipe into a run folder.

    Args:
        recipe: a registered recipe.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus, or several of them. If it has
            splits, only `train` is trained on.
        weights: how often the examples of each manifest are used in an epoch; None for once.
        dev_manifest: examples that choose the best epoch. By default they are the split for that (of a
            manifest: `dev` or `valid`), or a part of the train split.
        init: a preset or run to start from: its weights, its vocabulary and the shape of its model.
        init_encoder: a language model from whose embedding and recurrent layers a text classifier
            starts. Its words are added to the vocabulary.
        out: the run folder; None for a folder in `runs`.
        overrides: settings by dotted key, such as `{"optimizer.learning_rate": 3e-4}`.
        resume: whether to continue an interrupted run in `out`.
        overfit: train and evaluate on this number of examples, to check that the model can learn.
        callbacks: Keras callbacks, for recipes that are trained by gradient descent.

    Raises:
        ZooError: an argument or an example is invalid, or the model cannot be trained.

    Examples:
        >>> import tempfile, zoo
        >>> folder = tempfile.mkdtemp() + "/run"
        >>> result = zoo.train("language/charlstm-hello", out=folder, overrides={"training.epochs": 1})
        >>> len(result.history)
        1
    """
    return train_recipe(
        recipe,
        data=data,
        manifest=manifest,
        weights=weights,
        dev_manifest=dev_manifest,
        init=init,
        init_encoder=init_encoder,
        out=out,
        overrides=overrides,
        resume=resume,
        overfit=overfit,
        callbacks=callbacks,
    )


def train_recipe(
    recipe: str,
    *,
    data: str | Path | None = None,
    manifest: str | Path | Sequence[str | Path] | None = None,
    weights: Sequence[int] | None = None,
    dev_manifest: str | Path | None = None,
    init: PresetLike | None = None,
    init_encoder: PresetLike | None = None,
    out: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    overfit: int | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    log: Callable[[str], None] = say,
    on_epoch: Callable[[dict[str, float]], None] | None = None,
    parallel: Parallel | None = None,
) -> TrainResult:
    """Train a recipe into a run folder. The other arguments are those of `train`.

    Args:
        log: as in `zoo.common.training.trainers.train`.
        on_epoch: as in `zoo.common.training.trainers.train`.
        parallel: as in `zoo.common.training.trainers.train`.
    """
    entry, overrides = registry.entry(recipe), dict(overrides or {})
    built, folder = entry.recipe(), Path(out or default_folder(recipe))
    kept_settings: dict[str, Any] = {}
    if resume and (folder / RUN_FILE).exists():
        built, given = resumed(
            folder,
            built,
            {
                "data": data,
                "manifest": manifest,
                "dev_manifest": dev_manifest,
                "weights": weights,
                "init": None if init is None else preset_name(init),
                "init_encoder": None if init_encoder is None else preset_name(init_encoder),
                "overfit": overfit,
            },
        )
        data, manifest, dev_manifest = given["data"], given["manifest"], given["dev_manifest"]
        weights, overfit, init = given["weights"], given["overfit"], init or given["init"]
        init_encoder = init_encoder or given["init_encoder"]
        kept_settings = {k: v for k, v in settings(built).items() if k.startswith("data.")}
    built = built.override(overrides)
    if init is not None and init_encoder is not None:
        raise ZooError("--init and --init-encoder cannot be combined.")
    encoder = None if init_encoder is None else language_model(built, init_encoder)
    if overfit is not None:
        check_range("overfit", overfit, at_least=1)
    if dev_manifest and (overfit or not manifest):
        raise ZooError("--dev-manifest needs --manifest, and cannot be combined with --overfit.")
    check_packages((*built.training.packages, *built.task.packages), "train")
    writes = parallel is None or parallel.writes
    if writes:
        check_folder(folder, resume)
    manifests = [manifest] if manifest is None or isinstance(manifest, str | Path) else manifest
    check_weights(manifests, weights, overfit)
    sources = [find_source(data, one, entry.corpus) for one in manifests]
    kept: dict[str, Any] = {}
    if init is not None:
        built, kept = start_from(built, init, {**kept_settings, **overrides})
    elif manifest:
        built = built.from_scratch()
    parts = [_read(built, entry.corpus, source, dev_manifest, overfit) for source in sources]
    train_examples = [example for part in parts for example in part.train]
    if manifest and init is None and not kept_settings:
        built = suit(built, train_examples, overrides)
    dev_examples = [example for part in parts for example in part.dev]
    every = built.data.vocabulary_examples(train_examples, dev_examples)
    if init is not None:
        built = with_new_labels(built, every)
    built = built.adapt(every)
    if encoder is not None:
        built = with_words_of(built, encoder)
    if manifest:
        built = suit_monitor(built, dev_examples, overrides)
    if isinstance(built.model, KerasModel):
        start_backend()
    filtered = [filter_training(built, part) for part in parts]
    examples, left_out = join(filtered, weights, common_dev=dev_manifest is not None)
    if kept:
        shape = ", ".join(f"{key}={_text(value)}" for key, value in kept.items())
        say(f"As in {preset_name(init or '')}: {shape}.")
    for part, where in (("train", "training"), ("dev", "dev")):
        for reason, count in left_out[part].items():
            say(f"Left out of {where}: {count} {reason}.")
    sizes = training_sizes(built, examples, sources[0])
    start, initial = init or init_encoder, None
    if init is not None:
        initial = initial_model(built, init)
    elif init_encoder is not None:
        initial = model_with_encoder(built, init_encoder)
    record: dict[str, Any] = {
        "corpus": entry.corpus.name if sources[0].folder else None,
        "data": ", ".join(map(str, sources)),
        "examples": sizes,
        "left_out": left_out,
        "init": None if start is None else preset_name(start),
        "overfit": overfit,
        **record_arguments(
            data=data,
            manifest=manifest,
            dev_manifest=dev_manifest,
            weights=weights,
            init=None if init is None else preset_name(init),
            init_encoder=None if init_encoder is None else preset_name(init_encoder),
            overfit=overfit,
        ),
    }
    if start is not None:
        record[EARLIER] = trainings(preset_folder(start))
    arguments: dict[str, Any] = {
        "resume": resume,
        "init": initial,
        "record": record,
        "callbacks": list(callbacks),
        "log": log,
        "on_epoch": on_epoch,
        "parallel": parallel,
    }
    # Not for each trial of a sweep, which sets `on_epoch`.
    fits = not overfit and on_epoch is None and writes
    if fits:
        say_class_counts(built, examples)
    baseline = fit_baseline(built, examples, sizes["train"]) if fits else {}
    try:
        history = _run(built, examples, folder, overfit, arguments)
    except KeyboardInterrupt:
        if writes and (folder / RUN_FILE).exists():
            say(how_to_continue(folder, recipe))
        raise
    row = best(history, built.task.monitor)
    return TrainResult(folder, recipe, history, row, compare_with_baseline(baseline, row))


def default_folder(name: str) -> Path:
    """Return the default run folder of a recipe."""
    return Path("runs") / name.replace("/", "-")


def _read(
    recipe: Recipe,
    corpus: Corpus,
    source: Source,
    dev_manifest: str | Path | None,
    overfit: int | None,
) -> TrainingExamples:
    """Return the examples of a run. With `overfit`, the first ones are both train and dev."""
    if not overfit and not dev_manifest:
        return read_train_and_dev(recipe, corpus, source)
    examples = read_train(recipe, corpus, source)
    if dev_manifest:
        return replace(examples, dev=recipe.data.read_manifest(Path(dev_manifest)))
    if isinstance(recipe.data, WindowedExamples):
        first = recipe.data.take_windows(examples.train, overfit or 0, recipe.model)
    else:
        first = examples.train[:overfit]
    return replace(examples, train=first, dev=first)


def _run(
    recipe: Recipe,
    examples: TrainingExamples,
    folder: Path,
    overfit: int | None,
    arguments: dict[str, Any],
) -> list[dict[str, float]]:
    if overfit:
        from zoo.common.training.overfit import overfit as run_overfit

        return run_overfit(recipe, examples.train, folder, **arguments)
    from zoo.common.training.trainers import train as run

    return run(recipe, examples.train, examples.dev, folder, **arguments)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
