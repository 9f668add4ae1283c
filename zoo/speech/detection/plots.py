"""What a detector or classifier hears in a recording of any length, as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.data import Item, Segment
from zoo.common.ctc.plots import colours
from zoo.common.decoding.segments import count_detections, merge_detections
from zoo.common.utils.plots import figure, save
from zoo.speech.audio.segmentation import windows
from zoo.speech.features.spectrogram_files import mel_power
from zoo.speech.recordings import Recording, recording_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe
    from zoo.speech.features.frontend import LogMel

# Columns of a long spectrogram: what is louder of the frames in a column is shown.
COLUMNS = 1600
# Seconds of a spectrogram that are computed at once.
CHUNK = 30.0
# A detection takes at least one of so many parts of the width: it must be seen.
NARROWEST = 800
# Units of time, and their seconds.
UNITS = (("hours", 3600.0), ("minutes", 60.0), ("seconds", 1.0))
# The width of a letter of a name, as such parts.
LETTER = 5


def plot_detections(
    graphs: Graphs, recipe: Recipe, source: str, path: Path, features: LogMel
) -> None:
    """Draw a recording's spectrogram, and below it what was detected when, as a PNG.

    Args:
        graphs: of a preset. recipe: its task is a `Classification`.
        source: a recording of any length. path: of the PNG. features: what the model hears with.

    Raises:
        ZooError: the recording cannot be read.
    """
    seconds = recording_seconds(source)
    segments = recipe.data.segments(source, recipe)
    if segments is None:
        pieces = iter([Segment(0.0, seconds, recipe.data.read_input(source, recipe))])
    else:
        pieces = segments.pieces
    picture = _picture(graphs, recipe, pieces, Path(source).name, seconds, features)
    above = picture.axes[0]
    _draw_spectrogram(above, _levels(source, seconds, features), seconds)
    save(picture, path)


def plot_clip(
    graphs: Graphs, recipe: Recipe, item: Item, name: str, path: Path, features: LogMel
) -> None:
    """Draw a spectrogram that is one clip, as `plot_detections` draws a recording."""
    seconds = len(item["spectrogram"]) * features.hop
    pieces = iter([Segment(0.0, seconds, item)])
    picture = _picture(graphs, recipe, pieces, name, seconds, features)
    _draw_spectrogram(picture.axes[0], item["spectrogram"].T, seconds)
    save(picture, path)


def _picture(
    graphs: Graphs,
    recipe: Recipe,
    pieces: Iterator[Segment],
    name: str,
    seconds: float,
    features: LogMel,
) -> Figure:
    """The figure with what was heard in its second axes, and nothing yet in its first."""
    from matplotlib.ticker import MultipleLocator

    # Without what was in the pieces: that would be the whole recording.
    heard = [
        (Segment(piece.begin, piece.end, {}), label, row)
        for piece, label, row in recipe.task.heard(graphs, recipe, pieces)
    ]
    detections = merge_detections(
        (piece, label, row[label]) for piece, label, row in heard if label
    )
    picture = figure(figsize=(14, 5.5))
    above, below = picture.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.set_title(f"{name}: {count_detections(detections)}", loc="left")
    bands = np.linspace(0, features.mel_bins - 1, 6).round().astype(int)
    above.set_yticks(bands + 0.5, [f"{hz:.0f}" for hz in _band_hz(features)[bands]])
    above.set(ylabel="Hz")
    _draw_confidence(below, recipe, heard, detections, seconds / NARROWEST)
    unit, size = next((unit for unit in UNITS if seconds >= 5 * unit[1]), UNITS[-1])
    below.xaxis.set_major_formatter(lambda x, _: f"{x / size:g}")
    below.xaxis.set_major_locator(MultipleLocator(_tick(seconds / size) * size))
    below.set(xlim=(0, seconds), xlabel=unit)
    return picture


def _tick(length: float) -> float:
    """The distance of ticks on an axis: 1, 2 or 5 times a power of ten, so that there are up to ten."""
    power = 10 ** np.floor(np.log10(length / 10))
    return power * next((step for step in (1, 2, 5) if length / (step * power) <= 10), 10)


def _draw_spectrogram(axes: Axes, levels: np.ndarray, seconds: float) -> None:
    """Levels [bands, columns] of so many seconds."""
    heard = levels[levels > levels.min()]  # digital silence would take half of the colours
    low, high = np.percentile(heard if len(heard) else levels, (5, 99.8))
    axes.imshow(
        levels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, len(levels)),
        cmap="magma",
        vmin=low,
        vmax=max(high, low + 1e-3),
    )


def _levels(source: str, seconds: float, features: LogMel) -> np.ndarray:
    """float [mel_bins, columns] in dB: in each column the loudest of its frames."""
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
            place = (first // hop + np.arange(len(rows))) * columns // frames
            np.maximum.at(power, np.minimum(place, columns - 1), rows)
    return 10 * np.log10(power.T + 1e-10)


def _draw_confidence(
    axes: Axes,
    recipe: Recipe,
    heard: list[tuple[Segment, str, dict[str, float]]],
    detections: list[dict[str, Any]],
    narrowest: float,
) -> None:
    """A line for each piece at the probability of its likeliest class but the background, in the colour
    of the class where it was detected; each detection shaded, `narrowest` seconds at least, and
    named."""
    symbols = recipe.data.labels.symbols
    hue = dict(zip(symbols, colours(range(len(symbols))).values(), strict=True))
    bars = []
    for piece, label, row in heard:
        best = max(p for name, p in row.items() if name != recipe.task.background)
        bars.append((best, *_widened(piece.begin, piece.end, narrowest), label))
    if bars:
        bars.sort(key=lambda bar: bool(bar[-1]))  # detections above the others
        heights, begins, ends, names = zip(*bars, strict=True)
        colour = [hue[name] if name else "tab:gray" for name in names]
        axes.hlines(heights, begins, ends, color=colour, linewidth=2)
    for one in detections:
        span = _widened(one["begin"], one["end"], narrowest)
        axes.axvspan(*span, color=hue[one["label"]], alpha=0.2, linewidth=0)
    taken = -np.inf
    for one in detections:
        middle, half = (one["begin"] + one["end"]) / 2, len(one["label"]) * narrowest * LETTER / 2
        if middle - half > taken:  # a name on another one could not be read
            axes.text(middle, 1.04, one["label"], ha="center", color=hue[one["label"]])
            taken = middle + half
    if least := recipe.decoder.min_confidence:
        axes.axhline(least, color="tab:gray", linestyle=":", label=f"least confidence {least:g}")
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.22), frameon=False)
    axes.set(ylabel="confidence", ylim=(0, 1.15 if detections else 1), yticks=(0, 0.5, 1))


def _widened(begin: float, end: float, narrowest: float) -> tuple[float, float]:
    """A span, or one of `narrowest` around its middle."""
    more = max(0.0, narrowest - (end - begin)) / 2
    return begin - more, end + more


def _band_hz(features: LogMel) -> np.ndarray:
    """float [mel_bins]: the centre of each filter, in Hz."""
    weights = features.mel_matrix()
    hz = np.linspace(0, features.sample_rate / 2, len(weights))
    return hz @ weights / np.maximum(weights.sum(axis=0), 1e-9)
