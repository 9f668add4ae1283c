"""The words in a labelling of a CTC model: what they are, when they were said, how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.common.ctc.alignment import align
from zoo.common.data.labels import Labels
from zoo.common.decoding.generation import log_softmax

SEPARATOR = " "


class Word(NamedTuple):
    """A word, and the labels of it: from `first` to `last`, places in a labelling."""

    text: str
    first: int
    last: int


class Transcription(NamedTuple):
    """What a search found.

    text: str. For a person to read.
    labels: list of int. Without blanks.
    words: list of Word.
    scores: dict. `log_probability` of the labels, in nats; of a search for words also its `score`.
    """

    text: str
    labels: list[int]
    words: list[Word]
    scores: dict[str, float]


def split_words(found: Sequence[int], labels: Labels) -> list[Word]:
    """Return the words of a labelling: between separators; of labels that are words, each of them."""
    words: list[Word] = []
    new = True
    for place, symbol in enumerate(labels.decode(found)):
        if symbol == SEPARATOR:
            new = True
        elif new or labels.unit == "word":
            words.append(Word(symbol, place, place))
            new = False
        else:
            words[-1] = Word(words[-1].text + symbol, words[-1].first, place)
    return words


def word_times(
    logits: np.ndarray, found: Transcription, seconds_per_frame: float, start: float = 0.0
) -> list[dict[str, Any]]:
    """Return each word with its begin and end in seconds, and a confidence.

    Times are those of the most probable path of the labels. The confidence, 0 to 1, is the geometric
    mean of the probabilities of a word's labels, each at the frame of the path where it is largest: what
    the model heard, whatever a language model expected.

    Args:
        logits: float [time, vocabulary_size], unnormalised, true frames only.
        start: seconds of the input before the first frame.
    """
    if not found.words:
        return []
    path = align(logits, found.labels)
    spikes = log_softmax(np.asarray(logits, np.float64), np)[path.spike, found.labels]
    return [
        {
            "word": word.text,
            "begin": round(start + int(path.first[word.first]) * seconds_per_frame, 3),
            "end": round(start + (int(path.last[word.last]) + 1) * seconds_per_frame, 3),
            "confidence": round(float(np.exp(spikes[word.first : word.last + 1].mean())), 4),
        }
        for word in found.words
    ]
