"""What a CTC recogniser answers, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.ctc.alignment import align
from zoo.common.ctc.search import BLANK_INDEX
from zoo.common.utils.plots import figure, save
from zoo.speech.acoustic import FEATURES

if TYPE_CHECKING:
    from zoo.common.runtime.preset import Preset


def plot_spikes(preset: Preset, audio: str | Path, path: Path, *, reference: str = "") -> None:
    """Draw how labels lie in time, as a PNG.

    Above are the log-mel features of a recording; below is the posterior of each label over time, each
    in its own colour, named at its spike, the blank dotted.

    Args:
        preset: an `AcousticModel` trained with CTC. audio: a recording. path: of the PNG.
        reference: the transcript, if known, for the title.

    Raises:
        ZooError: the recording cannot be read.
    """
    import keras

    recipe = preset.recipe
    settings, labels = recipe.model.features, recipe.data.labels
    item = recipe.data.read_input(str(audio), recipe)
    answer = recipe.task.answer(preset.graphs, recipe, item)
    network = keras.Model(
        preset.model.input,
        [preset.model.get_layer(FEATURES).output, preset.model.output["logits"]],
    )
    features, logits = (np.asarray(x[0]) for x in network(recipe.data.collate([item])))
    posteriors = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    seconds = recipe.model.seconds_per_frame * np.arange(len(logits))

    picture = figure(figsize=(max(7.0, 4.0 * len(item["waveform"]) / settings.sample_rate), 6))
    above, below = picture.subplots(2, 1, sharex=True)
    end = settings.hop * len(features)
    above.imshow(
        features.T,
        origin="lower",
        aspect="auto",
        extent=(0, end, 0, settings.mel_bins),
        cmap="magma",
        vmin=-2.5,
        vmax=2.5,
    )
    title = f"recognised: {answer['output']}" + (f"\nreference:  {reference}" if reference else "")
    above.set_title(title, loc="left", family="monospace", fontsize=10)
    above.set_ylabel("mel band")

    below.plot(seconds, posteriors[:, BLANK_INDEX], ":", color="gray", label="blank")
    found = labels.encode(answer["output"])
    colours = _colours(sorted(set(found)))
    for label, colour in colours.items():
        below.plot(seconds, posteriors[:, label], color=colour)
    for label, spike in zip(found, align(logits, found).spike, strict=True):
        below.annotate(
            labels.decode([label])[0].replace(" ", "␣"),
            (seconds[spike], posteriors[spike, label]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=colours[label],
            weight="bold",
        )
    below.set(xlabel="seconds", ylabel="posterior", ylim=(0, 1.3), xlim=(0, end))
    below.legend(loc="upper right")
    save(picture, path)


def _colours(labels: list[int]) -> dict[int, tuple]:
    """Return a colour for each label: hues spread over the circle, neighbours far apart."""
    import matplotlib

    hues = (np.arange(len(labels)) * 0.618034) % 1.0
    return {
        label: matplotlib.colors.hsv_to_rgb((hue, 0.9, 0.65 + 0.2 * (i % 2)))
        for i, (label, hue) in enumerate(zip(labels, hues, strict=True))
    }
