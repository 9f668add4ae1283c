"""What a CTC recogniser heard, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.plots import figure
from zoo.speech.audio import read_audio
from zoo.speech.task import FEATURES, pad

if TYPE_CHECKING:
    from zoo.common.presets import Preset


def plot_spikes(preset: Preset, audio: str | Path, path: Path, *, reference: str = "") -> None:
    """Writes a PNG: the log-mel features of a recording above; below, the posterior of every symbol over
    time, each in its own colour, named at its spike, the blank dotted.

    audio: a recording. reference: its transcript, if known, for the title.

    Raises `ZooError` if the recording cannot be read.
    """
    import keras

    from zoo.common.ctc import BLANK_INDEX, align

    recipe = preset.recipe
    alphabet, settings = recipe.task.alphabet, recipe.model.features
    waveform = read_audio(audio, settings.sample_rate)
    waveforms, lengths = pad([waveform])
    network = keras.Model(
        preset.model.input,
        [preset.model.get_layer(FEATURES[0]).output, preset.model.output["logits"]],
    )
    features, logits = (
        np.asarray(x[0])
        for x in network({"waveform": waveforms, "lengths": lengths}, training=False)
    )
    text = recipe.task.transcriber(preset.model)(waveforms, lengths)["text"].numpy()[0].decode()
    posteriors = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    seconds = settings.hop * recipe.model.time_reduction * np.arange(len(logits))

    picture = figure(figsize=(max(7.0, 4.0 * len(waveform) / settings.sample_rate), 6))
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
    title = f"heard: {text}" + (f"\nsaid:  {reference}" if reference else "")
    above.set_title(title, loc="left", family="monospace", fontsize=10)
    above.set_ylabel("mel band")

    below.plot(seconds, posteriors[:, BLANK_INDEX], ":", color="gray", label="blank")
    labels = [1 + alphabet.index(letter) for letter in text]
    colours = _colours(sorted(set(labels)))
    for label, colour in colours.items():
        below.plot(seconds, posteriors[:, label], color=colour)
    for label, spike in zip(labels, align(logits, labels).spike, strict=True):
        below.annotate(
            alphabet[label - 1].replace(" ", "␣"),
            (seconds[spike], posteriors[spike, label]),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=colours[label],
            weight="bold",
        )
    below.set(xlabel="seconds", ylabel="posterior", ylim=(0, 1.3), xlim=(0, end))
    below.legend(loc="upper right")
    picture.savefig(path, dpi=110)


def _colours(labels: list[int]) -> dict[int, tuple]:
    """A colour of its own for each label: hues spread over the circle, neighbours far apart."""
    import matplotlib

    hues = (np.arange(len(labels)) * 0.618034) % 1.0
    return {
        label: matplotlib.colors.hsv_to_rgb((hue, 0.9, 0.65 + 0.2 * (i % 2)))
        for i, (label, hue) in enumerate(zip(labels, hues, strict=True))
    }
