"""Prefix beam search over words with a lexicon, a language model and hot words, by flashlight-text.

The search traverses the frames and a tree of the spellings in the lexicon together. It returns the texts
with the highest

    score = log P(labels | input) + lm_weight * log P(text) + word_bonus * words + boosts of hot words

in nats. Hannun et al., "First-pass large vocabulary continuous speech recognition using bi-directional
recurrent DNNs" (2014); Collobert et al., "Wav2Letter" (2016).
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.ctc.words import SEPARATOR, Transcription, Word
from zoo.common.data.labels import BLANK_INDEX, Labels
from zoo.common.decoding.generation import log_softmax
from zoo.common.language_model.lexicon import Lexicon, list_words, read_lexicon, spell_words
from zoo.common.language_model.word_lm import (
    NATS_PER_LOG10,
    boost,
    flashlight,
    open_lm,
    read_lm_words,
    score_sentence,
)
from zoo.common.utils.progress import say

if TYPE_CHECKING:
    from zoo.common.decoding.decoders import CTCSearch

# Hypotheses with a score lower than the best one of a frame by more than this, in nats, are dropped.
BEAM_THRESHOLD = 50.0
# Number of hypotheses of a decoder without a beam_width of its own.
DEFAULT_BEAM = 100
# Log-probability of an impossible label: finite, because flashlight-text multiplies and subtracts it.
IMPOSSIBLE = -1e4


class WordSearch:
    """A word search with one decoder for the logits of one model.

    Args:
        decoder: the decoder. Its files are read.
        labels: the labels of the model.

    Raises:
        ZooError: a file cannot be read or does not fit the labels, or flashlight-text is missing.
    """

    def __init__(self, decoder: CTCSearch, labels: Labels):
        self._decoder, self._unit = decoder, labels.unit
        self._files = _read(decoder.lm, decoder.lexicon, tuple(decoder.boosts), labels)
        self._boosts = {self._files.words.index(w): nats for w, nats in decoder.boosts.items()}
        # A model without a separator gets an extra label as the separator.
        self._own_separator = SEPARATOR in labels.symbols
        self._separator = (
            labels.encode(SEPARATOR)[0] if self._own_separator else BLANK_INDEX + 1 + len(labels)
        )
        self._outputs = BLANK_INDEX + 1 + len(labels) + (not self._own_separator)
        lm, weight = self._files.lm, decoder.lm_weight * NATS_PER_LOG10
        if self._boosts:
            lm, weight = boost(lm, decoder.lm_weight, self._boosts), 1.0
        self._lm = lm  # flashlight-text holds no reference to a model written in Python
        self._search = self._build(weight)

    def _build(self, weight: float) -> Any:
        module, words = flashlight("decoder"), self._files.words
        trie, start = module.Trie(self._outputs, self._separator), self._lm.start(False)
        for number, word in enumerate(words):
            _, log_prob = self._lm.score(start, number)
            for spelling in self._files.lexicon.spellings[word]:
                trie.insert([*spelling, self._separator], number, log_prob)
        width, n_best = self._decoder.beam_width, self._decoder.n_best
        if width <= n_best:  # the best path, or as wide as the answers need at least
            width = max(DEFAULT_BEAM, n_best)
        trie.smear(module.SmearingMode.MAX)
        options = module.LexiconDecoderOptions(
            beam_size=width,
            beam_size_token=self._outputs,
            beam_threshold=BEAM_THRESHOLD,
            lm_weight=weight,
            word_score=self._decoder.word_bonus,
            unk_score=-math.inf,
            sil_score=0.0,
            log_add=self._sums_paths,
            criterion_type=module.CriterionType.CTC,
        )
        return module.LexiconDecoder(
            options, trie, self._lm, self._separator, BLANK_INDEX, len(words), [], False
        )

    @property
    def _sums_paths(self) -> bool:
        """Whether each alignment of a text is one path of the search. See `_steps`."""
        return self._own_separator or self._unit == "character"

    def search(self, logits: np.ndarray) -> list[Transcription]:
        """Return the texts with the highest scores, up to the decoder's `n_best`.

        Args:
            logits: float [time, vocabulary_size], unnormalized, without padding.
        """
        steps = self._steps(log_softmax(np.asarray(logits, np.float64), np))
        found: dict[tuple[int, ...], tuple[float, Any]] = {}
        for result in self._search.decode(steps.ctypes.data, *steps.shape):
            words = tuple(word for word in result.words if word >= 0)
            # A result that ends within a word has an impossible last step in its score.
            unfinished = result.tokens[len(steps)] != self._separator
            score = result.score - IMPOSSIBLE * unfinished
            before, best = found.get(words, (-math.inf, result))  # the same words by other paths
            # Unfinished paths may differ in a word that is not in the result.
            both = max(before, score) if unfinished else float(np.logaddexp(before, score))
            found[words] = (both, best)
        order = sorted(found.items(), key=lambda item: -item[1][0])[: self._decoder.n_best]
        return [self._transcription(words, *how) for words, how in order]

    def _steps(self, log_probs: np.ndarray) -> np.ndarray:
        """Return the steps of the search of flashlight-text, float32 [steps, outputs].

        In flashlight-text, each word ends with a separator. A step with the separator is added after the
        last frame.

        If the model has no separator and its labels are letters, the input is one word. If its labels
        are longer units, such as phonemes, words follow each other without a separator. Then a step is
        inserted between any two frames, where a word may end. A label cannot continue across this step:
        consecutive frames with the same best label are reduced to the frame where it is most probable.
        A word can end at several steps before the next word, so that one alignment has several paths.
        Therefore the score of a text is that of its best path.
        """
        end = np.full((1, self._outputs), IMPOSSIBLE)
        end[0, self._separator] = 0.0
        if self._own_separator:
            return np.concatenate([log_probs, end]).astype(np.float32)
        if self._unit == "word":
            log_probs = _one_frame_per_run(log_probs)
        frames = np.pad(log_probs, ((0, 0), (0, 1)), constant_values=IMPOSSIBLE)
        if self._unit == "word":
            between = end.copy()
            between[0, BLANK_INDEX] = 0.0
            pairs = np.stack([frames, np.broadcast_to(between, frames.shape)], axis=1)
            frames = pairs.reshape(-1, self._outputs)[:-1]
        return np.concatenate([frames, end]).astype(np.float32)

    def _transcription(self, words: tuple[int, ...], score: float, result: Any) -> Transcription:
        labels: list[int] = []
        rows: list[Word] = []
        first, before = 0, BLANK_INDEX
        for label, word in zip(result.tokens, result.words, strict=True):
            if label not in (before, BLANK_INDEX, self._separator) and len(rows) < len(words):
                labels.append(label)
            before = label
            if word >= 0:
                rows.append(Word(self._files.words[word], first, len(labels) - 1))
                if self._own_separator and len(rows) < len(words):
                    labels.append(self._separator)
                first = len(labels)
        decoder = self._decoder
        own = score - decoder.word_bonus * len(words)
        own -= sum(self._boosts.get(word, 0.0) for word in words)
        scores = {"score": score}
        if decoder.lm:
            scores["lm_log_probability"] = score_sentence(self._files.lm, words)
            own -= decoder.lm_weight * scores["lm_log_probability"]
        text = " ".join(row.text for row in rows)
        return Transcription(text, labels, rows, {"log_probability": own, **scores})


# The cache keeps one search, for many inputs with the same files.
@functools.lru_cache(maxsize=1)
def open_word_search(decoder: CTCSearch, labels: Labels) -> WordSearch:
    """Return the word search of a decoder, from a cache if possible.

    Args:
        decoder: the decoder.
        labels: the labels of the model.

    Raises:
        ZooError: a file cannot be read or does not fit the labels, or flashlight-text is missing.
    """
    return WordSearch(decoder, labels)


class _Files(NamedTuple):
    """The content of a decoder's files.

    Args:
        lexicon: the spellings of each word.
        words: the words by number.
        lm: `LM` of flashlight-text.
    """

    lexicon: Lexicon
    words: tuple[str, ...]
    lm: Any


@functools.lru_cache(maxsize=1)
def _read(
    lm: Path | None, lexicon: Path | None, hot_words: tuple[str, ...], labels: Labels
) -> _Files:
    flashlight("decoder")
    known, knows_unknown = read_lm_words(lm) if lm else ([], True)
    read = read_lexicon(lexicon, labels) if lexicon else spell_words(known, labels, str(lm))
    spellings = dict(read.spellings)
    if read.left_out and not lexicon and labels.unit == "word":
        # A phoneme and a letter may have the same name: the phoneme "T" is not the letter T.
        raise ZooError(
            "lexicon must be given, with the symbols of each word: the labels of the model are "
            f"{list_words(labels.symbols)}, and cannot spell the words of {lm}. "
            f"Received: {list_words(read.left_out)}."
        )
    if read.left_out:
        say(
            f"{len(read.left_out)} words of {lexicon or lm} are ignored, because the model cannot "
            f"write them: {list_words(read.left_out)}."
        )
    for word in hot_words:
        if word not in spellings:
            spellings |= spell_words([word], labels, "hot_word").spellings
    unknown = dict.fromkeys(spellings.keys() - set(known)) if lm else {}
    hot = [word for word in hot_words if word in unknown]
    if hot and not knows_unknown:
        raise ZooError(f"hot_word must be in {lm}, which has no <unk>. Received: {hot[0]!r}.")
    if len(unknown) == len(spellings):
        raise ZooError(
            f"{lexicon} and {lm} have no word in common. Received: {list_words(read.spellings)}; "
            f"{list_words(known)}."
        )
    if not knows_unknown:
        spellings = {word: ways for word, ways in spellings.items() if word not in unknown}
    if unknown:
        action = "are scored as <unk>" if knows_unknown else "are ignored"
        say(f"{len(unknown)} words are not in {lm} and {action}: {list_words(sorted(unknown))}.")
    words = tuple(spellings)
    return _Files(Lexicon(spellings), words, open_lm(lm, words))


def _one_frame_per_run(log_probs: np.ndarray) -> np.ndarray:
    """Reduce consecutive frames with the same best label to the frame where it is most probable."""
    kept: list[int] = []
    best = log_probs.argmax(axis=1)
    for frame, label in enumerate(best):
        if label == BLANK_INDEX or frame == 0 or best[frame - 1] != label:
            kept.append(frame)
        elif log_probs[frame, label] > log_probs[kept[-1], label]:
            kept[-1] = frame
    return log_probs[kept]
