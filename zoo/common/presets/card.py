"""CARD.md of presets, written from the registry, recipe.json and metrics.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.core.axes import known_axes, name_axes
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import failures, store
from zoo.common.presets.card_comparisons import (
    NOT_MEASURED,
    baseline,
    published,
    robustness,
    warning,
)
from zoo.common.presets.lineage import EARLIER, schedule
from zoo.common.presets.measurements import (
    FAILURES,
    SPEED,
    TEST_READINGS,
    read_metrics,
)
from zoo.common.utils.files import write_text

NOT_STATED = "Not stated."
LEFT_OUT = " The texts of the corpus are left out, because its licence restricts their use."
RUNTIMES = {"onnx": "ONNX Runtime", "litert": "LiteRT"}
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
    """Write CARD.md of a preset from the registry, recipe.json and metrics.json.

    Every card has the same sections in the same order. A section without measurements says so.
    """
    recipe = store.load_recipe(folder)
    entry = registry.entry(recipe.name)
    metrics = read_metrics(folder)
    figures = metrics.get("figures", {})
    if not figures or not all(entry.metric in row["metrics"] for row in figures.values()):
        raise ZooError(f"{folder / store.METRICS_FILE} is corrupt: {entry.metric} is not in it.")
    use, _, limits = entry.description.partition("\n\n")
    sections = {
        "Use": f"{_one_line(use)}\n\n{_use(entry.name, recipe)}".strip(),
        "Limits": "\n\n".join(map(_one_line, limits.split("\n\n"))) or NOT_STATED,
        "Failures": _failures(metrics),
        "Figures": "\n\n".join(
            [
                _figures(figures, recipe.data.counted[1]),
                _intervals(figures),
                _reading(metrics, entry.metric),
            ]
        ),
        "Baseline": baseline(metrics, entry.metric),
        "Published reference": published(entry, figures),
        "Robustness": robustness(metrics),
        "Speed and size": _speed_and_size(folder, recipe, metrics),
        "Training": _training(metrics["training"], recipe, corpus_argument(figures, entry.name)),
        "Corpus and licence": _corpus(entry),
    }
    parts = [f"# {entry.name}", warning(metrics, entry.metric), entry.summary]
    parts += [text for title, body in sections.items() for text in (f"## {title}", body)]
    write_text(folder / store.CARD_FILE, "\n\n".join(part for part in parts if part) + "\n")


def _one_line(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _use(name: str, recipe: Recipe) -> str:
    """Return the shortest program that gives an answer."""
    return (
        f'```python\nimport zoo\n\npreset = zoo.load("{name}")\n'
        f'for answer in preset.predict(["{recipe.data.input_example}"]):\n'
        '    print(answer["output"])\n```'
    )


def _failures(metrics: dict[str, Any]) -> str:
    """Return wrong answers on dev."""
    found = metrics.get(FAILURES)
    if found is None:
        return NOT_MEASURED
    if not found["rows"]:
        return f"No answer on dev is wrong (`{found['command']}`)."
    hidden = "" if failures.REFERENCE in found["rows"][0] else LEFT_OUT
    return (
        f"The answers on dev with the largest errors (`{found['command']} --rows answers.jsonl` writes "
        f"all answers).{hidden}\n\n{failures.show(found['rows'])}"
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
    return f"95 % intervals (bootstrap over the examples): {', '.join(parts) or 'not measured'}."


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
    processors = training.get("processors")
    hardware = f"{processors} CPU cores" if processors else "hardware: not measured"
    words = (
        f"`zoo train {recipe.name}{source}`: {history['epochs']} "
        f"{'epoch' if history['epochs'] == 1 else 'epochs'} over {examples['train']} {counted} "
        f"(dev: {examples['dev']}), {history['minutes']:.0f} minutes "
        f"({hardware})."
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


def _speed_and_size(folder: Path, recipe: Recipe, metrics: dict[str, Any]) -> str:
    file = recipe.model.file
    times = ", ".join(
        f"{RUNTIMES.get(name, name)} {value:.1f} ms"
        for name, value in metrics.get(SPEED, {}).items()
    )
    speed = "- Processor time of one call of each exported graph with one input, on one thread: "
    size = f"- Size: {(folder / file).stat().st_size / 1e6:.2f} MB."
    lines = [f"{speed}{times or 'not measured'}."]
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
            f"- Parameters: {contents.parameters:,}.",
            f"{size} Weights are float16 on disk and float32 when loaded. {opened}",
            f"- Inputs of `{file}`: {_tensors(contents.inputs, recipe)}. Outputs: "
            f"{_tensors(contents.outputs, recipe)}.",
            f"- Exports: `zoo export {recipe.name} --to savedmodel,litert,onnx,tensorrt`. Each file is "
            "compared with the Keras model. TensorRT engines are built but not run.",
        ]
    )


def _corpus(entry: registry.Entry) -> str:
    corpus = entry.corpus
    return (
        f"- Corpus: {corpus.title}, {corpus.source}. Licence: {corpus.licence}\n"
        f"- Paper: {entry.paper}"
    )
