"""Error rates of rows, for intervals."""

from types import SimpleNamespace

import pytest

from zoo.common.metrics.error_rates import error_rates, mean_error_rates


def rows_of(metric, *pairs):
    examples = [SimpleNamespace(id=str(i), transcript=pair[0]) for i, pair in enumerate(pairs)]
    texts = [pair[1] for pair in pairs]
    metrics, _, rows = error_rates(examples, texts, texts, metric)
    return metrics, rows


@pytest.mark.parametrize("metric", ["wer", "cer", "per"])
def test_rates_of_all_rows_equal_those_of_the_corpus(metric):
    metrics, rows = rows_of(metric, ("a b c", "a b"), ("d", "e f g"), ("h i", "h i"))
    assert mean_error_rates(rows) == pytest.approx(metrics)


def test_empty_references():
    _, rows = rows_of("wer", ("", "a"), ("b c", "b"))
    assert mean_error_rates(rows)["wer"] == 0.5
    assert mean_error_rates(rows[:1]) == {}
