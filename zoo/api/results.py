"""Results of the Python API: frozen objects with a short text, and a table or picture in notebooks."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from zoo.api.display import (
    figures,
    html_picture,
    html_table,
    plain,
    plural,
    read_pictures,
    short,
    to_pandas,
)
from zoo.common.presets.corpus_record import SAME
from zoo.common.presets.runs import CURVES_FILE


class Result:
    """Base class of results."""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types, as the command line prints it with `--json`."""
        raise NotImplementedError

    def lines(self) -> list[str]:
        """Return the lines of the short text."""
        raise NotImplementedError

    def table(self) -> list[dict[str, Any]]:
        """Return the rows of the result; empty if it is not a table."""
        return []

    def pictures(self) -> list[bytes]:
        """Return the pictures of the result, as PNG."""
        return []

    def to_pandas(self) -> Any:
        """Return the rows as a `pandas.DataFrame`.

        Raises:
            ZooError: pandas is not installed.
        """
        return to_pandas(self.table())

    def __repr__(self) -> str:
        return "\n".join(map(short, self.lines()))

    def _repr_html_(self) -> str:
        return "".join([self._html_text(), *map(html_picture, self.pictures())])

    def _html_text(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>{html_table(self.table())}"

    def _ipython_display_(self) -> None:
        """Display the text and the table, then each picture as PNG.

        Viewers of stored notebooks, such as GitHub's, remove pictures that are inside HTML.
        """
        from IPython.display import Image, display

        display({"text/plain": repr(self), "text/html": self._html_text()}, raw=True)
        for picture in self.pictures():
            display(Image(picture))


@dataclass(frozen=True, repr=False)
class TrainResult(Result):
    """Result of `zoo.train`.

    Args:
        run: the run folder.
        recipe: name of the recipe.
        history: the row of each epoch: losses and metrics by name.
        best: the row of the best epoch.
        baseline: a simple model that was fitted first: its `name`, the `value` of a `metric` on dev, its
            95 % `interval`, and `compared`: whether the best epoch is "better", "equal" or "worse".
            Empty if none was fitted.
    """

    run: Path
    recipe: str
    history: list[dict[str, float]]
    best: dict[str, float]
    baseline: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "run": str(self.run),
            "recipe": self.recipe,
            "epochs": len(self.history),
            "best": self.best,
        }
        return value | ({"baseline": self.baseline} if self.baseline else {})

    def lines(self) -> list[str]:
        best = "  ".join(f"{key} {value:.4g}" for key, value in self.best.items())
        epochs = plural(len(self.history), "epoch")
        return [f"{self.recipe}, {epochs}", f"best: {best}", f"run: {self.run}"]

    def table(self) -> list[dict[str, Any]]:
        return self.history

    def pictures(self) -> list[bytes]:
        return read_pictures([self.run / CURVES_FILE])


@dataclass(frozen=True, repr=False)
class FetchResult(Result):
    """Result of `zoo.fetch`.

    Args:
        corpora: for each corpus its `name`, its `folder`, and its `parts`: the `title` of a part, the
            number of examples of its `splits`, and the `presets` that were trained on it, each with
            "same", or how its training data differed.
        errors: the error of each corpus that could not be fetched while another one could.
    """

    corpora: list[dict[str, Any]]
    errors: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"corpora": self.corpora, "errors": self.errors}

    def lines(self) -> list[str]:
        lines = []
        for corpus in self.corpora:
            lines.append(f"{corpus['name']}: {corpus['folder']}")
            for part in corpus["parts"]:
                sizes = ", ".join(f"{count} {split}" for split, count in part["splits"].items())
                lines.append(f"  {part['title']}. Examples: {sizes}")
                for preset, answer in part["presets"].items():
                    data = "the same examples" if answer == SAME else answer
                    lines.append(f"    {preset} was trained and evaluated on {data}")
        return lines

    def table(self) -> list[dict[str, Any]]:
        return [
            {"corpus": corpus["name"], "part": part["title"], **part["splits"]}
            for corpus in self.corpora
            for part in corpus["parts"]
        ]


@dataclass(frozen=True, repr=False)
class UploadResult(Result):
    """Result of `zoo.publish` with `to`.

    Args:
        address: address of the preset, such as "hf://owner/name".
        commit: address of the commit.
        files: names of the files.
    """

    address: str
    commit: str
    files: list[str]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def lines(self) -> list[str]:
        return [f"{self.address}: {', '.join(self.files)}", f"commit: {self.commit}"]


