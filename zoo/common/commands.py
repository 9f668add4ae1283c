"""What the verbs of the `zoo` command do: each a function from plain values to a JSON-ready answer."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.common import presets, registry
from zoo.common.describe import table
from zoo.common.errors import ZooError
from zoo.common.quiet import import_tensorflow
from zoo.common.recipe import Recipe
from zoo.common.runs import check_folder
from zoo.common.task import Evaluation, Graphs, Source

DATA_VARIABLE = "ZOO_DATA"


def train(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    dev_manifest: Path | None = None,
    init: str | None = None,
    out: Path | None = None,
    overrides: dict[str, Any] | None = None,
    resume: bool = False,
    overfit: int | None = None,
) -> dict[str, Any]:
    """`zoo train`: trains a recipe into a run folder. See `zoo train --help` for the arguments."""
    recipe = registry.entry(name).recipe().override(overrides or {})
    corpus = registry.entry(name).corpus
    folder = out or Path("runs") / name.replace("/", "-")
    if overfit is not None and overfit < 1:
        raise ZooError(f"--overfit takes a number of examples, 1 or more. Received: {overfit}.")
    if dev_manifest and (overfit or not manifest):
        raise ZooError("--dev-manifest goes with --manifest, and not with --overfit.")
    check_folder(folder, resume)
    source = _source(data, manifest, corpus.name)
    if init:
        recipe = _like_preset(recipe, presets.load_recipe(presets.find(init)), overrides or {})
    elif manifest:
        recipe = recipe.from_scratch()

    if overfit:
        examples = dev = _read_train(recipe, corpus, source)[:overfit]
    elif dev_manifest:
        examples = _read_train(recipe, corpus, source)
        dev = recipe.task.read(corpus.name, Source(manifest=dev_manifest), "all")
    else:
        examples, dev = _train_and_dev(recipe, corpus, source)
    recipe = recipe.fit(examples + dev)
    import_tensorflow()
    examples, left_out = recipe.task.usable(examples, recipe.model)
    for reason, count in left_out.items():
        _say(f"Left out of training: {count} {reason}.")
    dev, dev_left_out = recipe.task.usable(dev, recipe.model)
    for reason, count in dev_left_out.items():
        _say(f"Left out of dev: {count} {reason}.")

    from zoo.common import training

    arguments = {
        "resume": resume,
        "init": presets.load_preset(init).model if init else None,
        "about": {
            "corpus": corpus.name if source.folder else None,
            "data": str(source),
            "examples": {"train": recipe.task.count(examples), "dev": recipe.task.count(dev)},
            "left_out": {"train": left_out, "dev": dev_left_out},
            "init": init,
        },
    }
    if overfit:
        history = training.overfit(recipe, examples, folder, **arguments)
    else:
        history = training.train(recipe, examples, dev, folder, **arguments)
    metric = recipe.task.metric
    best = min(history, key=lambda row: row[metric])
    return {"run": str(folder), "recipe": name, "epochs": len(history), "best": best}


def evaluate(
    name: str, *, data: Path | None = None, manifest: Path | None = None, split: str | None = None
) -> tuple[dict[str, Any], list[str]]:
    """`zoo evaluate`: the figures of a preset or run on a split, and a report to read.

    split: the test split unless it is named; of a manifest, all of it.
    """
    recipe = presets.load_recipe(presets.find(name))
    corpus = registry.entry(recipe.name).corpus
    source = _source(data, manifest, corpus.name)
    split = split or ("all" if manifest else "test")
    if split == "dev":
        _, examples = _train_and_dev(recipe, corpus, source)
    else:
        examples = recipe.task.read(corpus.name, source, split)
    import_tensorflow()
    preset = presets.load_preset(name)
    result = preset.recipe.task.evaluate(preset.model, preset.recipe, examples)
    where = corpus.name if source.folder else str(manifest)
    return _evaluation(name, where, split, result), result.report


def predict(
    name: str,
    inputs: Sequence[str],
    *,
    backend: str = "keras",
    options: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`zoo predict`: an answer, or an error, for each input.

    options: text by the name of one of the task's options, such as {"beam_width": "8"}.
    """
    recipe, graphs = _opened(name, backend, options or {})
    return {"preset": name, "predictions": list(recipe.task.predict(graphs, recipe, inputs))}


