"""Test that the answers to segments are joined to one answer, with times of the whole input."""

import pytest

from zoo.common.core.capabilities import Segment
from zoo.common.decoding import segments
from zoo.common.decoding.segments import batches, count_detections, join_texts, merge_detections


def segment(begin: float, end: float) -> Segment:
    return Segment(begin, end, {"x": begin})


def word(text: str, begin: float, end: float) -> dict:
    return {"word": text, "begin": begin, "end": end, "confidence": 0.5}


def answer(output: str, log_probability: float, confidence: float = 0.5, **rest) -> dict:
    scores = {"log_probability": log_probability, "confidence": confidence}
    return {"output": output, **scores, **rest}


def test_texts_and_times_of_words_are_joined():
    joined = join_texts(
        [
            (
                segment(0.0, 2.00049),
                answer("A B", -1.5, words=[word("A", 0.1, 0.25)]),
            ),
            (segment(2.0, 3.0), answer("", -0.25, words=[])),
            (
                segment(3.1236, 5.0),
                answer("C", -2.0, words=[word("C", 0.5, 1.00049)]),
            ),
        ]
    )
    assert joined == {
        "output": "A B C",
        "log_probability": -3.75,
        "confidence": pytest.approx(0.5),
        "segments": [
            {"begin": 0.0, "end": 2.0, "output": "A B"},
            {"begin": 3.124, "end": 5.0, "output": "C"},
        ],
        "words": [word("A", 0.1, 0.25), word("C", 3.624, 4.124)],
    }


def test_texts_without_words_and_without_segments():
    joined = join_texts([(segment(0, 1), answer("A", -1.0))])
    assert joined["output"] == "A"
    assert "words" not in joined
    assert join_texts([]) == answer("", 0.0, confidence=1.0, segments=[])
    silent = answer("", -1.0, words=[])
    assert join_texts([(segment(0, 1), silent)])["words"] == []


def test_batches_have_all_segments_in_order(monkeypatch):
    class Stub:
        def collate(self, items):
            return [item["x"] for item in items]

    monkeypatch.setattr(segments, "BATCH_SIZE", 2)
    found = list(batches(Stub(), [segment(i, i + 1) for i in range(5)]))
    assert [inputs for _, inputs in found] == [[0, 1], [2, 3], [4]]
    assert [[s.begin for s in batch] for batch, _ in found] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(0, 1, "a", 0.5), (1, 2, "a", 0.25)], [(0, 2, "a", 0.5)]),
        ([(0, 2, "a", 0.5), (1, 3, "a", 0.75)], [(0, 3, "a", 0.75)]),
        ([(0, 1, "a", 0.5), (1.001, 2, "a", 0.25)], [(0, 1, "a", 0.5), (1.001, 2, "a", 0.25)]),
        ([(0, 1, "a", 0.5), (1.0004, 2, "a", 0.25)], [(0, 2, "a", 0.5)]),
        ([(0, 1, "a", 0.5), (1, 2, "b", 0.25)], [(0, 1, "a", 0.5), (1, 2, "b", 0.25)]),
        ([], []),
    ],
)
def test_detections_that_touch_and_have_one_label_are_merged(found, expected):
    merged = merge_detections((segment(b, e), label, p) for b, e, label, p in found)
    keys = ("begin", "end", "label", "confidence")
    assert merged == [dict(zip(keys, row, strict=True)) for row in expected]


def test_number_of_detections_as_text():
    numbers = [count_detections([{}] * count) for count in range(3)]
    assert numbers == ["no detections", "1 detection", "2 detections"]
