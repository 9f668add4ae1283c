"""Find the words in a labelling of a CTC model, with their times and confidences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.common.ctc.alignment import align
from zoo.common.data.labels import Labels
from zoo.common.decoding.generation import log_softmax

SEPARATOR = " "


class Word(NamedTuple):
    """A word of a labelling.

    Args:
        text: the word.
        first: index of its first label.
        last: index of its last label.
    """

    text: str
    first: int
    last: int


class Transcription(NamedTuple):
    """A result of a search as text.

    Args:
        text: the text.
        labels: the labels, without blanks.
        words: the words of the text.
        scores: `log_probability` of the labels in nats. A word search also returns its `score`.
    """

    text: str
    labels: list[int]
    words: list[Word]
    scores: dict[str, float]


def split_words(found: Sequence[int], labels: Labels) -> list[Word]:
    """Return the words of a labelling.

    Words are between separators. If the labels are words, each label is one.

    Args:
        found: labels without blanks.
        labels: the labels of the model.
    """
    words: list[Word] = []
    new = True
    for index, symbol in enumerate(labels.decode(found)):
        if symbol == SEPARATOR:
            new = True
        elif new or labels.unit == "word":
            words.append(Word(symbol, index, index))
            new = False
        else:
            words[-1] = Word(words[-1].text + symbol, words[-1].first, index)
    return words


def word_times(
    logits: np.ndarray, found: Transcription, seconds_per_frame: float, start: float = 0.0
) -> list[dict[str, Any]]:
    """Return each word with its begin and end in seconds and its confidence.

    The times are those of the most probable path of the labels. The confidence, 0 to 1, is the geometric
    mean of the probabilities of a word's labels, each at the frame of the path where it is largest. It
    does not depend on a language model.

    Args:
        logits: float [time, vocabulary_size], unnormalized, without padding.
        found: a result of a search in these logits.
        seconds_per_frame: duration of a frame.
        start: time of the first frame in seconds.
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
