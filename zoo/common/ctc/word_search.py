"""Prefix beam search over words: a lexicon, a language model, hot words. By flashlight-text.

The search goes through the frames and a tree of the spellings in the lexicon at once. It looks for the
text with the best

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
from zoo.common.language_model.lexicon import Lexicon, name_some, read_lexicon, spell_words
from zoo.common.language_model.word_lm import (
    NATS,
    boost,
    flashlight,
    open_lm,
    read_lm_words,
    score_sentence,
)
from zoo.common.utils.progress import say

if TYPE_CHECKING:
    from zoo.common.decoding.decoders import CTCSearch

# Hypotheses so many nats below the best of a frame are dropped.
BEAM_THRESHOLD = 50.0
# The log-probability of what cannot be; finite, for flashlight-text multiplies and subtracts.
NEVER = -1e4


class WordSearch:
    """A search with one decoder through one model's logits."""

    def __init__(self, decoder: CTCSearch, labels: Labels):
        """Read the decoder's files.

        Raises:
            ZooError: one cannot be read or does not fit the labels, or flashlight-text is missing.
        """
        self._decoder, self._unit = decoder, labels.unit
        if decoder.beam_width == 1:
            say("beam_width is 1: a search for words that keeps one labelling. 100 is usual.")
        self._files = _read(decoder.lm, decoder.lexicon, tuple(decoder.boosts), labels)
        self._boosts = {self._files.words.index(w): nats for w, nats in decoder.boosts.items()}
        # A model without a separator gets one: a label behind its own.
        self._own_separator = SEPARATOR in labels.symbols
        self._separator = (
            labels.encode(SEPARATOR)[0] if self._own_separator else BLANK_INDEX + 1 + len(labels)
        )
        self._outputs = BLANK_INDEX + 1 + len(labels) + (not self._own_separator)
        lm, weight = self._files.lm, decoder.lm_weight * NATS
        if self._boosts:
            lm, weight = boost(lm, decoder.lm_weight, self._boosts), 1.0
        self._lm = lm  # for flashlight-text keeps no model alive that is written in Python
        self._search = self._build(weight)

    def _build(self, weight: float) -> Any:
        module, words = flashlight("decoder"), self._files.words
        trie, start = module.Trie(self._outputs, self._separator), self._lm.start(False)
        for number, word in enumerate(words):
            _, log_prob = self._lm.score(start, number)
            for spelling in self._files.lexicon.spellings[word]:
                trie.insert([*spelling, self._separator], number, log_prob)
        trie.smear(module.SmearingMode.MAX)
        options = module.LexiconDecoderOptions(
            beam_size=self._decoder.beam_width,
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
        """Whether a text has one path for each of its alignments. See `_steps`."""
        return self._own_separator or self._unit == "character"

    def search(self, logits: np.ndarray) -> list[Transcription]:
        """Return the best texts, the best first, up to the decoder's `n_best`.

        Args:
            logits: float [time, vocabulary_size], unnormalised, true frames only.
        """
        steps = self._steps(log_softmax(np.asarray(logits, np.float64), np))
        found: dict[tuple[int, ...], tuple[float, Any]] = {}
        for result in self._search.decode(steps.ctypes.data, *steps.shape):
            words = tuple(word for word in result.words if word >= 0)
            # One that ends within a word has paid for that at the last step.
            unfinished = result.tokens[len(steps)] != self._separator
            score = result.score - NEVER * unfinished
            before, best = found.get(words, (-math.inf, result))  # the same words, other paths
            found[words] = (float(np.logaddexp(before, score)), best)
        order = sorted(found.items(), key=lambda item: -item[1][0])[: self._decoder.n_best]
        return [self._transcription(words, *how) for words, how in order]

    def _steps(self, log_probs: np.ndarray) -> np.ndarray:
        """The frames as flashlight-text searches them: float32 [steps, outputs].

        There, each word ends in a separator. An input need not: a separator is added at its end.

        Where a model has none, an input is one word, if its labels are letters. If they are more, such
        as phonemes, words follow each other without a sign. So a step is put between any two frames at
        which a word may end. No label can last across it: frames in a row with the same best label
        count as one, that of its largest probability. As a word may end at any step up to the next,
        a text has several paths for one alignment, so the best path stands for all.
        """
        end = np.full((1, self._outputs), NEVER)
        end[0, self._separator] = 0.0
        if self._own_separator:
            return np.concatenate([log_probs, end]).astype(np.float32)
        if self._unit == "word":
            log_probs = _one_frame_a_run(log_probs)
        frames = np.pad(log_probs, ((0, 0), (0, 1)), constant_values=NEVER)
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


# One is kept: the answers to many inputs are searched with the same files.
@functools.lru_cache(maxsize=1)
def open_word_search(decoder: CTCSearch, labels: Labels) -> WordSearch:
    """Return the search with a decoder for a model that writes these labels. Raises as `WordSearch`."""
    return WordSearch(decoder, labels)


class _Files(NamedTuple):
    """What was read: each word's spellings, the words by number, flashlight-text's `LM`."""

    lexicon: Lexicon
    words: tuple[str, ...]
    lm: Any


@functools.lru_cache(maxsize=1)
def _read(
    lm: Path | None, lexicon: Path | None, hot_words: tuple[str, ...], labels: Labels
) -> _Files:
    flashlight("decoder")
    known, knows_unknown = read_lm_words(lm) if lm else ([], True)
    read = read_lexicon(lexicon, labels) if lexicon else spell_words(known, labels, lm)
    spellings = dict(read.spellings)
    if read.left_out and not lexicon and labels.unit == "word":
        # A phoneme and a spelled letter may be called the same: "T" is no T of a word.
        raise ZooError(
            f"lexicon must be given, with the symbols of each word: the model writes "
            f"{name_some(labels.symbols)}, and not the words of {lm}. "
            f"Received: {name_some(read.left_out)}."
        )
    if read.left_out:
        say(
            f"Left out of the search: {len(read.left_out)} words of {lexicon or lm} that the model "
            f"cannot write: {name_some(read.left_out)}."
        )
    for word in hot_words:
        if word not in spellings:
            spellings |= spell_words([word], labels, "A hot word").spellings
    unknown = dict.fromkeys(spellings.keys() - set(known)) if lm else {}
    hot = [word for word in hot_words if word in unknown]
    if hot and not knows_unknown:
        raise ZooError(f"{lm} has no <unk>, so a hot word must stand in it. Received: {hot[0]!r}.")
    if len(unknown) == len(spellings):
        raise ZooError(
            f"{lexicon} and {lm} have no word in common. Received: {name_some(read.spellings)}; "
            f"{name_some(known)}."
        )
    if not knows_unknown:
        spellings = {word: ways for word, ways in spellings.items() if word not in unknown}
    if unknown:
        what = "count as <unk>" if knows_unknown else "are left out"
        say(f"{len(unknown)} words that {lm} does not know {what}: {name_some(sorted(unknown))}.")
    words = tuple(spellings)
    return _Files(Lexicon(spellings), words, open_lm(lm, words))


def _one_frame_a_run(log_probs: np.ndarray) -> np.ndarray:
    """Of frames in a row with the same best label, the one where it is most probable."""
    kept: list[int] = []
    best = log_probs.argmax(axis=1)
    for frame, label in enumerate(best):
        if label == BLANK_INDEX or frame == 0 or best[frame - 1] != label:
            kept.append(frame)
        elif log_probs[frame, label] > log_probs[kept[-1], label]:
            kept[-1] = frame
    return log_probs[kept]
