"""Context windows: contexts, drawn words, batches, and unknown words."""

import numpy as np
import pytest

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.vocabulary import Vocabulary
from zoo.language.embeddings.context_windows import CenterWords, SkipGramPairs
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.whole_texts import TokenizedText

VOCABULARY = Vocabulary(("<unk>", "the", "cat", "sat", "mat"), (10, 8, 4, 2, 1))


def center_words(**settings) -> CenterWords:
    return CenterWords(vocabulary=VOCABULARY, **settings)


def skip_gram_pairs(**settings) -> SkipGramPairs:
    return SkipGramPairs(vocabulary=VOCABULARY, **settings)


def text(words: str) -> TokenizedText:
    return TokenizedText("t", words.split())


def test_splits_are_consecutive_parts(tmp_path):
    words = [f"w{i}" for i in range(2000)]
    (tmp_path / "enwiki_text8style.txt").write_text(" ".join(words))
    parts = [ENWIKI.read(tmp_path, split)[0].text for split in ("train", "valid", "test")]
    assert "".join(parts) == " ".join(words)
    assert [round(len(part) / len("".join(parts)), 3) for part in parts] == [0.9, 0.05, 0.05]


def test_center_word_is_in_the_vocabulary():
    data = center_words(window=1)
    context, words = data.windows(data.encode(text("the cat dog sat mat the")), None)
    assert [VOCABULARY.decode(row) for row in context] == [
        ["the", "<unk>"],
        ["<unk>", "mat"],
        ["sat", "the"],
    ]
    assert VOCABULARY.decode(words) == ["cat", "sat", "mat"]
    assert data.count_windows(data.encode(text("the cat dog sat mat the"))) == 3
    context, words = data.windows(data.encode(text("the cat")), None)
    assert (context.shape, words.shape) == ((0, 2), (0,))


def test_unknown_words_are_removed_before_pairs_are_formed():
    data = skip_gram_pairs(window=2)
    context, words = data.windows(data.encode(text("the cat dog sat mat")), None)
    found = sorted(zip(VOCABULARY.decode(context[:, 0]), VOCABULARY.decode(words), strict=True))
    assert found == sorted(
        (a, b)
        for a, b in [("the", "cat"), ("the", "sat"), ("cat", "sat"), ("cat", "mat"), ("sat", "mat")]
        for a, b in [(a, b), (b, a)]
    )


def test_epoch_samples_frequent_words_and_distant_pairs_less_often():
    """Words are sampled by word2vec's formula, and window sizes uniformly."""
    data = skip_gram_pairs(window=2, subsampling=0.1)
    indices = np.tile(data.encode(text("the cat the sat the mat")), 5000)
    generator = np.random.default_rng(1)
    context, words = data.windows(indices, generator)
    share = {word: VOCABULARY.counts[i] / 15 for i, word in enumerate(VOCABULARY.tokens) if i}
    keep = {word: min(1, np.sqrt(0.1 / f) + 0.1 / f) for word, f in share.items()}
    mean = np.mean([keep[word] for word in ["the", "cat", "the", "sat", "the", "mat"]])
    assert data.count_windows(indices) == pytest.approx(len(indices) * mean * 3)
    assert len(words) == pytest.approx(len(indices) * mean * 3, rel=0.02)
    kept = np.bincount(context[:, 0], minlength=5)[1:] / np.bincount(indices, minlength=5)[1:]
    expected = [3 * keep[word] for word in VOCABULARY.tokens[1:]]
    np.testing.assert_allclose(kept, expected, rtol=0.05)
    everything = skip_gram_pairs(window=1, subsampling=0)
    assert len(everything.windows(indices, generator)[1]) == 2 * (len(indices) - 1)


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_words_are_drawn_with_a_power_of_their_counts(power):
    data = center_words(noise_power=power)
    truth = np.full(20_000, VOCABULARY.index("mat"), np.int32)
    drawn = data.draw(truth, 3, np.random.default_rng(0))
    assert drawn.shape == (20_000, 3)
    weights = np.array([8, 4, 2, 1.0]) ** power
    weights[0] += weights[3]  # the word after "mat", the first one, replaces it
    weights[3] = 0
    expected = weights / weights.sum()
    np.testing.assert_allclose(
        np.bincount(drawn.ravel(), minlength=5)[1:] / 60_000, expected, atol=0.01
    )


