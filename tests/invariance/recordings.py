"""Recordings and answers of the presets of speech, for the properties of this folder."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import jiwer
import numpy as np
import soundfile
from hypothesis import settings

import zoo
from zoo.speech.data import EXAMPLE_CLIPS

RATE = 16_000
# The fastest preset that processes whole recordings, without silence at their ends.
RECOGNIZER = "speech/tdnn-ctc-an4"
# A streaming preset, whose features have a `dynamic_range`.
STREAMING = "speech/lstm-ctc-phoneme-an4"
# Few examples, the same in every run: each is an answer of a model.
few = settings(max_examples=6, deadline=None, derandomize=True)


@functools.cache
def clips() -> list[np.ndarray]:
    """Return the clips of the package, float32 [samples] each."""
    return [soundfile.read(Path(path), dtype="float32")[0] for path in EXAMPLE_CLIPS]


@functools.cache
def _opened(name: str) -> tuple[Any, Any]:
    preset = zoo.load(name)
    recipe = preset.recipe.override({"decoder.beam_width": 1})
    return recipe, recipe.predictor(preset.graphs)


def text(name: str, waveform: np.ndarray, rate: int = RATE) -> str:
    """Return the answer of a preset to a recording, which may have several channels."""
    recipe, predictor = _opened(name)
    item = recipe.data.read_input((waveform.astype(np.float32), rate), recipe.model)
    return recipe.task.answer(predictor, item)["output"]


def difference(name: str, waveform: np.ndarray, clip: np.ndarray) -> float:
    """Return the edits between the answers to a changed and to an unchanged clip, per symbol."""
    return jiwer.cer(text(name, clip), text(name, waveform))
