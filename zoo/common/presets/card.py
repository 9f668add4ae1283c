"""Metadata of presets: metrics.json, the metrics with their origin, and CARD.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.axes import known_axes, name_axes
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.lineage import EARLIER, schedule
from zoo.common.presets.provenance import provenance
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.files import write_text

# Key of metrics.json: every evaluation on test of this preset and of earlier ones of its name.
TEST_READINGS = "test_readings"
RATES = {
    "wer",
    "cer",
    "per",
    "accuracy",
    "frame_accuracy",
    "first_frame_accuracy",
    "copy_rate",
    "unique_ratio",
}


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return the contents of metrics.json of a preset; empty if there is no such file.

    Raises:
        ZooError: the file is corrupt.
    """
    path = folder / store.METRICS_FILE
    if not path.exists():
        return {}
    metrics = read_json(path)
    try:
        _check(metrics)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ZooError(f"{path} is corrupt: {reason}.") from None
    return metrics


def _check(metrics: Any) -> None:
    """Read all entries that a card needs, so that missing and invalid ones raise an exception here."""
    training = metrics["training"]
    for part in (training, *training.get(EARLIER, ())):
        for key in ("epochs", "minutes"):
            _number(part["history"][key])
        int(part["history"].get("best_epoch", 1))
    for earlier in training.get(EARLIER, ()):
        dict(earlier["settings"])
    for key in ("train", "dev"):
        _number(training["examples"][key])
    rows = list(metrics["figures"].values())
    names = {tuple(row["metrics"]) for row in rows}
    if len(names) > 1:
        raise ValueError("its splits have different metrics")
    for row in rows:
        _number(row["examples"])
        str(row["command"])
    for row in (*rows, *metrics[TEST_READINGS]):
        str(row["date"])
        if not row["metrics"]:
            raise ValueError("an evaluation has no metrics")
        for value in row["metrics"].values():
            _number(value)


def _number(value: Any) -> None:
    if not isinstance(value, int | float):
        raise TypeError(f"{str(value)[:80]!r} must be a number")


def begin_metrics(folder: Path, training: dict[str, Any], before: dict[str, Any]) -> None:
    """Write a metrics.json without evaluations.

    Args:
        folder: folder of a new preset.
        training: record of its run.
        before: metrics of the preset that it replaces, whose evaluations on test are kept.
    """
    readings = before.get(TEST_READINGS, [])
    metrics = {"training": training, "figures": {}, TEST_READINGS: readings}
    write_json(folder / store.METRICS_FILE, metrics)


def record_evaluation(folder: Path, evaluation: dict[str, Any], command: str) -> None:
    """Add an evaluation to a preset's metrics.json, with command, commit and date.

    Args:
        folder: folder of the preset.
        evaluation: JSON result of `zoo evaluate`.
        command: command that reproduces the metrics.
    """
    metrics, split = read_metrics(folder), evaluation["split"]
    figures = {key: evaluation[key] for key in ("corpus", "examples", "seconds", "metrics")}
    origin = {key: provenance()[key] for key in ("commit", "date")}
    metrics["figures"][split] = figures | {"command": command} | origin
    if split == _entry(folder).corpus.test_split:
        metrics[TEST_READINGS].append(origin | {"metrics": evaluation["metrics"]})
    write_json(folder / store.METRICS_FILE, metrics)


def write_card(folder: Path) -> None:
    """Write CARD.md of a preset from the registry, recipe.json and metrics.json."""
    recipe, entry = store.load_recipe(folder), _entry(folder)
    metrics = read_metrics(folder)
    measured = metrics.get("figures", {}).values()
    if not measured or not all(entry.metric in row["metrics"] for row in measured):
        raise ZooError(f"{folder / store.METRICS_FILE} is corrupt: {entry.metric} is not in it.")
    paragraphs = (" ".join(part.split("\n")) for part in entry.description.split("\n\n"))
    lines = [
        f"# {entry.name}",
        entry.summary,
        *paragraphs,
        "## Use",
        _use(entry.name, recipe),
        "## Figures",
        _figures(metrics["figures"], recipe.data.counted[1]),
        _reading(metrics, entry.metric),
        "## Training",
        _training(metrics["training"], recipe, _source(metrics["figures"], entry.name)),
        "## Model, corpus, licence",
        _properties(folder, recipe, entry),
    ]
    write_text(folder / store.CARD_FILE, "\n\n".join(line for line in lines if line) + "\n")


def _entry(folder: Path) -> registry.Entry:
    return registry.entry(store.load_recipe(folder).name)


def _use(name: str, recipe: Recipe) -> str:
    """Return the shortest program that gives an answer."""
    return (
        f'```python\nimport zoo\n\npreset = zoo.load("{name}")\n'
        f'for answer in preset.predict(["{recipe.data.input_example}"]):\n'
        '    print(answer["output"])\n```'
    )


