"""CARD.md of presets, written from the registry, recipe.json and metrics.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.axes import known_axes, name_axes
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import BETTER, EQUAL, WORSE
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.lineage import EARLIER, schedule
from zoo.common.presets.measurements import (
    BASELINE,
    ROBUSTNESS,
    TEST_READINGS,
    read_metrics,
)
from zoo.common.utils.files import write_text

COMPARED = {BETTER: "Better than", EQUAL: "Equal to", WORSE: "Worse than"}
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


def write_card(folder: Path) -> None:
    """Write CARD.md of a preset from the registry, recipe.json and metrics.json."""
    recipe = store.load_recipe(folder)
    entry = registry.entry(recipe.name)
    metrics = read_metrics(folder)
    measured = metrics.get("figures", {}).values()
    if not measured or not all(entry.metric in row["metrics"] for row in measured):
        raise ZooError(f"{folder / store.METRICS_FILE} is corrupt: {entry.metric} is not in it.")
    paragraphs = (" ".join(part.split("\n")) for part in entry.description.split("\n\n"))
    warning, comparison = _comparison(metrics, entry.metric)
    lines = [
        f"# {entry.name}",
        warning,
        entry.summary,
        *paragraphs,
        "## Use",
        _use(entry.name, recipe),
        "## Figures",
        _figures(metrics["figures"], recipe.data.counted[1]),
        _intervals(metrics["figures"]),
        comparison,
        _robustness(metrics),
        _reading(metrics, entry.metric),
        "## Training",
        _training(metrics["training"], recipe, corpus_argument(metrics["figures"], entry.name)),
        "## Model, corpus, licence",
        _properties(folder, recipe, entry),
    ]
    write_text(folder / store.CARD_FILE, "\n\n".join(line for line in lines if line) + "\n")


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


def _intervals(figures: dict[str, Any]) -> str:
    """Return the 95 % intervals of the evaluations that have them."""
    parts = [
        f"{name} on {split} {low:.4f} to {high:.4f}"
        for split, row in figures.items()
        for name, (low, high) in row.get("intervals", {}).items()
    ]
    return f"95 % intervals (bootstrap over the examples): {', '.join(parts)}." if parts else ""


def _comparison(metrics: dict[str, Any], metric: str) -> tuple[str, str]:
    """Return the comparison with the baseline: (the warning that begins the card, other text).

    One of them is empty.
    """
    baseline = metrics.get(BASELINE)
    if baseline is None:
        return "", ""
    split = baseline["split"]
    value, other = metrics["figures"][split]["metrics"][metric], baseline["metrics"][metric]
    ends = baseline["difference"]
    interval = (
        f"; 95 % interval of the difference: {ends[0]:+.4f} to {ends[1]:+.4f}" if ends else ""
    )
    text = (
        f"{COMPARED[baseline['compared']]} a simple baseline, {baseline['name']}, fitted on the same "
        f"examples in {baseline['fit_seconds']:.1f} s: {metric} on {split} {value:.4f}, baseline "
        f"{other:.4f}{interval} (`{baseline['command']}`)."
    )
    return (f"**{text}**", "") if baseline["compared"] == WORSE else ("", text)


def _robustness(metrics: dict[str, Any]) -> str:
    """Return the figures of the changes of inputs that harm the answers most."""
    measured = metrics.get(ROBUSTNESS)
    if measured is None:
        return ""
    metric, worst = measured["metric"], measured["worst"].items()
    changes = "; ".join(f"{name}: {value:.4f}" for name, value in worst)
    return (
        f"On {measured['examples']} inputs of dev, {metric} is {measured['as_is']:.4f} as they are. The "
        f"changes that harm most (docs/robustness.md): {changes}."
    )


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


def corpus_argument(figures: dict[str, Any], name: str) -> str:
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
    opened = (
        f"`{file}` has layers that Keras does not have: `import zoo.layers` before "
        "`keras.saving.load_model`."
        if contents.needs_zoo
        else f"`keras.saving.load_model` opens `{file}` without the zoo."
    )
    return "\n".join(
        [
            *lines,
            f"- Inputs of `{file}`: {_tensors(contents.inputs, recipe)}. Outputs: "
            f"{_tensors(contents.outputs, recipe)}.",
            f"- Parameters: {contents.parameters:,}.",
            f"{size} Weights are float16 on disk and float32 when loaded. {opened}",
            f"- Exports: `zoo export {entry.name} --to savedmodel,litert,onnx,tensorrt`. Each file is "
            "compared with the Keras model. TensorRT engines are built but not run.",
        ]
    )
