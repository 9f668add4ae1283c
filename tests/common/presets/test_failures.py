"""The answers of an evaluation that the card of a preset shows."""

import pytest

from zoo.common.core.registry import entry
from zoo.common.presets.failures import show, worst_answers

SPEECH = entry("speech/bilstm-ctc-an4").recipe()
TRANSLATION = entry("language/attention-multi30k-en-de").recipe()
SENTENCES = entry("language/bilstm-sst2").recipe()


def spoken(number: int, output: str, wer: float, confidence: float) -> dict:
    row = {"id": f"clip {number}", "reference": "GO ON", "output": output, "raw": output}
    return row | {"wer": wer, "confidence": confidence}


def test_the_largest_errors_come_first_and_among_them_the_most_confident():
    rows = [
        spoken(1, "GO ON", 0.0, 0.99),
        spoken(2, "GO", 0.5, 0.98),
        spoken(3, "NO", 1.0, 0.6),
        spoken(4, "SO", 1.0, 0.71239),
    ]
    found = worst_answers(rows, SPEECH, restricted=False)
    assert [row["id"] for row in found] == ["clip 4", "clip 3"]
    expected = {"id": "clip 4", "reference": "GO ON", "output": "SO", "confidence": 0.7124}
    assert found[0] == expected
    assert worst_answers(rows[:1], SPEECH, restricted=False) == []


def test_a_high_bleu_is_a_small_error_and_texts_of_restricted_corpora_are_left_out():
    pair = {"source": "A dog.", "reference": "Ein Hund."}
    rows = [
        pair | {"id": "1", "output": "Der Hund.", "bleu": 0.5, "confidence": 0.9},
        pair | {"id": "2", "output": "Eine Katze.", "bleu": 0.1, "confidence": 0.2},
    ]
    assert worst_answers(rows, TRANSLATION, restricted=True) == [
        {"id": "2", "output": "Eine Katze.", "confidence": 0.2},
        {"id": "1", "output": "Der Hund.", "confidence": 0.9},
    ]
    assert worst_answers(rows, TRANSLATION, restricted=False)[0]["source"] == "A dog."


def test_labels_of_restricted_corpora_are_kept():
    row = {"id": "dev 1", "reference": "negative", "output": "positive", "probability": 0.75}
    (found,) = worst_answers([row], SENTENCES, restricted=True)
    assert found == {key: row[key] for key in ("id", "reference", "output")} | {"confidence": 0.75}


def test_a_caption_that_equals_any_reference_is_right():
    rows = [
        {"id": "1", "references": ["a river", "a port"], "output": "a port", "cider": 0.1},
        {"id": "2", "references": ["a river", "a port"], "output": "a dock", "cider": 0.2},
    ]
    assert [row["id"] for row in worst_answers(rows, TRANSLATION, restricted=False)] == ["2"]


def test_the_error_of_a_forecast_is_its_distance():
    rows = [
        {"id": "laser", "step": 1, "reference": 10.0, "output": 11.0},
        {"id": "laser", "step": 2, "reference": 10.0, "output": 7.0},
    ]
    found = worst_answers(rows, entry("timeseries/gru-laser").recipe(), restricted=False)
    assert [row["step"] for row in found] == [2, 1]


@pytest.mark.parametrize("row", [{"id": "1", "text": "a", "log_probability": -1.0}, {"id": "1"}])
def test_rows_without_references(row):
    assert worst_answers([row], SPEECH, restricted=False) is None


def test_the_table_escapes_what_would_end_a_cell():
    rows = [{"id": "a|b", "reference": 1.23456, "output": "two\nlines"}]
    assert show(rows) == (
        "| example | expected | answer |\n| --- | --- | --- |\n| a\\|b | 1.235 | two lines |"
    )
