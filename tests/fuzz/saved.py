"""Kinds of files that the zoo writes and reads: presets, exports and run folders."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import zoo
from tests.fuzz.kinds import Kind
from zoo.common.core.recipe import Recipe
from zoo.common.presets import card, measurements, runs, store
from zoo.common.runtime import open_graphs
from zoo.common.runtime.preset import load_preset
from zoo.language.modelling.data import SAMPLE as TEXT
from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE

EXPORTS = ("onnx", "litert", "savedmodel")


@functools.cache
def _runs() -> dict[str, Path]:
    """Return the run folders of two models, which are trained once."""
    folder = Path(tempfile.mkdtemp(prefix="zoo-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return make_runs(folder)


def _copy(run: str, folder: Path) -> None:
    """Copy a run into a folder, with a second copy of its state that is not damaged."""
    shutil.copytree(_runs()[run], folder, dirs_exist_ok=True)
    shutil.copy(folder / runs.STATE_FILE, _whole_state(folder))


_series, _text = functools.partial(_copy, "series"), functools.partial(_copy, "text")


def make_runs(folder: Path) -> dict[str, Path]:
    """Train and export a model of a series, train a model of a text, and return their run folders."""
    corpus = folder / "laser"
    corpus.mkdir()
    lines = [f"{value:g}\n" for value in read_values(SAMPLE)]
    (corpus / "santafe_A_train.txt").write_text("".join(lines[:150]))
    (corpus / "santafe_A_cont.txt").write_text("".join(lines[150:200]))
    small = {"training.epochs": 1, "model.hidden_size": 4, "training.batch_size": 8}
    series, text = folder / "series", folder / "text"
    context = {"model.context": 8}
    zoo.train("timeseries/lstm-laser", data=corpus, out=series, overrides=small | context)
    zoo.export(series, EXPORTS)
    runs.write_json(series / store.METRICS_FILE, _metrics(series))
    book = folder / "book.txt"
    book.write_text(TEXT.read_text()[:4000])
    zoo.train("language/lstm-small-ptb", manifest=book, out=text, overrides=small)
    return {"series": series, "text": text}


def _metrics(run: Path) -> dict[str, Any]:
    """Return the metrics of a preset."""
    history = {"epochs": 1, "best_epoch": 1, "minutes": 0.1}
    row = {"corpus": "timeseries", "examples": 50, "seconds": 0.1, "metrics": {"nmse": 0.5}}
    row |= {"command": "zoo evaluate a", "commit": None, "date": "2026-01-01"}
    reading = {"date": "2026-01-01", "metrics": {"nmse": 0.5}}
    training = {"examples": {"train": 100, "dev": 50}, "init": None, "history": history}
    return {
        "training": training,
        "figures": {"dev": row},
        measurements.TEST_READINGS: [reading] * 2,
    }


def _weights(folder: Path) -> list[np.ndarray]:
    return [np.array(weight) for weight in load_preset(folder).model.weights]


def _recipe(folder: Path) -> Recipe:
    return store.load_recipe(folder)


def _model(folder: Path) -> None:
    """Check that the recipe and its assets fit the model."""
    load_preset(folder)


def _card(folder: Path) -> None:
    card.write_card(folder)


def _state(folder: Path) -> tuple[Any, list[np.ndarray]]:
    """Return the history and the variables of a resumed run."""
    with np.load(_whole_state(folder)) as file:
        shapes = [file[name].shape for name in file.files if name.startswith("v")]
    variables = [np.zeros(shape) for shape in shapes]
    return runs.read_state(folder, variables)


def _whole_state(folder: Path) -> Path:
    """Return the path of the undamaged state, which has the shapes of the variables."""
    return folder / f"{runs.STATE_FILE}.whole"


def _history(folder: Path) -> Any:
    return runs.read_history(folder)


def _table(folder: Path) -> Any:
    (folder / runs.STATE_FILE).unlink(missing_ok=True)
    return runs.read_history(folder)


def _record(folder: Path) -> None:
    record = {"recipe": store.load_recipe(folder).to_dict()}
    runs.check_same_run(folder, record)


def _answers(format_: str) -> Callable[[Path], dict[str, np.ndarray]]:
    def read(folder: Path) -> dict[str, np.ndarray]:
        graphs = open_graphs(format_, folder)
        return graphs["model"](series=np.linspace(50, 150, 8, dtype=np.float32)[np.newaxis])

    return read


KINDS = (
    Kind("preset: model", _series, "model.keras", _weights, detectable=True),
    Kind("preset: recipe", _series, "recipe.json", _model),
    Kind("preset: vocabulary", _text, "vocabulary.txt", _model),
    Kind("preset: intervals", _series, "intervals.json", _model),
    Kind("preset: figures", _series, "metrics.json", _card),
    Kind("run: state", _series, "last.npz", _state, detectable=True),
    Kind("run: history in the state", _series, "last.npz", _history, detectable=True),
    Kind("run: table", _series, "metrics.csv", _table),
    Kind("run: record", _series, "run.json", _record),
    Kind("export: onnx", _series, "onnx/*", _answers("onnx"), detectable=True),
    Kind("export: litert", _series, "litert/*", _answers("litert"), detectable=True),
    Kind("export: savedmodel", _series, "1/**/*", _answers("savedmodel"), detectable=True),
)