@dataclass(frozen=True, repr=False)
class IndexResult(Result):
    """Result of `zoo publish --index`.

    Args:
        folder: folder of the index.
        presets: version, file, size and SHA-256 of each preset by name.
    """

    folder: Path
    presets: dict[str, dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        return {"folder": str(self.folder), "presets": self.presets}

    def lines(self) -> list[str]:
        size = sum(row["size"] for row in self.presets.values()) / 1e6
        return [f"{self.folder}: {len(self.presets)} presets, {size:.1f} MB"]

    def table(self) -> list[dict[str, Any]]:
        return [{"name": name, **row} for name, row in self.presets.items()]


@dataclass(frozen=True, repr=False)
class EvaluateResult(Result):
    """Result of `zoo.evaluate` and `zoo.publish`.

    Args:
        preset: name of the preset.
        corpus: name of the corpus, or the manifest.
        split: name of the split.
        examples: number of examples.
        seconds: wall time of the evaluation.
        metrics: values by name; rates are fractions.
        from_training: whether the preset was trained on some of the examples.
        plots: paths of the plots.
        rows: one dict per example: its id, reference, output and own metrics.
        report: lines of text.
    """

    preset: str
    corpus: str
    split: str
    examples: int
    seconds: float
    metrics: dict[str, float]
    from_training: bool = False
    plots: list[Path] | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    report: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "preset": self.preset,
            "corpus": self.corpus,
            "split": self.split,
            "examples": self.examples,
            "seconds": self.seconds,
            "metrics": self.metrics,
        }
        if self.from_training:
            value["from_training"] = True
        if self.plots is not None:
            value["plots"] = [str(path) for path in self.plots]
        return value

    def lines(self) -> list[str]:
        where = "training data of " if self.from_training else ""
        return [
            f"{self.preset} on {where}{self.corpus}, {self.split}",
            figures(self.metrics),
            f"{self.examples} examples, {self.seconds:.1f} s",
        ]

    def table(self) -> list[dict[str, Any]]:
        return self.rows

    def pictures(self) -> list[bytes]:
        return read_pictures(self.plots or [])


@dataclass(frozen=True, repr=False)
class BaselineResult(Result):
    """Result of `zoo.baseline`.

    Args:
        recipe: name of the recipe.
        baseline: name of the simple model, with the settings that are best on dev.
        corpus: name of the corpus, or the manifest.
        split: name of the evaluated split.
        examples: number of examples.
        metrics: values by name, computed as for the recipe; rates are fractions.
        intervals: the 95 % interval [low, high] of metrics, by name.
        dev: the metrics on the dev split.
        fit_seconds: time to compute the features and to fit the model.
        answer_ms: milliseconds per example, including the time to read it.
        seed: seed of the model and of the intervals.
        candidates: one row per model that was compared on dev.
        rows: one dict per example: its id, reference, output and own metrics.
    """

    recipe: str
    baseline: str
    corpus: str
    split: str
    examples: int
    metrics: dict[str, float]
    intervals: dict[str, list[float]]
    dev: dict[str, float]
    fit_seconds: float
    answer_ms: float
    seed: int
    candidates: list[dict[str, Any]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {key: value for key, value in asdict(self).items() if key != "rows"}

    def lines(self) -> list[str]:
        intervals = [
            f"{name} {low:.4f} to {high:.4f}" for name, (low, high) in self.intervals.items()
        ]
        return [
            f"{self.recipe} on {self.corpus}, {self.split}",
            f"{self.baseline}, the best of {len(self.candidates)} on dev",
            figures(self.metrics),
            *([f"95 % interval: {', '.join(intervals)}"] if intervals else []),
            f"{self.examples} examples, fitted in {self.fit_seconds:.1f} s, "
            f"{self.answer_ms:.2g} ms per example",
        ]

    def table(self) -> list[dict[str, Any]]:
        return self.candidates


@dataclass(frozen=True, repr=False)
class Plot(Result):
    """Result of `zoo.plot`: a picture, which notebooks display.

    Args:
        preset: name of the preset.
        input: name of the input.
        path: the PNG file; None if none was written.
        png: content of the picture.
    """

    preset: str
    input: str
    path: Path | None
    png: bytes

    def to_dict(self) -> dict[str, Any]:
        plot = None if self.path is None else str(self.path)
        return {"preset": self.preset, "input": self.input, "plot": plot}

    def lines(self) -> list[str]:
        place = "not written to a file" if self.path is None else str(self.path)
        return [f"{self.preset}: plot of {self.input}", place]

    def pictures(self) -> list[bytes]:
        return [self.png]

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True, repr=False)
class ExportResult(Result):
    """Result of `zoo.export`.

    Args:
        preset: name of the preset.
        files: one row per file: format, path, size and comparison with the Keras model.
        errors: one line per format that failed while another was written.
    """

    preset: str
    files: list[dict[str, Any]]
    errors: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        errors = {"errors": self.errors} if self.errors else {}
        return {"preset": self.preset, "files": self.files, **errors}

    def lines(self) -> list[str]:
        files = [", ".join(f"{key} {plain(row[key])}" for key in row) for row in self.files]
        errors = [f"error: {error}" for error in self.errors]
        return [f"{self.preset}: {plural(len(self.files), 'file')}", *files, *errors]

    def table(self) -> list[dict[str, Any]]:
        return self.files
