"""Random Unicode through the readers of texts and through the graphs of their SavedModels.

A reader converts a text to NFC. A graph cannot, and refuses other texts. For a text in NFC both give the
same model inputs, or both refuse it.
"""

import unicodedata

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zoo.common.core.errors import ZooError
from zoo.common.data.text import SPACE, normalize, single_spaces, split_words
from zoo.common.data.vocabulary import PAD, SENTENCE_SPECIALS, UNKNOWN, Vocabulary
from zoo.language.classification.data import LabelledText
from zoo.language.embeddings.context_windows import CenterWords
from zoo.language.modelling.data import RunningText
from zoo.language.pronunciation.data import Spelling
from zoo.language.text_in_graph import is_normal
from zoo.language.tokenization import END_OF_LINE
from zoo.language.translation.data import ParallelText
from zoo.language.translation.subwords import WORD_START

WORDS = ["café", "naïve", "straße", "क़लम", "isn't", "n't", "is", "the", "ΣΑΣ", "σας", "i", "가"]


def vocabulary(*specials: str) -> Vocabulary:
    tokens = (*specials, *(word for word in WORDS if word not in specials))
    return Vocabulary(tokens, (1,) * len(tokens))


LETTERS = sorted({letter for word in WORDS for letter in word.lower()})
PIECES = (*SENTENCE_SPECIALS, WORD_START, *LETTERS, *(WORD_START + letter for letter in LETTERS))
DATA = {
    "words": RunningText(vocabulary=vocabulary(END_OF_LINE, UNKNOWN)),
    "characters": RunningText(
        tokenization="character",
        vocabulary=Vocabulary(("\n", " ", *LETTERS), (1,) * (len(LETTERS) + 2)),
    ),
    "classes": LabelledText(vocabulary=vocabulary(PAD, UNKNOWN)),
    "pieces": ParallelText(vocabulary=Vocabulary(PIECES, (1,) * len(PIECES))),
    "spelling": Spelling(),
    "embedding": CenterWords(vocabulary=vocabulary(UNKNOWN)),
}
# The model input that holds the tokens of a text.
INPUTS = {"pieces": "source", "spelling": "letters"}
# Examples of each property. They are the same in every run.
EXAMPLES = 40
SPACES = " \t\n\r\0\x1c\x85\xa0\u2009\u200b\u2028\u3000\ufeff"
GRAPHS = {}
# The kinds of data whose answers have the number of unknown tokens.
COUNTING = ("words", "classes", "pieces")

texts = st.one_of(
    st.text(max_size=12),
    st.lists(
        st.one_of(
            st.sampled_from(WORDS),
            st.sampled_from(WORDS).map(lambda word: unicodedata.normalize("NFD", word)),
            st.sampled_from([*SPACES, "’", "-", "!", "\u0301", "\u0323", "\u093c"]),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=8,
    ).map("".join),
)


def graph_input(name: str, text: str):
    """Return the tokens of a text in the graph of `serving_default`; None if it is refused."""
    outputs = graph_outputs(name, text)
    return None if outputs is None else outputs[INPUTS.get(name, "tokens")].numpy()[0]


def graph_outputs(name: str, text: str):
    """Return the model inputs and the metadata of a text in the graph; None if it is refused."""
    if name not in GRAPHS:
        entry = DATA[name].raw_inputs(None, None)["serving_default"]

        def call(text):
            inputs = entry.to_inputs(text)
            return inputs | entry.metadata(inputs)

        GRAPHS[name] = tf.function(call, input_signature=[tf.TensorSpec([None], tf.string)])
    try:
        return GRAPHS[name](tf.constant([text, text]))
    except tf.errors.InvalidArgumentError:
        return None


def reader_input(name: str, text: str):
    """Return the tokens of a text in the reader; None if it is refused."""
    try:
        return DATA[name].read_input(text, None)[INPUTS.get(name, "tokens")]
    except ZooError:
        return None


@pytest.mark.parametrize("name", DATA)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(text=texts)
@example(text="cafe\u0301")
@example(text="the\u00a0café")
@example(text="the\0café")
@example(text=" ")
@example(text="xyzzy")
@example(text="isn't\u00e9")
@example(text="ΣΑΣ\ufeffA the")
def test_reader_and_graph_agree(name, text):
    read = reader_input(name, text)
    np.testing.assert_equal(reader_input(name, normalize(text)), read)  # the form has no effect
    found = graph_input(name, text)
    if text != normalize(text):
        assert found is None
    elif name == "embedding" and read is None and found is not None:
        assert found == 0  # the graph answers an unknown word with `known` = False
    elif read is None or found is None:
        assert read is None
        assert found is None
    else:
        np.testing.assert_array_equal(found, read)
        if name in COUNTING:
            unknown = DATA[name].read_input(text, None)["unknown"]
            assert graph_outputs(name, text)["unknown"].numpy().tolist() == [unknown] * 2


def test_unknown_tokens_of_a_batch_are_counted():
    entry = DATA["classes"].raw_inputs(None, None)["serving_default"]
    inputs = entry.to_inputs(tf.constant(["the xyzzy is plugh", "the"]))
    assert entry.metadata(inputs)["unknown"].numpy().tolist() == [2, 0]
    assert DATA["spelling"].raw_inputs(None, None)["serving_default"].metadata({}) == {}


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(text=st.one_of(texts, texts.map(lambda text: unicodedata.normalize("NFD", text))))
@example(text="\u00e9\u0323")
@example(text="e\u0331\u0301")
@example(text="\u1100\u1161\u11a8")
def test_graph_recognizes_the_normal_form(text):
    assert bool(is_normal(tf.constant([text, "a"]))) == (text == normalize(text))


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(text=texts)
def test_words_have_no_white_space_and_are_separated_by_it(text):
    words = split_words(text)
    assert split_words(single_spaces(text)) == words
    assert not any(tf.strings.regex_full_match(word, f"(?s).*{SPACE}.*") for word in words)
    assert all(map(str.strip, words))


@pytest.mark.parametrize("name", ["words", "characters", "classes", "pieces", "embedding"])
def test_a_decomposed_word_is_the_composed_word(name):
    np.testing.assert_array_equal(reader_input(name, "cafe\u0301"), reader_input(name, "café"))


@pytest.mark.parametrize("space", SPACES)
def test_every_white_space_separates_words(space):
    expected = reader_input("classes", "the café")
    for read in (reader_input, graph_input):
        np.testing.assert_array_equal(read("classes", f"the{space}café"), expected)
