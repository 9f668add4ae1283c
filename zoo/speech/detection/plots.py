"""Plot the detections in a recording of any length."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.capabilities import Segment
from zoo.common.core.data import Item
from zoo.common.core.predictor import Predictor
from zoo.common.ctc.plots import colours
from zoo.common.decoding.segments import count_detections, merge_detections
from zoo.common.tasks.classification import Classification
from zoo.common.utils.plots import figure, save
from zoo.speech.audio.reading import Source, recording_seconds, source_name
from zoo.speech.audio.recording import Recording
from zoo.speech.audio.segmentation import windows
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spectrogram import mel_power

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Maximum number of columns of a spectrogram. A column shows the maximum of its frames.
COLUMNS = 1600
# Duration in seconds of the part of a spectrogram that is computed at once.
CHUNK = 30.0
# Minimum width of a detection, as a fraction of the whole width, so that it is visible.
MIN_WIDTH = 1 / 800
# Units of time, and their seconds.
UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
# Width of a letter of a label, as a multiple of the minimum width.
LETTER = 5

# A segment with its detected label (or ""), and the probability of each class.
Detected = tuple[Segment, str, dict[str, float]]


def plot_detections(
    predictor: Predictor[Any, Any, Any],
    task: Classification,
    source: Source,
    path: Path,
    features: LogMel,
) -> None:
    """Draw the spectrogram of a recording, and the detections below it, as a PNG file.

    Args:
        predictor: the trained model.
        task: the task of the recipe.
        source: a recording of any length; see `zoo.speech.audio.reading.read_blocks`.
        path: path of the PNG file.
        features: settings of the spectrogram.

    Raises:
        ZooError: the recording cannot be read.
    """
    data, seconds = predictor.data, recording_seconds(source)
    long_input = data.segments(source, predictor.model)
    if long_input is None:
        segments = iter([Segment(0.0, seconds, data.read_input(source, predictor.model))])
    else:
        segments = long_input.segments
    name = Path(source_name(source)).name
    picture = _figure(predictor, task, segments, name, seconds, features)
    _draw_spectrogram(picture.axes[0], _levels(source, seconds, features), seconds)
    save(picture, path)


def plot_clip(
    predictor: Predictor[Any, Any, Any],
    task: Classification,
    item: Item,
    name: str,
    path: Path,
    features: LogMel,
) -> None:
    """Draw a spectrogram that is one clip, as `plot_detections` draws a recording.

    Args:
        predictor: the trained model.
        task: the task of the recipe.
        item: the model input, with `spectrogram` float32 [frames, bands].
        name: name of the clip.
        path: path of the PNG file.
        features: settings of the spectrogram.
    """
    seconds = len(item["spectrogram"]) * features.hop
    segments = [Segment(0.0, seconds, item)]
    picture = _figure(predictor, task, segments, name, seconds, features)
    _draw_spectrogram(picture.axes[0], item["spectrogram"].T, seconds)
    save(picture, path)


def _figure(
    predictor: Predictor[Any, Any, Any],
    task: Classification,
    segments: Iterable[Segment],
    name: str,
    seconds: float,
    features: LogMel,
) -> Figure:
    """Return the figure with the detections in its second axes. The first axes are empty."""
    from matplotlib.ticker import MultipleLocator

    # The items of the segments are dropped, since together they are the whole recording.
    detected: list[Detected] = [
        (Segment(segment.begin, segment.end, {}), label, row)
        for segment, label, row in task.detect_segments(predictor, segments)
    ]
    detections = merge_detections(
        (segment, label, row[label]) for segment, label, row in detected if label
    )
    picture = figure(figsize=(14, 5.5))
    above, below = picture.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.set_title(f"{name}: {count_detections(detections)}", loc="left")
    bands = np.linspace(0, features.mel_bins - 1, 6).round().astype(int)
    above.set_yticks(bands + 0.5, [f"{hz:.0f}" for hz in _band_hz(features)[bands]])
    above.set(ylabel="Hz")
    symbols = predictor.data.labels.symbols
    hue = dict(zip(symbols, colours(range(len(symbols))).values(), strict=True))
    _draw_segments(below, task.background, hue, detected, seconds * MIN_WIDTH)
    _draw_labels(below, hue, detections, seconds * MIN_WIDTH)
    if threshold := predictor.decoder.min_confidence:
        name = f"minimum confidence {threshold:g}"
        below.axhline(threshold, color="tab:gray", linestyle=":", label=name)
        below.legend(loc="upper left", bbox_to_anchor=(0, -0.22), frameon=False)
    unit, size = next((unit for unit in UNITS if seconds >= 5 * unit[1]), UNITS[-1])
    below.xaxis.set_major_formatter(lambda x, _: f"{x / size:g}")
    below.xaxis.set_major_locator(MultipleLocator(_tick(seconds / size) * size))
    below.set(xlim=(0, seconds), xlabel=unit)
    return picture


def _tick(length: float) -> float:
    """Return the distance of ticks: 1, 2 or 5 times a power of ten, for at most ten ticks."""
    power = 10 ** np.floor(np.log10(length / 10))
    return power * next((step for step in (1, 2, 5) if length / (step * power) <= 10), 10)


def _draw_spectrogram(axes: Axes, levels: np.ndarray, seconds: float) -> None:
    """Draw levels [bands, columns] that last `seconds`."""
    sound = levels[levels > levels.min()]  # digital silence would use half of the colours
    low, high = np.percentile(sound if len(sound) else levels, (5, 99.8))
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, len(levels)),
        cmap="magma",
        interpolation="nearest",
        vmin=low,
        vmax=max(high, low + 1e-3),
    )


def _levels(source: Source, seconds: float, features: LogMel) -> np.ndarray:
    """Return float [mel_bins, columns] in dB, in each column the maximum of its frames."""
    rate, hop = features.sample_rate, features.hop_samples
    frames = max(1, round(seconds * rate / hop))
    columns = min(COLUMNS, frames)
    power = np.zeros((columns, features.mel_bins))
    size = max(features.window_samples, round(CHUNK * rate) // hop * hop)
    step = max(hop, (size - features.window_samples) // hop * hop)
    blocks = Recording(source, seconds, rate, allow_silence=True).blocks()
    for first, samples in windows(blocks, size, step):
        if len(samples) >= features.window_samples:
            rows = mel_power(samples, features)
            column = (first // hop + np.arange(len(rows))) * columns // frames
            np.maximum.at(power, np.minimum(column, columns - 1), rows)
    return 10 * np.log10(power.T + 1e-10)


def _draw_segments(
    axes: Axes, background: str, hue: dict[str, Any], detected: list[Detected], min_width: float
) -> None:
    """Draw a line for each segment, at the highest probability of a class except the background.

    It has the colour of the class if the class was detected.
    """
    bars = []
    for segment, label, row in detected:
        best = max(p for name, p in row.items() if name != background)
        bars.append((best, *_widened(segment.begin, segment.end, min_width), label))
    if bars:
        bars.sort(key=lambda bar: bool(bar[-1]))  # detections are drawn over the others
        heights, begins, ends, labels = zip(*bars, strict=True)
        colour = [hue[label] if label else "tab:gray" for label in labels]
        axes.hlines(heights, begins, ends, color=colour, linewidth=2)


def _draw_labels(
    axes: Axes, hue: dict[str, Any], detections: list[dict[str, Any]], min_width: float
) -> None:
    """Shade each detection, and write its label where it does not overlap another one."""
    taken = -np.inf
    for one in detections:
        begin, end = _widened(one["begin"], one["end"], min_width)
        axes.axvspan(begin, end, color=hue[one["label"]], alpha=0.2, linewidth=0)
        middle, half = (one["begin"] + one["end"]) / 2, len(one["label"]) * min_width * LETTER / 2
        if middle - half > taken:
            axes.text(middle, 1.04, one["label"], ha="center", color=hue[one["label"]])
            taken = middle + half
    axes.set(ylabel="confidence", ylim=(0, 1.15 if detections else 1), yticks=(0, 0.5, 1))


def _widened(begin: float, end: float, min_width: float) -> tuple[float, float]:
    """Return a span, widened around its middle to at least `min_width`."""
    more = max(0.0, min_width - (end - begin)) / 2
    return begin - more, end + more


def _band_hz(features: LogMel) -> np.ndarray:
    """Return the centre frequency of each filter in Hz, float [mel_bins]."""
    weights = features.mel_matrix()
    hz = np.linspace(0, features.sample_rate / 2, len(weights))
    return hz @ weights / np.maximum(weights.sum(axis=0), 1e-9)
