"""The shipped presets, with inputs of the kinds that they read."""

import functools

import numpy as np
import pandas
import pytest

import zoo
from tests.conftest import AN4
from zoo.common.presets import store
from zoo.timeseries.forecasting.data import SAMPLE
from zoo.vision_language.motion.skeleton_files import JOINTS

# Presets above this size are tested in the slow suite.
LARGE = 4e5
DIGITS = AN4.parent / "fsdd" / "recordings"
# Examples of each property. They are the same in every run.
EXAMPLES = 5

load = functools.cache(zoo.load)


def names(family: str = "") -> list:
    """Return the presets of a family as parameters of a test."""
    found = [name for name in store.names() if name.startswith(family)]
    return [
        pytest.param(name, marks=[pytest.mark.slow] if _size(name) > LARGE else [])
        for name in found
        if not name.endswith("vgg16")  # an encoder without a task
    ]


def _size(name: str) -> int:
    return sum(path.stat().st_size for path in store.find(name).glob("model.*"))


@functools.cache
def sources(name: str) -> list:
    """Return four inputs of a preset."""
    kind = type(load(name).recipe.data).__module__.removeprefix("zoo.").rpartition(".")[0]
    generator = np.random.default_rng(0)
    if kind == "speech.detection":
        return sorted(map(str, DIGITS.glob("*.flac")))[:4]
    if kind.startswith("speech"):
        return sorted(map(str, (AN4 / "test").rglob("*.flac")))[:4]
    if kind == "timeseries.forecasting":
        values = np.array([float(line) for line in SAMPLE.read_text().split()])
        days = pandas.date_range("2026-01-01", periods=len(values))
        return [pandas.Series(values, days)[:size] for size in (60, 90, 75, 120)]
    if kind == "timeseries.classification":
        return [generator.normal(0, 0.3, (size, 12)) for size in (9, 20, 14, 7)]
    if kind == "vision_language.captioning":
        return [generator.integers(0, 255, (64, 64 + 8 * i, 3), np.uint8) for i in range(4)]
    if kind == "vision_language.motion" and "joints" in load(name).model.input:
        return [generator.uniform(0.5, 1.5, (size, len(JOINTS), 3)) for size in (12, 30, 8, 21)]
    if kind == "vision_language.motion":
        return [generator.integers(0, 255, (size, 64, 64, 3), np.uint8) for size in (6, 9, 12, 7)]
    if kind == "vision_language.handwriting":
        return ["new"] * 4 if "mdn" in name else [_ink(generator, size) for size in (9, 20, 14, 7)]
    if name.endswith("charlstm-hello"):
        return ["h", "he", "lo", "ell"]
    return ["hello", "go", "seven", "eight" if "tagger" in name else "the film"]


def _ink(generator: np.random.Generator, size: int) -> np.ndarray:
    points = np.cumsum(generator.normal(0, 5, (size, 3)), axis=0)
    points[:, 2] = 0
    return points


@functools.cache
def graph_inputs(name: str, graph: str) -> dict[str, np.ndarray]:
    """Return the example inputs of a graph with the most rows."""
    recipe = load(name).recipe
    examples = recipe.data.example_inputs(recipe.model, recipe.decoder)[graph]
    return max(examples, key=lambda inputs: len(next(iter(inputs.values()))))
