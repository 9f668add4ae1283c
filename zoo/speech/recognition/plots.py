"""Plot the answer of a CTC recognizer over the features of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.ctc.alignment import align
from zoo.common.ctc.plots import draw_path, draw_posteriors
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.ctc import CTC
from zoo.common.utils.plots import figure, save
from zoo.speech.audio.reading import Source, recording_seconds, source_name
from zoo.speech.features.spectrogram import mel_power

# Maximum duration in seconds of a recording that is plotted.
MAX_SECONDS = 30.0
# Width of the figure in inches: per second of speech, at least and at most.
INCHES_PER_SECOND, MIN_WIDTH, MAX_WIDTH = 4.0, 7.0, 60.0


def plot_spikes(
    predictor: Predictor[Any, Any, Any],
    task: CTC,
    source: Source,
    path: Path,
    *,
    reference: str = "",
) -> None:
    """Draw the positions of labels in time as a PNG file.

    It shows the log-mel features of the recording, the frames of each label on the best path, and the
    posterior of each label over time, with the blank as a dotted line.

    Args:
        predictor: its model is an `AcousticModel` with the outputs for CTC.
        task: the task of the recipe.
        source: the recording; see `zoo.speech.audio.reading.read_blocks`.
        path: path of the PNG file.
        reference: the transcript, if known, for the title.

    Raises:
        ZooError: the recording cannot be read, or is too long to plot.
    """
    seconds = recording_seconds(source)
    if seconds > MAX_SECONDS:
        raise ZooError(
            f"{source_name(source)}: a plot of speech shows at most {MAX_SECONDS:g} s. "
            f"Received: {seconds:.1f} s."
        )
    data, features, labels = predictor.data, predictor.model.features, predictor.data.labels
    item = data.read_input(source, predictor.model)
    outputs = predictor.graphs[MODEL](**data.collate([item]))
    logits = outputs["logits"][0, : outputs["logit_lengths"][0]]
    found = task.transcriptions(logits, predictor.decoder, labels)[0]
    begin = item["begin"]
    edges = begin + predictor.model.seconds_per_frame * np.arange(len(logits) + 1)
    mel = np.log(mel_power(item["waveform"], features) + 1e-6)
    mel = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.1)  # approximately the model's features

    width = min(max(MIN_WIDTH, INCHES_PER_SECOND * seconds), MAX_WIDTH)
    picture = figure(figsize=(width, 6.4))
    above, middle, below = picture.subplots(3, 1, sharex=True, height_ratios=(5, 1, 5))
    above.imshow(
        mel.T,
        origin="lower",
        aspect="auto",
        extent=(begin, begin + features.hop * len(mel), 0, features.mel_bins),
        cmap="magma",
        interpolation="nearest",
        vmin=-2.5,
        vmax=2.5,
    )
    title = f"recognized: {found.text}" + (f"\nreference:  {reference}" if reference else "")
    above.set_title(title, loc="left", family="monospace", fontsize=10)
    # The frames of a streaming model continue after the end of a recording.
    above.set(ylabel="mel band", xlim=(0, max(seconds, edges[-1])))
    draw_path(middle, align(logits, found.labels), found.labels, labels, edges)
    draw_posteriors(below, logits, found.labels, labels, edges)
    below.set_xlabel("seconds")
    save(picture, path)
