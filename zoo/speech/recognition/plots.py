"""What a CTC recogniser answers to a recording, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.ctc.alignment import align
from zoo.common.ctc.plots import draw_path, draw_posteriors
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.plots import figure, save
from zoo.speech.features.spectrogram_files import mel_power
from zoo.speech.recordings import LONGEST_CLIP, recording_seconds

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

# Inches for a second of speech, and for the whole picture.
INCHES_PER_SECOND, NARROWEST, WIDEST = 4.0, 7.0, 60.0


def plot_spikes(
    graphs: Graphs, recipe: Recipe, source: str, path: Path, *, reference: str = ""
) -> None:
    """Draw how labels lie in time, as a PNG.

    Above are the log-mel features of a recording, in the middle the frames of each label on the most
    probable path, below the posterior of each label over time, the blank dotted.

    Args:
        graphs: of a preset. recipe: its model is an `AcousticModel`, its task `CTC`.
        source: a recording. path: of the PNG. reference: the transcript, if known, for the title.

    Raises:
        ZooError: the recording cannot be read, or is longer than a picture shows.
    """
    seconds = recording_seconds(source)
    if seconds > LONGEST_CLIP:
        raise ZooError(
            f"{source}: a picture of speech shows at most {LONGEST_CLIP:g} s. "
            f"Received: {seconds:.1f} s."
        )
    features, labels = recipe.model.features, recipe.data.labels
    item = recipe.data.read_input(source, recipe)
    outputs = graphs[MODEL](**recipe.data.collate([item]))
    logits = outputs["logits"][0, : outputs["logit_lengths"][0]]
    found = recipe.task.transcriptions(logits, recipe)[0]
    begin = item["begin"]
    edges = begin + recipe.model.seconds_per_frame * np.arange(len(logits) + 1)
    mel = np.log(mel_power(item["waveform"], features) + 1e-6)
    mel = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.1)  # as the model hears it, nearly

    width = min(max(NARROWEST, INCHES_PER_SECOND * seconds), WIDEST)
    picture = figure(figsize=(width, 6.4))
    above, middle, below = picture.subplots(3, 1, sharex=True, height_ratios=(5, 1, 5))
    above.imshow(
        mel.T,
        origin="lower",
        aspect="auto",
        extent=(begin, begin + features.hop * len(mel), 0, features.mel_bins),
        cmap="magma",
        vmin=-2.5,
        vmax=2.5,
    )
    title = f"recognised: {found.text}" + (f"\nreference:  {reference}" if reference else "")
    above.set_title(title, loc="left", family="monospace", fontsize=10)
    # The frames of a streaming model go on after the end of a recording.
    above.set(ylabel="mel band", xlim=(0, max(seconds, edges[-1])))
    draw_path(middle, align(logits, found.labels), found.labels, labels, edges)
    draw_posteriors(below, logits, found.labels, labels, edges)
    below.set_xlabel("seconds")
    save(picture, path)
