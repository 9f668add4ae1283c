"""The confidence of generated texts, and the threshold of the warning."""

import math

import pytest

from zoo.common.core.capabilities import Segment
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.decoding.confidence import choose_warn_below, confidence, warned
from zoo.common.decoding.segments import join_texts


def evaluation(rows):
    return Evaluation({"wer": 0.0}, len(rows), 0.0, [], rows)


def test_confidence_does_not_depend_on_length():
    for parts in (1, 5, 50):
        assert confidence(parts * math.log(0.7), parts) == pytest.approx(0.7)


def test_one_percent_of_dev_is_below_the_threshold():
    rows = [{"confidence": i / 200} for i in range(200)] + [{"error": "unreadable"}]
    options, line = choose_warn_below(evaluation(rows))
    assert options == {"warn_below": pytest.approx(0.01, abs=1e-3)}
    assert line == "warn_below 0.01: confidence of 2 of 200 examples is below it"
    answers = [warned(row, options["warn_below"]) for row in rows[:200]]
    assert ["warning" in answer for answer in answers] == [True] * 2 + [False] * 198
    with pytest.raises(ZooError, match=r"at least 50 readable examples\. Received: 49\."):
        choose_warn_below(evaluation(rows[:49]))


def test_segments_are_weighted_by_duration():
    answers = [
        (Segment(0.0, 1.0, {}), {"output": "a", "log_probability": -1.0, "confidence": 0.25}),
        (Segment(2.0, 5.0, {}), {"output": "", "log_probability": -1.0, "confidence": 1.0}),
    ]
    assert join_texts(answers)["confidence"] == pytest.approx(0.25**0.25)
    assert join_texts([])["confidence"] == 1.0
