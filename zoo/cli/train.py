"""`zoo train`: a recipe trained into a run folder."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_source
from zoo.cli.output import plain, print_answer
from zoo.cli.sources import TrainingExamples, find_source, read_train, read_train_and_dev
from zoo.cli.start_from import start_from
from zoo.common.core import registry
from zoo.common.core.corpus import Corpus, Source
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.metrics import best
from zoo.common.core.recipe import Recipe
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.presets.lineage import EARLIER, trainings
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import start_backend


def train(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    dev_manifest: Path | None = None,
    init: str | None = None,
    out: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    overfit: int | None = None,
) -> dict[str, Any]:
    """Train a recipe into a run folder.

    Args:
        name: of a recipe.
        data, manifest: the folder of the corpus, or a list of examples; None for ZOO_DATA. Of a
            manifest with splits, `train` is trained on.
        dev_manifest: examples to choose the epoch by; without it, the split for that (of a manifest
            `dev` or `valid`), or a part of the train split.
        init: a preset or run to start from: its weights, its vocabulary, its model's shape.
        out: the run folder; None for one under `runs`.
        overrides: settings by dotted key, such as `{"optimizer.learning_rate": 3e-4}`.
        resume: whether to go on after an interruption.
        overfit: train on so many examples and measure on the same.

    Returns:
        The folder, the recipe's name, how many epochs there were and the best of them, JSON-ready.

    Raises:
        ZooError: a mistake in the arguments or the data, or the run cannot be trained.
    """
    from zoo.common.presets.runs import check_folder

    entry, overrides = registry.entry(name), dict(overrides or {})
    recipe, folder = entry.recipe().override(overrides), out or default_folder(name)
    if overfit is not None:
        check_range("--overfit", overfit, at_least=1)
    if dev_manifest and (overfit or not manifest):
        raise ZooError("--dev-manifest goes with --manifest, and not with --overfit.")
    check_packages((*recipe.training.packages, *recipe.task.packages), "train")
    check_folder(folder, resume)
    source = find_source(data, manifest, entry.corpus)
    kept: dict[str, Any] = {}
    if init:
        recipe, kept = start_from(recipe, init, overrides)
    elif manifest:
        recipe = recipe.from_scratch()

    examples = _read(recipe, entry.corpus, source, dev_manifest, overfit)
    recipe = recipe.adapt(examples.train + examples.dev)
    if isinstance(recipe.model, KerasModel):
        start_backend()
    train_examples, train_left_out = recipe.data.filter_examples(examples.train, recipe)
    dev_examples, dev_left_out = recipe.data.filter_examples(examples.dev, recipe)
    left_out = {"train": examples.left_out | train_left_out, "dev": dev_left_out}
    if kept:
        shape = ", ".join(f"{key}={plain(value)}" for key, value in kept.items())
        say(f"As in {init}: {shape}.")
    for part, where in (("train", "training"), ("dev", "dev")):
        for reason, count in left_out[part].items():
            say(f"Left out of {where}: {count} {reason}.")

    num_examples = recipe.data.num_examples
    for chosen, where in ((train_examples, "train on"), (dev_examples, "choose the epoch by")):
        if not num_examples(chosen):
            raise ZooError(
                f"There is nothing to {where}: {source} must have more examples, or "
                f"training.dev_fraction, {recipe.training.dev_fraction}, must be another."
            )
    record = {
        "corpus": entry.corpus.name if source.folder else None,
        "data": str(source),
        "examples": {"train": num_examples(train_examples), "dev": num_examples(dev_examples)},
        "left_out": left_out,
        "init": init,
        "overfit": overfit,
    }
    if init:
        record[EARLIER] = trainings(store.find(init))
    arguments = {"resume": resume, "init": init and _load_model(init), "record": record}
    if overfit:
        from zoo.common.training import overfit as by_heart

        history = by_heart.overfit(recipe, train_examples, folder, **arguments)
    else:
        history = recipe.training.train(recipe, train_examples, dev_examples, folder, **arguments)
    best_row = best(history, recipe.task.metric)
    return {"run": str(folder), "recipe": name, "epochs": len(history), "best": best_row}


def default_folder(name: str) -> Path:
    """Return the run folder of a recipe where none is named."""
    return Path("runs") / name.replace("/", "-")


def train_text(answer: dict[str, Any]) -> str:
    """Return the answer of `train` for a person to read."""
    best_row = "  ".join(f"{key} {value:.4g}" for key, value in answer["best"].items())
    return f"{answer['run']}: {answer['epochs']} epochs. Best: {best_row}"


def _read(
    recipe: Recipe,
    corpus: Corpus,
    source: Source,
    dev_manifest: Path | None,
    overfit: int | None,
) -> TrainingExamples:
    """What a run trains on and chooses by. The first examples are both, where they are overfitted."""
    if not overfit and not dev_manifest:
        return read_train_and_dev(recipe, corpus, source)
    examples = read_train(recipe, corpus, source)
    if dev_manifest:
        return replace(examples, dev=recipe.data.read_manifest(dev_manifest))
    first = recipe.data.take_windows(examples.train, overfit, recipe)
    return replace(examples, train=first, dev=first)


def _load_model(preset: str) -> Any:
    folder = store.find(preset)
    return store.load_model(folder, store.load_recipe(folder))


def _overrides(settings: list[str]) -> dict[str, str]:
    """Settings KEY=VALUE as a dict. Raises `ZooError` for one without a "=", or a key given twice."""
    overrides: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ZooError(f"--set takes KEY=VALUE. Received: {setting!r}.")
        if key in overrides:
            raise ZooError(f"{key} must be set once. Received: {overrides[key]!r} and {value!r}.")
        overrides[key] = value
    return overrides


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")
    add_source(parser)
    words = "the column of a table of series, as --set data.target=COLUMN"
    parser.add_argument("--target", metavar="COLUMN", help=words)
    words = "examples to choose the epoch by; default: a part of the manifest"
    parser.add_argument("--dev-manifest", type=Path, metavar="FILE", help=words)
    words = "start from its weights and vocabulary"
    parser.add_argument("--init", metavar="PRESET|RUN", help=words)
    words = "the run folder; default: runs/RECIPE"
    parser.add_argument("--out", type=Path, metavar="RUN", help=words)
    words = "a setting; see zoo show for the keys"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=words)
    parser.add_argument("--resume", action="store_true", help="go on after an interruption")
    words = "test that the model can learn N examples by heart"
    parser.add_argument("--overfit", type=int, metavar="N", help=words)


@register_verb(
    "train",
    "train a recipe",
    "zoo train speech/bilstm-ctc-an4 --data corpora/an4 --set optimizer.learning_rate=3e-4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    target = [] if options.target is None else [f"data.target={options.target}"]
    answer = train(
        options.recipe,
        data=options.data,
        manifest=options.manifest,
        dev_manifest=options.dev_manifest,
        init=options.init,
        out=options.out,
        overrides=_overrides(options.set + target),
        resume=options.resume,
        overfit=options.overfit,
    )
    print_answer(options, answer, lambda: train_text(answer))
