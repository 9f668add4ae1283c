"""The calculation of `benchmarks/scaling.py --paper`, with numbers computed by hand."""

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def scaling(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("scaling")


def test_two_hosts_send_the_gradients_once(scaling):
    step = scaling.Step(gradient_bytes=10_000_000, seconds=0.1)
    assert scaling.sent_bytes(step, 2) == 10_000_000
    assert scaling.sent_bytes(step, 8) == 17_500_000
    assert scaling.sent_bytes(step, 64) == pytest.approx(20_000_000, rel=0.02)


def test_exchange_takes_bytes_at_the_rate_of_the_link_and_latency(scaling):
    step = scaling.Step(gradient_bytes=10_000_000, seconds=0.1)
    # 80 Mbit at 1 Gbit/s, and two messages of 50 microseconds.
    assert scaling.exchange_seconds(step, 2, 1) == pytest.approx(0.0801)
    assert scaling.exchange_seconds(step, 2, 100) == pytest.approx(0.0009)
    assert scaling.speed_up(step, 2, 1) == pytest.approx(0.1 / (0.05 + 0.0801))
    assert scaling.speed_up(step, 1, 1) == 1


def test_latency_limits_a_small_model(scaling):
    step = scaling.Step(gradient_bytes=0, seconds=0.001)
    assert scaling.speed_up(step, 64, 100) < 1
