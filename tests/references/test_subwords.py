"""Compare the splitting of words into subwords with the tokenizers of tensorflow_text.

The vocabulary is that of a translation preset. Each piece is a first piece and, with the prefix "##", a
later piece of a word, because the zoo marks the start of a word inside the pieces.

Known differences:

- `FastWordpieceTokenizer` replaces a whole word with an unknown character by the unknown token. The zoo,
  like `WordpieceTokenizer(split_unknown_characters=True)`, replaces only the character.
- `BertTokenizer` also splits at punctuation and CJK characters. The zoo only splits at white space.
"""

import unicodedata

import pytest

from zoo.common.data.text import split_words
from zoo.common.data.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.common.presets import store
from zoo.language.translation.subwords import WORD_START, Subwords, pieces_of

PRESET = "language/attention-multi30k-en-de"
TEXTS = [
    "two young, white males are outside near many bushes.",
    "ein mann mit einem orangefarbenen hut, der etwas anstarrt.",
    "mehrere männer in schutzhelmen bedienen ein antriebsradsystem.",
    "donaudampfschifffahrtsgesellschaft -- 1984!",
]
UNKNOWN_TEXTS = ["a 漢字 sign", "caf\u0117x \u2603"]


@pytest.fixture(scope="module")
def vocabulary():
    path = store.folder_of(PRESET) / VOCABULARY_FILE
    if not path.exists():
        pytest.skip("the presets of the family language are not installed")
    return Vocabulary.from_text(path.read_text("utf-8"), path)


@pytest.fixture(scope="module")
def wordpieces(vocabulary):
    """Return the vocabulary of a tokenizer of tensorflow_text."""
    pieces = pieces_of(vocabulary)
    return [UNKNOWN, *pieces, *(f"##{piece}" for piece in pieces)]


def marked_words(text):
    return [WORD_START + word for word in split_words(text)]


def decoded(tokens):
    """Return pieces without the prefix of later pieces."""
    return [token.decode().removeprefix("##") for token in tokens.numpy()]


def test_wordpiece_tokenizer(tensorflow_text, vocabulary, wordpieces):
    import tensorflow as tf

    table = tf.lookup.StaticVocabularyTable(
        tf.lookup.KeyValueTensorInitializer(wordpieces, tf.range(len(wordpieces), dtype=tf.int64)),
        1,
    )
    tokenizer = tensorflow_text.WordpieceTokenizer(
        table,
        unknown_token=UNKNOWN,
        token_out_type=tf.string,
        split_unknown_characters=True,
        max_bytes_per_word=1000,
    )
    subwords = Subwords(vocabulary)
    for text in TEXTS + UNKNOWN_TEXTS:
        pieces = subwords.split(text)
        assert pieces == decoded(tokenizer.tokenize(marked_words(text)).flat_values)
        assert (UNKNOWN in pieces) == (text in UNKNOWN_TEXTS)


def test_fast_wordpiece_tokenizer(tensorflow_text, vocabulary, wordpieces):
    import tensorflow as tf

    tokenizer = tensorflow_text.FastWordpieceTokenizer(
        wordpieces,
        unknown_token=UNKNOWN,
        token_out_type=tf.string,
        no_pretokenization=True,
        max_bytes_per_word=1000,
    )
    subwords = Subwords(vocabulary)

    def split(text):
        return decoded(tokenizer.tokenize(marked_words(text)).flat_values)

    for text in TEXTS:
        assert subwords.split(text) == split(text)
    assert split(UNKNOWN_TEXTS[1]) == [UNKNOWN, UNKNOWN]  # one per word


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_unicode_normalization(tensorflow_text, vocabulary, form):
    """Normalized by tensorflow_text or by unicodedata, a decomposed text has the pieces of TEXTS."""
    text = TEXTS[2]
    text_nfd = unicodedata.normalize("NFD", text)
    normalized = tensorflow_text.normalize_utf8([text_nfd], form).numpy()[0].decode()
    assert normalized == unicodedata.normalize(form, text_nfd) == text
    subwords = Subwords(vocabulary)
    assert subwords.split(normalized) == subwords.split(text_nfd) == subwords.split(text)


def test_lower_case(tensorflow_text):
    """Lower case in a graph equals that of Python; case folding differs, for example for "ß"."""
    import tensorflow as tf

    text = "ÄRGER Straße ÉTÉ İx ΣΟΦΟΣ"
    plain = text.replace("İx ΣΟΦΟΣ", "")
    assert tf.strings.lower(plain, "utf-8").numpy().decode() == plain.lower()
    assert tensorflow_text.case_fold_utf8(plain).numpy().decode() == plain.casefold()
    assert plain.casefold() != plain.lower()
