"""Test the answer about the log-probability of a text."""

import numpy as np
import pytest

from zoo.common.decoding.scores import token_scores


def test_scores_of_a_text():
    answer = token_scores("a b", ["a", "b", "<eos>"], np.log(np.float32([0.5, 0.25, 0.125])))
    assert answer["input"] == "a b"
    assert [row["token"] for row in answer["tokens"]] == ["a", "b", "<eos>"]
    scores = [row["log_probability"] for row in answer["tokens"]]
    assert scores == pytest.approx([-0.6931472, -1.3862944, -2.0794415])
    assert answer["log_probability"] == pytest.approx(-4.1588831)
    assert answer["perplexity"] == pytest.approx(4)
