"""Places in texts: what is the context, what is drawn, how often, and words that are not known."""

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.vocabulary import Vocabulary
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.embeddings.data import WordPairs, WordWindows
from zoo.language.whole_texts import TokenizedText

VOCABULARY = Vocabulary(("<unk>", "the", "cat", "sat", "mat"), (10, 8, 4, 2, 1))


def windows(**settings) -> WordWindows:
    return WordWindows(vocabulary=VOCABULARY, **settings)


def pairs(**settings) -> WordPairs:
    return WordPairs(vocabulary=VOCABULARY, **settings)


def text(words: str) -> TokenizedText:
    return TokenizedText("t", words.split())


def test_the_splits_are_pieces_one_after_the_other(tmp_path):
    words = [f"w{i}" for i in range(2000)]
    (tmp_path / "enwiki_text8style.txt").write_text(" ".join(words))
    parts = [ENWIKI.read(tmp_path, split)[0].text for split in ("train", "valid", "test")]
    assert "".join(parts) == " ".join(words)
    assert [round(len(part) / len("".join(parts)), 3) for part in parts] == [0.9, 0.05, 0.05]


def test_windows_have_a_known_word_in_the_middle():
    data = windows(window=1)
    context, words = data.places(data.encode(text("the cat dog sat mat the")), None)
    assert [VOCABULARY.decode(row) for row in context] == [
        ["the", "<unk>"],
        ["<unk>", "mat"],
        ["sat", "the"],
    ]
    assert VOCABULARY.decode(words) == ["cat", "sat", "mat"]
    assert data.count_places(data.encode(text("the cat dog sat mat the"))) == 3
    context, words = data.places(data.encode(text("the cat")), None)
    assert (context.shape, words.shape) == ((0, 2), (0,))


def test_pairs_stand_within_the_window_when_unknown_words_are_taken_out():
    data = pairs(window=2)
    context, words = data.places(data.encode(text("the cat dog sat mat")), None)
    found = sorted(zip(VOCABULARY.decode(context[:, 0]), VOCABULARY.decode(words), strict=True))
    assert found == sorted(
        (a, b)
        for a, b in [("the", "cat"), ("the", "sat"), ("cat", "sat"), ("cat", "mat"), ("sat", "mat")]
        for a, b in [(a, b), (b, a)]
    )


def test_in_an_epoch_frequent_words_and_far_ones_are_left_out():
    """By word2vec's formula, and with windows of each size alike."""
    data = pairs(window=2, subsampling=0.1)
    indices = np.tile(data.encode(text("the cat the sat the mat")), 5000)
    generator = np.random.default_rng(1)
    context, words = data.places(indices, generator)
    share = {word: VOCABULARY.counts[i] / 15 for i, word in enumerate(VOCABULARY.tokens) if i}
    keep = {word: min(1, np.sqrt(0.1 / f) + 0.1 / f) for word, f in share.items()}
    mean = np.mean([keep[word] for word in ["the", "cat", "the", "sat", "the", "mat"]])
    assert data.count_places(indices) == pytest.approx(len(indices) * mean * 3)
    assert len(words) == pytest.approx(len(indices) * mean * 3, rel=0.02)
    kept = np.bincount(context[:, 0], minlength=5)[1:] / np.bincount(indices, minlength=5)[1:]
    expected = [3 * keep[word] for word in VOCABULARY.tokens[1:]]
    np.testing.assert_allclose(kept, expected, rtol=0.05)
    everything = pairs(window=1, subsampling=0)
    assert len(everything.places(indices, generator)[1]) == 2 * (len(indices) - 1)


@pytest.mark.parametrize("power", [0.0, 0.75, 1.0])
def test_words_are_drawn_by_a_power_of_their_counts(power):
    data = windows(noise_power=power)
    truth = np.full(20_000, VOCABULARY.index("mat"), np.int32)
    drawn = data.draw(truth, 3, np.random.default_rng(0))
    assert drawn.shape == (20_000, 3)
    weights = np.array([8, 4, 2, 1.0]) ** power
    weights[0] += weights[3]  # "mat" gives way to the next one, which is the first
    weights[3] = 0
    expected = weights / weights.sum()
    np.testing.assert_allclose(
        np.bincount(drawn.ravel(), minlength=5)[1:] / 60_000, expected, atol=0.01
    )


def test_batches_have_every_place_once_in_an_order_of_each_epoch():
    recipe = entry("language/ranking-enwiki").recipe()
    recipe = recipe.override({"data.window": 1, "data.min_count": 1, "training.batch_size": 4})
    examples = [text("the cat sat on the mat and the dog sat on the cat")]
    recipe = recipe.adapt(examples)
    assert recipe.model.context == 2
    data, vocabulary = recipe.data, recipe.data.vocabulary

    def read(epoch):
        return [
            (*vocabulary.decode(row), vocabulary.tokens[candidates[0]])
            for x, y, _ in data.batches(None, recipe, examples, epoch)
            for row, candidates, true in zip(x["context"], x["candidates"], y["true"], strict=True)
            if true == 0 and candidates[1] not in (0, candidates[0])
        ]

    words = examples[0].tokens
    expected = [(a, c, b) for a, b, c in zip(words, words[1:], words[2:], strict=False)]
    assert sorted(read(0)) == sorted(expected)
    assert read(0) == read(0) != read(1)
    assert recipe.data.steps_per_epoch(recipe, examples) == 3


def test_a_part_of_a_text_has_the_windows_that_were_asked_for():
    data, recipe = windows(window=2), None
    examples = [text("the cat"), text("the cat sat mat the cat sat mat")]
    assert data.num_windows(examples, recipe) == 4
    taken = data.take_windows(examples, 3, recipe)
    assert data.num_windows(taken, recipe) == 3
    assert taken[0].tokens == examples[1].tokens[:7]


def test_a_word_is_found_as_it_is_written_or_in_lower_case():
    data = windows()
    assert data.read_input(" Cat\n", None) == {"tokens": 2, "word": "cat"}
    assert data.find("dog") is data.find("<unk>") is None
    cased = WordWindows(vocabulary=Vocabulary(("<unk>", "May", "may"), (0, 1, 1)))
    assert (cased.find("May"), cased.find("MAY")) == ("May", "may")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("catt", r"knows 4 words\. Received: 'catt'\. Did you mean 'cat' or"),
        ("zzz", r"knows 4 words\. Received: 'zzz'\.$"),
        ("<unk>", "Received: '<unk>'"),
        ("", r"The text is empty\."),
        (" \t", r"The text is empty\."),
        ("\ud800", "not UTF-8"),
        ("two words", "Received: 'two words'"),
        ("x" * 1_000_000, "Received: 'x{80}'"),
    ],
)
def test_a_word_that_is_not_known(word, message):
    with pytest.raises(ZooError, match=message):
        windows().read_input(word, None)


def test_texts_that_cannot_be_learnt_from():
    recipe = entry("language/ranking-enwiki").recipe()
    recipe = recipe.override({"data.min_count": 1, "data.window": 5})
    good, short = text("a b c d e f g h i j k l"), text("a b c")
    recipe = recipe.adapt([good, short])
    assert recipe.data.filter_examples([good, short], recipe) == ([good], {"too short": 1})
    with pytest.raises(ZooError, match="No text has a known word with 5 words on each side"):
        recipe.data.filter_examples([short], recipe)
    rare = entry("language/ranking-enwiki").recipe().adapt([good])
    with pytest.raises(ZooError, match=r"two words or more that stand 5 times .* Received: 0\."):
        rare.data.filter_examples([good], rare)


def test_bad_settings():
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