def score(
    name: str,
    inputs: Sequence[str],
    *,
    backend: str = "keras",
    options: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`zoo score`: the log-probability of each text, token by token. Arguments as of `predict`."""
    recipe, graphs = _opened(name, backend, options or {})
    return {"preset": name, "scores": list(recipe.task.score(graphs, recipe, inputs))}


def export(name: str, formats: Sequence[str], out: Path | None = None) -> dict[str, Any]:
    """`zoo export`: files of a preset for other runtimes, each compared with the Keras model.

    out: a folder, which then holds all that `zoo predict` needs besides; None for the preset's own.

    A format that fails does not stop the others: `errors` has a line for each. Raises `ZooError`
    where all fail.
    """
    from zoo.common.export import check_format, exporter

    for format_ in formats:
        check_format(format_)
    folder = out or presets.find(name)
    presets.check_same(presets.find(name), folder)
    import_tensorflow()
    preset = presets.load_preset(name)
    files, errors = [], []
    for format_ in dict.fromkeys(formats):
        try:
            files += exporter(format_)(preset, folder)
        except ZooError as error:
            errors.append(str(error))
    if not files:
        raise ZooError(" ".join(errors))
    if out:
        presets.save_recipe(out, preset.recipe)
    return {"preset": name, "files": files} | ({"errors": errors} if errors else {})


def publish(run: str, *, data: Path | None = None, split: str = "test") -> dict[str, Any]:
    """`zoo publish`: a run as a preset under its recipe's name, measured as it is shipped."""
    import_tensorflow()
    from zoo.common.publishing import measured, published, write_card

    name = presets.load_recipe(presets.find(run)).name
    answer: dict[str, Any] = {}
    with published(presets.find(run)) as folder:
        for part in ("dev", split):
            answer, _ = evaluate(str(folder), data=data, split=part)
            measured(folder, answer, f"zoo evaluate {name} --data {data or '...'} --split {part}")
        write_card(folder)
    return answer | {"preset": name}


def train_text(result: dict[str, Any]) -> str:
    """The answer of `train` for a person to read."""
    best = "  ".join(f"{key} {value:.4g}" for key, value in result["best"].items())
    return f"{result['run']}: {result['epochs']} epochs. Best: {best}"


def evaluation_text(result: dict[str, Any]) -> str:
    """The answer of `evaluate` for a person to read."""
    figures = "  ".join(f"{name} {value:.4f}" for name, value in result["metrics"].items())
    return (
        f"{result['preset']} on {result['corpus']}, {result['split']}: {figures}  "
        f"({result['examples']} examples, {result['seconds']:.1f} s)"
    )


def predictions_text(result: dict[str, Any]) -> str:
    """The answer of `predict` for a person to read: of one input what came of it and nothing else."""
    if len(result["predictions"]) == 1 and "output" in result["predictions"][0]:
        return result["predictions"][0]["output"]
    return "\n".join(
        f"{p['input']}: {p['output'] if 'output' in p else 'error: ' + p['error']}"
        for p in result["predictions"]
    )


def scores_text(result: dict[str, Any]) -> str:
    """The answer of `score` for a person to read: a line a token, then the total."""
    lines = []
    for score in result["scores"]:
        if "error" in score:
            lines.append(f"{score['input']}: error: {score['error']}")
            continue
        lines += [f"{t['log_probability']:10.4f}  {t['token']!r}" for t in score["tokens"]]
        count = len(score["tokens"])
        lines.append(f"{score['log_probability']:10.4f}  {count} tokens: {score['input']}")
    return "\n".join(lines)


def export_text(result: dict[str, Any]) -> str:
    """The answer of `export` for a person to read."""
    rows = table(result["files"])
    if any(file["max_difference"] is None for file in result["files"]):
        rows += "\nWhere no difference stands, no device was at hand: execution was not tested."
    return rows


def _opened(name: str, backend: str, options: dict[str, str]) -> tuple[Recipe, Graphs]:
    """A preset's recipe, its task set by options, and its graphs in a runtime."""
    from zoo.common.backends import open_graphs

    recipe = presets.load_recipe(presets.find(name))
    for option in options:
        if option not in recipe.task.options:
            valid = ", ".join(map(_flag, recipe.task.options)) or "none"
            raise ZooError(f"{name} has no option {_flag(option)}. Valid: {valid}.")
    recipe = recipe.override({f"task.{option}": text for option, text in options.items()})
    return recipe, open_graphs(backend, name)


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def _source(data: Path | None, manifest: Path | None, corpus: str) -> Source:
    """The one place that tells where a corpus lies: --manifest, --data, or under ZOO_DATA."""
    if data and manifest:
        raise ZooError("--data and --manifest exclude each other.")
    if manifest:
        return Source(manifest=manifest)
    root = os.environ.get(DATA_VARIABLE)
    if data is None and root is None:
        raise ZooError(
            f"Where is the corpus {corpus!r}? Name its folder with --data, or set {DATA_VARIABLE} to "
            f"the folder that holds {corpus!r}."
        )
    return Source(folder=data or Path(root) / corpus)


def _read_train(recipe: Recipe, corpus: registry.Corpus, source: Source) -> list:
    """What runs train on: a manifest is all of it."""
    split = "all" if source.manifest else corpus.train_split
    return recipe.task.read(corpus.name, source, split)


def _train_and_dev(recipe: Recipe, corpus: registry.Corpus, source: Source) -> tuple[list, list]:
    """What runs train on and choose by: the corpus's own split for it, or a part cut off the other."""
    examples = _read_train(recipe, corpus, source)
    if corpus.dev_split and not source.manifest:
        return examples, recipe.task.read(corpus.name, source, corpus.dev_split)
    return recipe.task.cut_dev(examples, recipe.training.dev_fraction, recipe.training.seed)


def _like_preset(recipe: Recipe, preset: Recipe, overrides: dict[str, Any]) -> Recipe:
    """`recipe` with the model and task of a preset, whose weights it starts from."""
    if type(recipe.model) is not type(preset.model):
        raise ZooError(
            f"{recipe.name!r} cannot start from a preset of {preset.name!r}: another kind of model."
        )
    changed = [key for key in overrides if key.startswith("model.") and key != "model.dropout"]
    if changed:
        raise ZooError(
            f"The model's shape comes from the preset. Received: --set {changed[0]} with --init."
        )
    joined = Recipe(recipe.name, preset.model, preset.task, recipe.optimizer, recipe.training)
    return joined.override(
        {key: value for key, value in overrides.items() if key.startswith(("model.", "task."))}
    )


def _evaluation(name: str, corpus: str, split: str, result: Evaluation) -> dict[str, Any]:
    return {
        "preset": name,
        "corpus": corpus,
        "split": split,
        "examples": result.examples,
        "seconds": round(result.seconds, 3),
        "metrics": {key: round(value, 6) for key, value in result.metrics.items()},
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
