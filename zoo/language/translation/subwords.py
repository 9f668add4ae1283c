"""Subword units: words are split into pieces of a vocabulary, the longest match first.

The pieces are learned by byte-pair encoding (Sennrich, Haddow & Birch, "Neural machine translation of
rare words with subword units", 2016). A text is split greedily, as in Schuster & Nakajima, "Japanese and
Korean voice search" (2012): this needs only the pieces, and can be done in a TensorFlow graph. On
Multi30k it gives slightly fewer pieces than the merges of byte-pair encoding.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Iterable, Sequence

from zoo.common.core.errors import ZooError
from zoo.common.data.text import single_spaces, split_words
from zoo.common.data.vocabulary import SENTENCE_SPECIALS, UNKNOWN, Vocabulary
from zoo.common.utils.packages import import_package

# Prefix of the first piece of each word, which allows the sentence to be restored.
WORD_START = "\u2581"
CACHED_WORDS = 2**16
MAX_PIECES = 1_000  # a longer text is not a sentence


class Subwords:
    """Split texts into pieces.

    Args:
        vocabulary: the pieces, after the special tokens, which do not occur in a text.
    """

    def __init__(self, vocabulary: Vocabulary):
        self._pieces = set(pieces_of(vocabulary))
        self._longest = max(map(len, self._pieces), default=1)
        self._split_word = functools.lru_cache(CACHED_WORDS)(self._longest_pieces)

    def split(self, text: str) -> list[str]:
        """Return the pieces of a text. A character that is in no piece becomes UNKNOWN."""
        return [piece for word in split_words(text) for piece in self._split_word(word)]

    def _longest_pieces(self, word: str) -> tuple[str, ...]:
        word, pieces = WORD_START + word, []
        while word:
            fitting = (word[:length] for length in range(self._longest, 0, -1))
            piece = next((piece for piece in fitting if piece in self._pieces), None)
            pieces.append(piece or UNKNOWN)
            word = word[len(piece or word[0]) :]
        return tuple(pieces)


def pieces_of(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the tokens of a vocabulary without the special ones."""
    return vocabulary.tokens[len(SENTENCE_SPECIALS) :]


def join_pieces(pieces: Iterable[str]) -> str:
    """Return the text of pieces, with single spaces between words."""
    return "".join(pieces).replace(WORD_START, " ").strip()


def learn_pieces(texts: Sequence[str], count: int) -> Vocabulary:
    """Return a vocabulary of pieces that `sentencepiece` learns from texts.

    Args:
        texts: the texts.
        count: size of the vocabulary, including the special tokens. Short texts give fewer pieces.

    Returns:
        SENTENCE_SPECIALS, then the pieces in the order in which they were learned; single characters are
        the last.

    Raises:
        ZooError: `sentencepiece` is not installed, or the texts have more characters than `count`.
    """
    sentencepiece = import_package("sentencepiece", "sentencepiece", "train")
    texts, written = list(map(single_spaces, texts)), io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=written,
            model_type="bpe",
            vocab_size=count - len(SENTENCE_SPECIALS) + 1,  # it counts the unknown piece
            hard_vocab_limit=False,
            bos_id=-1,
            eos_id=-1,
            character_coverage=1.0,
            normalization_rule_name="identity",
            minloglevel=4,
        )
    except (RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[-120:]
        raise ZooError(
            f"{count} pieces cannot be learned from {len(texts)} texts: {reason}"
        ) from None
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    pieces = [model.id_to_piece(i) for i in range(1, model.get_piece_size())]
    tokens = (*SENTENCE_SPECIALS, *(piece for piece in pieces if piece not in SENTENCE_SPECIALS))
    subwords = Subwords(Vocabulary(tokens, (0,) * len(tokens)))
    return Vocabulary.of(map(subwords.split, texts), tokens)