def test_batches_contain_each_window_once_in_random_order():
    recipe = entry("language/ranking-enwiki").recipe()
    recipe = recipe.override({"data.window": 1, "data.min_count": 1, "training.batch_size": 4})
    examples = [text("the cat sat on the mat and the dog sat on the cat")]
    recipe = recipe.adapt(examples)
    assert recipe.model.context == 2
    data, vocabulary = recipe.data, recipe.data.vocabulary

    def batches(number):
        return data.batches(examples, recipe.model, None, Epoch(number, 4, seed=0))

    def read(number):
        return [
            (*vocabulary.decode(row), vocabulary.tokens[candidates[0]])
            for x, y, _ in batches(number)
            for row, candidates, true in zip(x["context"], x["candidates"], y["true"], strict=True)
            if true == 0 and candidates[1] not in (0, candidates[0])
        ]

    words = examples[0].tokens
    expected = [(a, c, b) for a, b, c in zip(words, words[1:], words[2:], strict=False)]
    assert sorted(read(0)) == sorted(expected)
    assert read(0) == read(0) != read(1)
    assert batches(0).steps == 3


def test_take_windows_returns_the_requested_number():
    data, model = center_words(window=2), None
    examples = [text("the cat"), text("the cat sat mat the cat sat mat")]
    assert data.num_windows(examples, model) == 4
    taken = data.take_windows(examples, 3, model)
    assert data.num_windows(taken, model) == 3
    assert taken[0].tokens == examples[1].tokens[:7]


def test_word_is_found_as_written_or_in_lower_case():
    data = center_words()
    assert data.read_input(" Cat\n", None) == {"tokens": 2, "word": "cat"}
    assert data.find("dog") is data.find("<unk>") is None
    cased = CenterWords(vocabulary=Vocabulary(("<unk>", "May", "may"), (0, 1, 1)))
    assert (cased.find("May"), cased.find("MAY")) == ("May", "may")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("catt", r"vocabulary of 4 words\. Received: 'catt'\. Did you mean 'cat' or"),
        ("zzz", r"vocabulary of 4 words\. Received: 'zzz'\.$"),
        ("<unk>", "Received: '<unk>'"),
        ("", r"The text is empty\."),
        (" \t", r"The text is empty\."),
        ("\ud800", "not UTF-8"),
        ("two words", "Received: 'two words'"),
        ("x" * 1_000_000, "Received: 'x{80}'"),
    ],
)
def test_invalid_word_is_rejected(word, message):
    with pytest.raises(ZooError, match=message):
        center_words().read_input(word, None)


def test_short_text_and_small_vocabulary_are_rejected():
    recipe = entry("language/ranking-enwiki").recipe()
    recipe = recipe.override({"data.min_count": 1, "data.window": 5})
    good, short = text("a b c d e f g h i j k l"), text("a b c")
    recipe = recipe.adapt([good, short])
    assert recipe.data.filter_examples([good, short], recipe.model) == ([good], {"too short": 1})
    with pytest.raises(ZooError, match="No text has a word of the vocabulary with 5 words on each"):
        recipe.data.filter_examples([short], recipe.model)
    rare = entry("language/ranking-enwiki").recipe().adapt([good])
    with pytest.raises(
        ZooError, match=r"at least two words with a count of at least 5\. Received: 0\."
    ):
        rare.data.filter_examples([good], rare.model)


def test_invalid_setting_is_rejected():
    for name, key, value in (
        ("ranking", "data.window", 0),
        ("ranking", "data.negatives", 0),
        ("ranking", "data.noise_power", 2),
        ("skipgram", "data.subsampling", -1),
        ("skipgram", "data.min_count", 0),
        ("skipgram", "model.embedding_size", 0),
        ("ranking", "model.dropout", 1),
        ("ranking", "task.margin", 0),
    ):
        with pytest.raises(ZooError, match=key):
            entry(f"language/{name}-enwiki").recipe().override({key: value})
