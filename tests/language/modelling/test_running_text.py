"""Running text as data: batches, the dev split, inputs; it works without TensorFlow."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tests.language.epochs import epoch_batches
from zoo.api.suited import suit
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.language.modelling.batching import running_batches
from zoo.language.modelling.data import SAMPLE, RunningText
from zoo.language.whole_texts import TokenizedText

CHARACTERS, WORDS = "language/charlstm-shakespeare", "language/lstm-small-ptb"


@pytest.fixture(scope="module")
def characters():
    """Return a recipe with the vocabulary of the sample, and the sample."""
    recipe = registry.entry(CHARACTERS).recipe()
    examples = recipe.data.read_manifest(SAMPLE)
    return recipe.adapt(examples), examples


def test_batches_cover_the_text():
    """Each target is the token after its input, and no token occurs twice."""
    text = np.arange(1000, dtype=np.int32)
    batches = running_batches(text, 4, 16, np.random.default_rng(3))
    rows = list(batches)
    tokens = np.concatenate([x["tokens"] for x, _, _ in rows], axis=1)
    targets = np.concatenate([y["targets"] for _, y, _ in rows], axis=1)
    assert tokens.shape == (4, 16 * len(rows))
    np.testing.assert_array_equal(targets, tokens + 1)
    assert len(np.unique(tokens)) == tokens.size > 1000 - 16 - 4 * 16
    np.testing.assert_array_equal(np.diff(tokens, axis=1), 1)
    assert [bool(x["reset_states"].all()) for x, _, _ in rows] == [True] + [False] * (len(rows) - 1)
    for x, _, ids in rows:
        assert list(ids) == [f"token {first}" for first in x["tokens"][:, 0]]
    np.testing.assert_array_equal(next(iter(batches))[0]["tokens"], rows[0][0]["tokens"])


def test_batches_match_their_spec(characters):
    recipe, examples = characters
    recipe = recipe.override({"training.batch_size": 4, "data.time_steps": 16})
    batches = epoch_batches(recipe, examples)
    x, y, ids = next(iter(batches))
    assert batches.spec == (
        {"tokens": ((4, 16), "int32"), "reset_states": ((4,), "bool")},
        {"targets": ((4, 16), "int32")},
    )
    for arrays, spec in zip((x, y), batches.spec, strict=True):
        assert {name: (a.shape, a.dtype.name) for name, a in arrays.items()} == spec
    assert len(ids) == 4
    assert 0 <= batches.steps - len(list(batches)) <= 1


def test_epochs_divide_the_text_at_different_positions(characters):
    recipe, examples = characters
    recipe = recipe.override({"training.batch_size": 4})
    first = [next(iter(epoch_batches(recipe, examples, epoch)))[2][0] for epoch in (0, 1, 2, 0)]
    assert first[0] == first[3]
    assert len(set(first)) > 1


def test_a_text_that_is_too_short_for_a_batch_is_an_error():
    with pytest.raises(ZooError, match="A text of 10 tokens is too short for batches of 4 rows"):
        running_batches(np.arange(10), 4, 16, np.random.default_rng(0))


def test_dev_is_the_beginning_of_each_text(characters):
    recipe, examples = characters
    train, dev = recipe.data.split_dev(examples, 0.1, 0)
    assert dev[0].tokens + train[0].tokens == examples[0].tokens
    assert len(dev[0].tokens) == pytest.approx(0.1 * len(examples[0].tokens), abs=1)


def test_the_vocabulary_begins_with_the_start_token(characters, tmp_path):
    recipe, _ = characters
    assert recipe.data.vocabulary.tokens[0] == "\n"
    store.save_recipe(tmp_path, recipe)
    assert store.load_recipe(tmp_path) == recipe
    with pytest.raises(ZooError, match=r"first tokens of vocabulary\.txt must be '<eos>'"):
        RunningText(tokenization="word", vocabulary=recipe.data.vocabulary)


def test_a_token_that_is_not_in_the_vocabulary(characters, tmp_path):
    recipe, _ = characters
    (tmp_path / "other.txt").write_text("so 日", encoding="utf-8")
    other = recipe.data.read_manifest(tmp_path / "other.txt")
    with pytest.raises(ZooError, match=r"other.txt: '日' is not in the vocabulary"):
        recipe.data.filter_examples(other, recipe.model)


def test_rare_words_are_not_in_the_vocabulary():
    recipe = replace(registry.entry(WORDS).recipe(), data=RunningText(min_count=2))
    recipe = recipe.adapt(recipe.data.read_manifest(SAMPLE))
    counts = recipe.data.vocabulary.counts[2:]
    assert min(counts) == 2
    assert recipe.data.read_input("the zyzzyva", recipe.model)["tokens"].tolist() == [
        0,
        recipe.data.vocabulary.index("the"),
        1,
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text is empty"),
        (os.fsdecode(b"caf\xe9"), "not UTF-8: the character at position 3"),
        ("日本", "No character of the text is in the vocabulary of"),
        (7, "must be a str. Received: int"),
        ("so 日", "'日' is not in the vocabulary"),
    ],
)
def test_a_bad_text_is_an_error_of_one_line(characters, text, message):
    recipe, _ = characters
    with pytest.raises(ZooError, match=message) as error:
        recipe.data.read_input(text, recipe.model)
    assert "\n" not in str(error.value)


def test_continue_text(characters):
    recipe, _ = characters
    data = recipe.data
    assert data.continue_text("ROMEO:\n", data.vocabulary.encode("To")) == "ROMEO:\nTo"
    words = RunningText().adapt(RunningText().read_manifest(SAMPLE), recipe.model)[0]
    indices = words.vocabulary.encode(["the", "<eos>", "<eos>", "of"])
    assert words.continue_text("Xyz  says", indices) == "Xyz says the\n\nof"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"tokenization": "byte"}, "must be one of 'word', 'character'"),
        ({"min_count": 0}, "data.min_count must be at least 1"),
        ({"time_steps": 0}, "data.time_steps must be at least 1"),
    ],
)
def test_bad_settings(setting, message):
    with pytest.raises(ZooError, match=message):
        RunningText(**setting)


def test_training_batches_need_no_tensorflow():
    """Batches can be made where only JAX or PyTorch is installed."""
    code = """
