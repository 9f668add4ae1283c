"""Requests to the scripts of `examples/deploy`, and the answers of the zoo to them."""

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from zoo.common.core.recipe import Recipe
from zoo.common.runtime.preset import Preset
from zoo.language.classification.data import LabelledText
from zoo.language.embeddings.data import ContextWindows
from zoo.language.modelling.data import RunningText
from zoo.language.pronunciation.data import Spelling
from zoo.language.translation.data import ParallelText
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import Recordings
from zoo.speech.detection.spectrograms import Spectrograms
from zoo.timeseries.classification.data import SeriesWithClass
from zoo.timeseries.forecasting.data import SAMPLE as LASER
from zoo.timeseries.forecasting.data import Series
from zoo.vision_language.captioning.data import CaptionedImages
from zoo.vision_language.captioning.samples import pictures
from zoo.vision_language.handwriting.data import PenStrokes, loops
from zoo.vision_language.handwriting.drawings import Drawings
from zoo.vision_language.motion.data import Clips

SCRIPTS = Path(__file__).parents[1] / "examples" / "deploy"
RECORDINGS = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Request:
    """A request to a script.

    Args:
        script: name of the script.
        arguments: its arguments after the export.
        answer: the answer of the zoo.
    """

    script: str
    arguments: list[str]
    answer: str

    def is_answer(self, output: str) -> bool:
        """Return whether the output of a script is the same: equal words, numbers within rounding."""
        if self.script == "draw.py":
            output = " ".join(re.findall(r"-?[0-9.]+,-?[0-9.]+", output))
        received, expected = (re.split("[ ,]", text.strip()) for text in (output, self.answer))
        return len(received) == len(expected) and all(map(_same, received, expected))


def _same(received: str, expected: str) -> bool:
    try:
        return abs(float(received) - float(expected)) <= 1e-3 * max(1.0, abs(float(expected)))
    except ValueError:
        return received == expected


def raw_requests(recipe: Recipe) -> tuple[str, list[dict]]:
    """Return a signature of a preset's SavedModel and requests to it in columns."""
    examples = recipe.data.example_inputs(recipe.model, recipe.decoder)
    name = f"{recipe.task.verb}_wav"
    name = name if name in examples else "serving_default"
    columns = [
        {
            key: value.tolist() if isinstance(value, np.ndarray) else value
            for key, value in of.items()
        }
        for of in examples[name]
    ]
    return name, columns


def write_request(columns: dict, folder: Path) -> str:
    """Write a request and its files to a folder, and return the argument `@request.json` for scripts."""

    def written(value, name):
        if isinstance(value, list):
            return [written(each, f"{name}-{i}") for i, each in enumerate(value)]
        if not isinstance(value, bytes):
            return value
        (folder / name).write_bytes(value)
        return f"@{folder / name}"

    path = folder / "request.json"
    path.write_text(json.dumps({name: written(value, name) for name, value in columns.items()}))
    return f"@{path}"


def request_to(preset: Preset, folder: Path) -> Request:
    """Return a request to the script of a preset. Its files are written to a folder."""
    script, arguments, source, options = _REQUESTS[_kind(preset.recipe)](preset.recipe, folder)
    recipe = replace(preset.recipe, decoder=options and replace(preset.recipe.decoder, **options))
    item = source if isinstance(source, dict) else recipe.data.read_input(str(source), recipe.model)
    answer = recipe.task.answer(recipe.predictor(preset.graphs), item)
    return Request(script, [str(argument) for argument in arguments], _output(answer))


def _output(answer: dict) -> str:
    if "drawings" in answer:
        points = [f"{x},{y}" for stroke in answer["drawings"][0] for x, y in stroke]
        return " ".join(points)
    if "forecast" in answer:
        return " ".join(f"{value:.6g}" for value in answer["forecast"])
    if "probability" in answer:
        return f"{answer['output']} {answer['probability']:.4f}"
    return answer["output"]


def _kind(recipe: Recipe) -> type:
    return next(kind for kind in _REQUESTS if isinstance(recipe.data, kind))


