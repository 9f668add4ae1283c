"""Convert the logits of a CTC model to texts with the search that a decoder selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.common.ctc.search import Hypothesis, search
from zoo.common.ctc.words import Transcription, split_words
from zoo.common.data.labels import Labels

if TYPE_CHECKING:
    from zoo.common.decoding.decoders import CTCSearch


def check_search(decoder: CTCSearch, labels: Labels) -> None:
    """Read the files of a decoder to check that it can be used.

    Args:
        decoder: the decoder.
        labels: the labels of the model.

    Raises:
        ZooError: a file cannot be read or does not fit the labels, or flashlight-text is missing.
    """
    if decoder.searches_words:
        from zoo.common.ctc.word_search import open_word_search

        open_word_search(decoder, labels)


def transcribe(logits: np.ndarray, decoder: CTCSearch, labels: Labels) -> list[Transcription]:
    """Return up to `n_best` texts and at least one, the best first.

    Args:
        logits: float [time, vocabulary_size], unnormalized, without padding.
        decoder: the decoder.
        labels: the labels of the model.

    Raises:
        ZooError: a file cannot be read or does not fit the labels, or flashlight-text is missing.
    """
    if decoder.searches_words:
        from zoo.common.ctc.word_search import open_word_search

        found = open_word_search(decoder, labels).search(logits)
    else:
        hypotheses = search(logits, decoder.beam_width, decoder.n_best)
        found = [_transcription(hypothesis, labels) for hypothesis in hypotheses]
    return found


def _transcription(found: Hypothesis, labels: Labels) -> Transcription:
    return Transcription(
        labels.text(found.labels),
        found.labels,
        split_words(found.labels, labels),
        {"log_probability": found.log_probability},
    )
