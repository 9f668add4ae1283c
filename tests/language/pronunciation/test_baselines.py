"""The baselines of spelled words."""

import numpy as np
import pytest

import zoo
from tests.conftest import AN4
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.runtime.keras_model import MODEL
from zoo.language.pronunciation.baselines import letter_baselines, windows
from zoo.language.pronunciation.corpora.an4_words import AN4_WORDS
from zoo.language.pronunciation.corpora.spelled import SpelledWord

RECIPE = "language/bilstm-tagger-an4"


def test_windows_end_with_the_word():
    inputs = {"letters": np.array([[1, 2, 9], [3, 4, 5]]), "lengths": np.array([2, 3])}
    expected = [[0, 1, 2], [1, 2, 0], [0, 3, 4], [3, 4, 5], [4, 5, 0]]
    np.testing.assert_array_equal(windows(inputs, 1), expected)


def test_words_of_an4():
    result = zoo.baseline(RECIPE, data=AN4)
    assert result.baseline.startswith("logistic regression")
    assert result.metrics["accuracy"] > 0.5
    for name in ("accuracy", "per"):
        low, high = result.intervals[name]
        assert low <= result.metrics[name] <= high
        assert low < high


def test_one_tag():
    words = [
        SpelledWord(letters, (letters,), tuple("T" * len(letters))) for letters in ("TT", "TTT")
    ]
    other = SpelledWord("A", ("AH",), ("AH",))
    recipe = entry(RECIPE).recipe().adapt([*words, other])
    with pytest.raises(
        ZooError, match=r"at least two classes. Received: 5 letters of the class 'T'"
    ):
        letter_baselines(recipe.predictor(Graphs("none", {})), words)


def test_errors_of_rows_are_those_of_the_evaluation():
    examples = AN4_WORDS.read(AN4, "test")
    recipe = entry(RECIPE).recipe().adapt(examples)
    size = recipe.data.labels.size

    def cycle(letters, lengths):  # tags that depend on the letter only, mostly wrong
        return {"logits": 9 * np.eye(size)[letters % size], "logit_lengths": lengths}

    predictor = recipe.predictor(Graphs("test", {MODEL: cycle}))
    evaluation = recipe.task.evaluate(predictor, examples)
    found = recipe.task.row_metrics(predictor, evaluation.rows)
    assert found == pytest.approx({name: evaluation.metrics[name] for name in found})
    assert set(found) == {"accuracy", "per"}
