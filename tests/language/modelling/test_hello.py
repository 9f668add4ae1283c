"""The smallest recipe: it finds its corpus in the package and learns "hello"."""

import pytest

import zoo
from tests.harness import check_model
from zoo.common.core.registry import entry
from zoo.common.runtime.preset import load_preset
from zoo.language.modelling.corpora.hello import HELLO, LINES

NAME = "language/charlstm-hello"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the folder of a run of the unchanged recipe, without a path of its corpus."""
    folder = tmp_path_factory.mktemp("runs") / "hello"
    zoo.train(NAME, out=folder)
    return folder


def test_splits_contain_the_word():
    texts = {text.split: text.text for text in HELLO.read(HELLO.folder, "all")}
    assert texts == {"train": "hello\n" * LINES, "valid": "hello\n", "test": "hello\n"}


def test_the_vocabulary_is_the_four_letters_and_the_end_of_the_line():
    recipe = entry(NAME).recipe()
    examples = recipe.data.prepare(HELLO.read(HELLO.folder, "train"))
    assert recipe.adapt(examples).data.vocabulary.tokens == ("\n", "l", "e", "h", "o")
    assert recipe.adapt(examples).model == recipe.model


def test_it_learns_the_word(run):
    result = zoo.evaluate(run)
    assert result.examples == 6
    assert result.metrics["nats_per_char"] < 0.01


def test_it_remembers_the_number_of_letters_l(run):
    preset = load_preset(run)
    recipe = preset.recipe.override({"decoder.sampler": "greedy", "decoder.length": 3})
    predictor = recipe.predictor(preset.graphs)
    answers = recipe.task.predict(predictor, ["h", "he", "hel"])
    assert [answer["output"] for answer in answers] == ["hell", "hello", "hello\n"]
    once, twice = recipe.task.score(predictor, ["hello\n", "helllo\n"])
    assert once["log_probability"] > -0.06 > -1 > twice["log_probability"]


@pytest.mark.slow
def test_harness(tmp_path):
    recipe = entry(NAME).recipe().override({"training.batch_size": 4, "decoder.length": 9})
    examples = recipe.data.prepare(HELLO.read(HELLO.folder, "train"))
    check_model(recipe.adapt(examples), examples, tmp_path / "tiny")