def _figures(figures: dict[str, Any], counted: str) -> str:
    """Return a table with one row per split."""
    names = list(next(iter(figures.values()))["metrics"])
    rows = [["split", counted, *names, "command"], ["---"] * (len(names) + 3)]
    for split, row in figures.items():
        values = [f"{value:.4f}" for value in row["metrics"].values()]
        rows.append([split, str(row["examples"]), *values, f"`{row['command']}`"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _reading(metrics: dict[str, Any], metric: str) -> str:
    """Return the explanation of the metrics, and the number of evaluations on test."""
    names = {name for row in metrics["figures"].values() for name in row["metrics"]}
    sentences = ["Rates are fractions."] if names & RATES else []
    readings = metrics[TEST_READINGS]
    if len(readings) == 1:
        sentences.append("The test split was evaluated once.")
    elif readings:
        values = ", ".join(_first_figure(row, metric) for row in readings)
        sentences.append(
            f"The test split was evaluated {len(readings)} times for presets of this name; {metric}: "
            f"{values}."
        )
    sentences.append("No test example was used in training.")
    return " ".join(sentences)


def _first_figure(reading: dict[str, Any], metric: str) -> str:
    """Return the value of a metric, or of the first one if it is missing, with date and options."""
    name, value = next(iter(reading["metrics"].items()))
    shown = f"{name} {value:.4f}"
    if metric in reading["metrics"]:
        shown = f"{reading['metrics'][metric]:.4f}"
    return f"{shown} ({', '.join((reading['date'], *reading.get('options', [])))})"


def _source(figures: dict[str, Any], name: str) -> str:
    """Return the argument for the corpus in the commands, such as " --data corpora/an4"."""
    command = next(iter(figures.values()))["command"]
    return command.removeprefix(f"zoo evaluate {name}").partition(" --split ")[0]


def _training(training: dict[str, Any], recipe: Recipe, source: str = "") -> str:
    history, examples = training["history"], training["examples"]
    counted, _ = recipe.data.counted
    words = (
        f"`zoo train {recipe.name}{source}`: {history['epochs']} "
        f"{'epoch' if history['epochs'] == 1 else 'epochs'} over {examples['train']} {counted} "
        f"(dev: {examples['dev']}), {history['minutes']:.0f} minutes."
    )
    if history["epochs"] > 1:
        words += (
            f" The preset is the model after epoch {history['best_epoch']}, which had the best "
            f"{recipe.task.monitor} on dev."
        )
    if training.get("init"):
        words += f" Its initial weights are those of `{training['init']}`."
    for number, before in enumerate(training.get(EARLIER, ()), start=1):
        words += f" Earlier training {number}: {_schedule(before, recipe)}."
    return words


def _schedule(training: dict[str, Any], recipe: Recipe) -> str:
    """Describe an earlier training of the weights: its length, and its different settings."""
    history, now = training["history"], schedule(recipe)
    other = [
        f"`{key}={value}`" for key, value in training["settings"].items() if now.get(key) != value
    ]
    length = f"{history['epochs']} epochs, {history['minutes']:.0f} minutes"
    return f"{length}, {', '.join(other) or 'with the same settings'}"


def _tensors(tensors: Mapping[str, Any], recipe: Recipe) -> str:
    """Return names, dtypes and shapes as text."""
    known = known_axes(recipe.data, recipe.model)
    return ", ".join(
        f"`{name}` {tensor.dtype} [{', '.join(map(str, name_axes(name, tensor.shape, known)))}]"
        for name, tensor in tensors.items()
    )


def _properties(folder: Path, recipe: Recipe, entry: registry.Entry) -> str:
    corpus, file = entry.corpus, recipe.model.file
    size = f"- Size: {(folder / file).stat().st_size / 1e6:.1f} MB."
    lines = [
        f"- Paper: {entry.paper}",
        f"- Corpus: {corpus.title}, {corpus.source}. Licence: {corpus.licence}",
    ]
    contents = recipe.model.contents(folder / file)
    if contents is None:
        return "\n".join([*lines, size])
    return "\n".join(
        [
            *lines,
            f"- Inputs of `{file}`: {_tensors(contents.inputs, recipe)}. Outputs: "
            f"{_tensors(contents.outputs, recipe)}.",
            f"- Parameters: {contents.parameters:,}.",
            f"{size} Weights are float16 on disk and float32 when loaded. "
            f"`keras.saving.load_model` opens `{file}` without the zoo.",
            f"- Exports: `zoo export {entry.name} --to savedmodel,litert,onnx,tensorrt`. Each file is "
            "compared with the Keras model. TensorRT engines are built but not run.",
        ]
    )