def _recording(recipe, folder):
    """Write a WAV file of a recording without silence at its begin and end."""
    is_text = recipe.data.target != "label"
    name = "an4/test/fjlp/an419-fjlp-b.flac" if is_text else "fsdd/recordings/7_jackson_0.flac"
    rate, path = recipe.model.features.sample_rate, folder / "clip.wav"
    waveform = recipe.data.item(read_audio(RECORDINGS / name, rate), recipe.model)["waveform"]
    soundfile.write(path, waveform, rate, subtype="PCM_16")
    if is_text:
        return "transcribe.py", [path], path, {"beam_width": 1}
    return "classify.py", [path], path, {"n_best": 1}


def _array(name):
    def ask(recipe, folder):
        inputs = recipe.data.example_inputs(recipe.model, recipe.decoder)["model"][0]
        values, path = np.asarray(inputs[name][0]), folder / "values.npy"
        np.save(path, values)
        item = {name: values, "times": np.arange(len(values) + 1.0)}
        return "classify.py", [path], item, {"n_best": 1}

    return ask


def _ink(recipe, folder):
    points, path = loops(8), folder / "word.json"
    cut = np.flatnonzero(points[:-1, 2]) + 1
    strokes = [stroke[:, :2].tolist() for stroke in np.split(points, cut)]
    path.write_text(json.dumps({"strokes": strokes}))
    return "read_ink.py", [path], path, {"beam_width": 1}


def _drawing(recipe, folder):
    # With a large bias, rounding does not change the chosen component.
    return "draw.py", [3, 20], "new", {"count": 1, "seed": 3, "bias": 20.0}


def _text(recipe, folder):
    is_word = recipe.data.tokenization == "word"
    prompt = "the company said\nit" if is_word else "hel"
    return "continue_text.py", [prompt, 12], prompt, {"sampler": "greedy", "length": 12}


def _review(recipe, folder):
    text = "It\u2019s a fine film, isn't it? Unforgettable-ish."
    return "classify_text.py", [text], text, {"n_best": 1}


def _sentence(recipe, folder):
    text = "Two men in red shirts are sitting\u00a0on a bench \u2713."
    return "describe.py", [text], text, {"beam_width": 1}


def _word(recipe, folder):
    return "pronounce.py", ["seventeen"], "seventeen", {}


def _neighbours(recipe, folder):
    return "neighbours.py", ["king"], "king", {"n_best": 10}


def _picture(recipe, folder):
    """Write a JPEG with an orientation tag."""
    path, exif = folder / "photo.jpg", Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pictures(240)[0]).save(path, exif=exif, quality=95)
    return "describe.py", [path], path, {"beam_width": 1}


def _series(recipe, folder):
    source, horizon = LASER, 2 * recipe.model.steps + 1
    if recipe.data.calendar:
        source = folder / "days.csv"
        days = np.arange("2020-01-01", "2020-06-01", dtype="datetime64[D]")
        rows = [f"{day},{10 + i % 7}" for i, day in enumerate(days)]
        source.write_text("date,value\n" + "\n".join(rows) + "\n")
    item = recipe.data.read_input(str(source), recipe.model)
    inputs, _ = recipe.data.future_inputs(item, recipe.model, horizon)
    np.savetxt(folder / "series.txt", inputs["series"][0])
    arguments = [folder / "series.txt", horizon]
    if "covariates" in inputs:
        np.save(folder / "covariates.npy", inputs["covariates"][0])
        arguments.append(folder / "covariates.npy")
    return "forecast.py", arguments, item, {"horizon": horizon}


_REQUESTS = {
    Recordings: _recording,
    Spectrograms: _array("spectrogram"),
    PenStrokes: _ink,
    Drawings: _drawing,
    Clips: lambda recipe, folder: _array(recipe.data.frames)(recipe, folder),
    CaptionedImages: _picture,
    RunningText: _text,
    LabelledText: _review,
    ParallelText: _sentence,
    Spelling: _word,
    ContextWindows: _neighbours,
    Series: _series,
    SeriesWithClass: _array("series"),
}