import sys
sys.modules["tensorflow"] = None
from tests.language.epochs import epoch_batches
from zoo.api.suited import suit
from zoo.common.core import registry
from zoo.language.modelling.data import SAMPLE
for name in ("language/charlstm-shakespeare", "language/lstm-small-ptb"):
    recipe = registry.entry(name).recipe()
    recipe = recipe.override({"training.batch_size": 2, "data.time_steps": 5})
    examples = recipe.data.read_manifest(SAMPLE)
    recipe = recipe.adapt(examples)
    x, y, ids = next(iter(epoch_batches(recipe, examples)))
    inputs = recipe.data.example_inputs(recipe.model, recipe.decoder)
    print(x["tokens"].shape, len(inputs["step"]))
assert "keras" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["(2, 5) 4", "(2, 5) 4"], done.stderr


def test_windows_to_overfit(characters):
    """`--overfit 3` trains on three windows, not on a whole corpus."""
    recipe, (text,) = characters
    steps = recipe.data.time_steps
    (first,) = recipe.data.take_windows([text], 3, recipe.model)
    assert first.tokens == text.tokens[: 3 * steps]
    assert recipe.data.num_windows([first], recipe.model) == 3
    short = replace(text, tokens=text.tokens[: 2 * steps + 5])
    tiny = replace(text, tokens=text.tokens[: steps - 1])
    taken = recipe.data.take_windows([tiny, short, text, text], 3, recipe.model)
    assert [len(part.tokens) for part in taken] == [2 * steps + 5, steps]


def test_own_words_get_an_unknown_word_that_is_learned(tmp_path):
    """A word that occurs only in dev, or once, is read as the unknown word, which train has."""
    path = tmp_path / "own.txt"
    path.write_text(
        "only here only here\n" + "the cat sat\nthe dog sat\nthe dog ran\n" * 3 + "rare\n"
    )
    recipe = registry.entry(WORDS).recipe().from_scratch()
    data = recipe.data
    train, dev = data.split_dev(data.read_manifest(path), 0.1, seed=0)
    assert "only" in dev[0].tokens
    suited = suit(recipe, train, ())
    assert suited.data.min_count == 2
    suited = suited.adapt(suited.data.vocabulary_examples(train, dev))
    assert set(suited.data.vocabulary.tokens) == {
        "<eos>",
        "<unk>",
        "the",
        "cat",
        "dog",
        "sat",
        "ran",
    }
    unknown = suited.data.vocabulary.index("only")
    assert unknown == suited.data.vocabulary.index("rare")
    assert unknown in suited.data.read_example(train[0], recipe.model)["tokens"]


def test_settings_that_are_given_or_not_needed_are_kept(capsys):
    recipe = registry.entry(WORDS).recipe()
    text = TokenizedText("own", ["a", "b", "<unk>", "<eos>"] * 10_000_000)
    assert recipe.data.suited_settings([text], recipe.model) == {}
    small = replace(text, tokens=text.tokens[:40])
    assert "data.min_count" not in recipe.data.suited_settings([small], recipe.model)
    own = TokenizedText("own", ["a", "b", "<eos>"] * 10)
    assert suit(recipe, [own], {"data.min_count"}).data.min_count == 1
    capsys.readouterr()
    assert suit(recipe, [own], ()).data.min_count == 2
    assert "Chosen for 30 tokens: data.min_count=2" in capsys.readouterr().err
    tiny = suit(recipe, [own], ())
    assert tiny.data.time_steps * tiny.training.batch_size < 30
    usual = suit(recipe, [replace(own, tokens=own.tokens * 1000)], ())
    assert (usual.data.time_steps, usual.training.batch_size) == (35, 10)
    characters = registry.entry(CHARACTERS).recipe()
    assert suit(characters, [own], ()) == characters
    assert characters.data.vocabulary_examples([own], [text]) == [own, text]
