"""Write the tables in README and docs from the files with the measurements. `make results` runs this.

The metrics of presets come from their metrics.json, the speed from benchmarks/results/*.json.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import h5py

from zoo.common.core import registry
from zoo.common.core.metrics import compare
from zoo.common.core.precision import PRECISIONS, runtime_name
from zoo.common.presets import store
from zoo.common.presets.measurements import BASELINE, read_metrics
from zoo.common.utils.files import write_text
from zoo.vision_language.captioning.task import Captioning

REPOSITORY = Path(__file__).resolve().parents[1]
# Number of metrics of a preset in the table. CARD.md has all metrics.
SHOWN = 3
# The presets in README, with the kind of each.
SELECTED = {
    "language/attention-multi30k-en-de": "translation",
    "language/bilstm-sst2": "sentiment",
    "language/mingru-small-ptb": "language model",
    "speech/bilstm-ctc-an4": "speech recognition",
    "speech/crnn-right-whale": "animal calls",
    "timeseries/gru-laser": "time series",
    "vision_language/blstm-ctc-gw-online": "handwriting",
    "vision_language/lrcn-rsicd": "image captions",
}
# The metrics in the table of captioners. A dash marks a metric that was not measured.
CAPTION_METRICS = ("bleu4", "bleu3", "bleu2", "bleu1", "rouge_l", "cider", "copy_rate")
BENCHMARKS = REPOSITORY / "benchmarks" / "results"
# The recognizer whose speed docs/speed.md states.
RECOGNIZER = "speech/bilstm-ctc-an4"


def shipped() -> Iterator[tuple[registry.Entry, Path, dict[str, Any]]]:
    """Yield (entry, folder, contents of metrics.json) of each shipped preset."""
    for path in sorted(store.ROOT.glob(f"*/*/{store.RECIPE_FILE}")):
        name = str(path.parent.relative_to(store.ROOT))
        yield registry.entry(name), path.parent, read_metrics(path.parent)


def table() -> str:
    """Return a table with one row per shipped preset and one number per cell, which can be sorted."""
    head = ["preset", "metric", "test", "interval", "published", "parameters", "MB", "ONNX, ms"]
    head += ["LiteRT, ms", "training, min"]
    rows = []
    for entry, folder, metrics in shipped():
        test, metric = metrics["figures"][entry.corpus.test_split], entry.metric
        cells = [
            f"`{entry.name}`",
            metric,
            f"{test['metrics'][metric]:.4f}",
            _interval(test, metric) or "-",
            _reference(entry),
            f"{_parameters(folder / entry.recipe().model.file):,}",
            _megabytes(entry, folder),
            _milliseconds(entry.name, "onnx"),
            _milliseconds(entry.name, "litert"),
            _minutes(metrics["training"]),
        ]
        rows.append(cells)
    return markdown(head, rows)


def details() -> str:
    """Return a table with the metrics, baselines and commands of each shipped preset."""
    head = ["preset", "corpus", "test", "baseline", "dev", "command"]
    rows = []
    for entry, _, metrics in shipped():
        figures = metrics["figures"]
        test = figures[entry.corpus.test_split]
        cells = [
            f"`{entry.name}`",
            entry.corpus.title.partition(":")[0],
            _cell(test) + _new_voices(entry.name),
            _baseline(metrics.get(BASELINE)),
            _cell(figures["dev"]) if "dev" in figures else "",
            f"`{test['command'].removesuffix(' --split ' + entry.corpus.test_split)}`",
        ]
        rows.append(cells)
    return markdown(head, rows)


def selected() -> str:
    """Return a table with a preset of each kind, for README."""
    rows = []
    for entry, folder, metrics in shipped():
        if entry.name not in SELECTED:
            continue
        test, metric = metrics["figures"][entry.corpus.test_split], entry.metric
        reference = entry.published
        interval = _interval(test, metric)
        rows.append(
            [
                SELECTED[entry.name],
                f"`{entry.name}`",
                f"{metric} {test['metrics'][metric]:.4g} {interval}".rstrip(),
                f"{reference.value:g}, {reference.source}" if reference else "-",
                f"{_megabytes(entry, folder)} MB",
                _milliseconds(entry.name, "onnx"),
            ]
        )
    return markdown(["kind", "preset", "test", "published", "size", "ms"], rows)


def _reference(entry: registry.Entry) -> str:
    """Return the published figure, with its metric if that is not the one of the preset."""
    reference = entry.published
    if reference is None:
        return "-"
    other = "" if reference.metric == entry.metric else f" ({reference.metric})"
    return f"{reference.value:g}{other}"


def _parameters(path: Path) -> int:
    """Return the number of weights in a model.keras, which is read without Keras."""
    sizes: list[int] = []

    def add(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(item.size)

    with zipfile.ZipFile(path) as archive:
        weights = io.BytesIO(archive.read("model.weights.h5"))
    with h5py.File(weights) as file:
        file.visititems(add)
    return sum(sizes)


def _megabytes(entry: registry.Entry, folder: Path) -> str:
    return _short((folder / entry.recipe().model.file).stat().st_size / 1e6)


def _short(value: float) -> str:
    """Return a number with one digit after the decimal point, or two significant ones if below 1."""
    return f"{value:.1f}" if value >= 1 else f"{value:#.2g}"


def _milliseconds(name: str, runtime: str) -> str:
    """Return the processor time of one call of an exported preset, if measured."""
    found = (r["exports"] for r in measured("export_precisions") if r["preset"] == name)
    time = next(found, {}).get(runtime, {}).get("milliseconds")
    return "-" if time is None else _short(time)


def _minutes(training: dict[str, Any]) -> str:
    """Return the minutes of a training and of those from which it started, if recorded."""
    runs = [training, *training.get("earlier", ())]
    minutes = [run["history"]["minutes"] for run in runs if "minutes" in run.get("history", {})]
    return f"{sum(minutes):.1f}" if minutes else "-"


def _new_voices(name: str) -> str:
    """Return the mean accuracy of a recipe for speakers who are not in its training, if measured."""
    of = measured("held_out_speakers").get(name)
    return f"; new voices {of['mean']:.4f}" if of else ""


def _cell(row: dict[str, Any]) -> str:
    """Return the first metrics of a split, the interval of the first, and the number of examples."""
    shown = list(row["metrics"].items())[:SHOWN]
    texts = [f"{key} {value:.4f}" for key, value in shown]
    texts[0] += f" {_interval(row, shown[0][0])}".rstrip()
    return f"{', '.join(texts)} ({row['examples']})"


def _interval(row: dict[str, Any], metric: str) -> str:
    """Return the 95 % interval of a metric; empty if it has none."""
    ends = row.get("intervals", {}).get(metric)
    if not ends:
        return ""
    low, high = (f"{end:.{_digits(end)}f}" for end in ends)
    return f"[{low}, {high}]"


def _digits(value: float) -> int:
    return 1 if abs(value) >= 10 else 3


def _baseline(baseline: dict[str, Any] | None) -> str:
    """Return the metric of a baseline, and whether the preset is better."""
    if baseline is None:
        return "-"
    name = re.split(r" \(| on | of ", baseline["name"])[0]
    value = baseline["metrics"][baseline["metric"]]
    return f"{name}: {baseline['metric']} {value:.4f}; the preset is {baseline['compared']}"


def published() -> str:
    """Return a table of published figures and those of the presets."""
    head = ["preset", "metric", "published", "source", "here", "difference"]
    rows = []
    for entry, _, metrics in shipped():
        reference, row = entry.published, metrics["figures"][entry.corpus.test_split]
        if reference is None:
            continue
        metric, value = reference.metric, row["metrics"][reference.metric]
        low, high = row.get("intervals", {}).get(metric, (value, value))
        found = compare(metric, low - reference.value, high - reference.value)
        digits = _digits(value)
        rows.append(
            [
                f"`{entry.name}`",
                metric,
                f"{reference.value:g}",
                reference.source,
                f"{value:.{digits}f} {_interval(row, metric)}".rstrip(),
                f"{value - reference.value:+.{digits}f}, {found}",
            ]
        )
    return markdown(head, rows)


def captioners() -> str:
    """Return a table of the shipped captioners with their test metrics, the best BLEU-4 first."""
    rows = []
    for name in store.names():
        folder = store.ROOT / name
        if not isinstance(registry.entry(name).recipe().task, Captioning) or not folder.is_dir():
            continue
        metrics = read_metrics(folder)
        test = metrics["figures"]["test"]["metrics"]
        cells = [f"{test[key]:.4f}" if key in test else "-" for key in CAPTION_METRICS]
        minutes = f"{metrics['training']['history']['minutes']:.0f}"
        rows.append((test["bleu4"], [f"`{name}`", *cells, minutes]))
    head = ["preset", *CAPTION_METRICS, "minutes of training"]
    lines = [head, ["---"] * len(head), *(row for _, row in sorted(rows, reverse=True))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# Speed


def measured(benchmark: str) -> Any:
    """Return the results of a benchmark."""
    return json.loads((BENCHMARKS / f"{benchmark}.json").read_text("utf-8"))["results"]


def markdown(head: list[str], rows: list[list[Any]]) -> str:
    """Return a Markdown table. Floats have two digits after the decimal point."""
    lines = [head, ["---"] * len(head), *([_plain(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _plain(cell: Any) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def training_step() -> str:
    """Return a table of the time of a training step in milliseconds, by model, library and threads."""
    names = {
        "zoo": "the zoo",
        "zoo, bfloat16": "the zoo, bfloat16",
        "keras": "stock Keras",
        "pytorch": "PyTorch",
        "pytorch, padded": "PyTorch, padded",
    }
    rows = [
        [r["step"], r["threads"]]
        + [round(r["milliseconds"][name]) if name in r["milliseconds"] else "" for name in names]
        for r in measured("training_step")
    ]
    return markdown(["model", "threads", *names.values()], rows)


def speed() -> str:
    """Return the speed of the recognizer in each runtime, and of the layers in other libraries."""
    (times,) = (
        r["milliseconds"]
        for r in measured("export")
        if r["preset"] == RECOGNIZER and next(iter(r["shapes"].values()))[0] == 1
    )
    cases = [r for r in measured("recurrent") if r["what"] == "training"]

    def mean(name: str, threads: int) -> float:
        return geometric_mean([r["ratio"][name] for r in cases if r["threads"] == threads])

    return (
        f"The recognizer processes one recording in {times['onnx']:.1f} ms with ONNX Runtime, "
        f"{times['litert']:.1f} ms with LiteRT, {times['zoo']:.1f} ms with the zoo's layers,\nand with "
        f"stock Keras in {times['tf.function']:.1f} ms (`tf.function`) or {times['predict']:.0f} ms "
        "(`predict`); see [exports](exports.md) for more presets. A training step\nof one "
        f"recurrent layer takes {mean('keras', 1):.1f} and {mean('keras', 2):.1f} times as long in "
        f"stock Keras as in the zoo (one thread, two), and {mean('pytorch', 1):.1f} and "
        f"{mean('pytorch', 2):.1f} times as long\nin PyTorch. These are means over LSTM and GRU, six "
        "shapes, and padded and unpadded rows.\n"
    )


def exports() -> str:
    """Return a table of the time of a call of each graph in each runtime, in milliseconds."""
    names = ["onnx", "litert", "zoo", "tf.function", "predict"]
    head = ["preset", "graph", "batch", "ONNX Runtime", "LiteRT", *names[2:], "tf.function / ONNX"]
    rows = [
        [r["preset"].partition("/")[2], r["graph"], next(iter(r["shapes"].values()))[0]]
        + [r["milliseconds"][name] for name in names]
        + [r["ratio"]["tf.function"]]
        for r in measured("export")
    ]
    return markdown(head, rows)


def export_precisions(formats: dict[str, str]) -> str:
    """Return a table of the size, metric and processor time of exports in each precision.

    A dash marks an export that was removed or that the model does not have.

    Args:
        formats: titles of the formats by name.
    """

    def cells(exports: dict[str, Any], format_: str, show: Callable[[dict[str, Any]], str]) -> str:
        found = [exports[runtime_name(format_, precision)] for precision in PRECISIONS]
        return " / ".join("-" if "error" in each else show(each) for each in found)

    def figure(export: dict[str, Any]) -> str:
        return "same" if export["figure"] is None else f"{export['figure']:.4f}"

    rows = []
    for r in measured("export_precisions"):
        if all("error" in export for export in r["exports"].values()):
            continue
        for format_, title in formats.items():
            shown = r["keras_figure"]
            metric = "" if shown is None else f"{r['metric']} {shown:.4f} ({r['examples']})"
            row = [r["preset"].partition("/")[2], title, metric]
            for show in (
                lambda each: f"{each['bytes'] / 1e6:.2f}",
                figure,
                lambda each: f"{each['milliseconds']:.2f}",
            ):
                row.append(cells(r["exports"], format_, show))
            rows.append(row)
    head = ["preset", "format", "Keras on dev (examples)", "MB", "metric", "processor ms"]
    return markdown(head, rows)


def missing_exports() -> str:
    """Return a table of the exports that do not exist or were not measured, with the reasons."""
    rows = []
    results = {r["preset"]: r for r in measured("export_precisions")}
    for name in store.names():
        if name not in results:
            rows.append([name.partition("/")[2], "all", "not measured"])
            continue
        r = results[name]
        reasons: dict[str, list[str]] = {}
        for runtime, export in r["exports"].items():
            if "error" in export:
                reasons.setdefault(export["error"], []).append(runtime)
        for reason, runtimes in reasons.items():
            names = "all" if len(runtimes) == len(r["exports"]) else ", ".join(runtimes)
            rows.append([name.partition("/")[2], names, reason])
    return markdown(["preset", "export", "reason"], rows)


def recurrent_cases() -> str:
    """Return all cases of the benchmark of recurrent layers as CSV, in milliseconds."""
    text, names = io.StringIO(), ("zoo", "keras", "pytorch")
    axes = ["batch", "steps", "inputs", "units"]
    writer = csv.writer(text, lineterminator="\n")
    ways = [f"{name}_ms" for name in ("floor", *names)] + [f"{name}_ratio" for name in names[1:]]
    writer.writerow(["cell", *axes, "lengths", "what", "threads", *ways])
    for r in measured("recurrent"):
        times = [r["floor_ms"], *(r["milliseconds"][name] for name in names)]
        ratios = [r["ratio"][name] for name in names[1:]]
        numbers = [f"{number:.3f}" for number in [*times, *ratios]]
        writer.writerow([r["cell"], *r["shape"], r["lengths"], r["what"], r["threads"], *numbers])
    return text.getvalue()


# The function that writes the block between two marks, by file and name of the marks.
README, DOCS = REPOSITORY / "README.md", REPOSITORY / "docs"
BLOCKS = {
    (README, "selected presets"): selected,
    (DOCS / "presets.md", "presets"): table,
    (DOCS / "presets.md", "metrics of presets"): details,
    (DOCS / "presets.md", "published"): published,
    (DOCS / "speed.md", "training step"): training_step,
    (DOCS / "speed.md", "speed"): speed,
    (DOCS / "captioning.md", "captioners"): captioners,
    (DOCS / "exports.md", "exports"): exports,
    (DOCS / "exports.md", "precisions"): partial(
        export_precisions, {"onnx": "ONNX", "litert": "LiteRT"}
    ),
    (DOCS / "exports.md", "missing exports"): missing_exports,
}
FILES = {BENCHMARKS / "recurrent.csv": recurrent_cases}


def marks(name: str) -> tuple[str, str]:
    """Return the lines before and after a block."""
    return f"<!-- {name}: written by tools/results.py -->\n", f"<!-- /{name} -->"


def main() -> None:
    """Replace the blocks between the marks, and write the files."""
    for (path, name), make in BLOCKS.items():
        begin, end = marks(name)
        before, _, rest = path.read_text(encoding="utf-8").partition(begin)
        write_text(path, before + begin + make() + end + rest.partition(end)[2])
    for path, make in FILES.items():
        write_text(path, make())


if __name__ == "__main__":
    main()
