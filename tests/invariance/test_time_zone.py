"""Time zone: answers keep the zone of the input, and forecasts do not depend on it."""

import functools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import zoo
from tests.invariance.presets import load
from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE

pandas = pytest.importorskip("pandas")
EXAMPLES = 20
VALUES = np.array(read_values(SAMPLE)[:60])
AHEAD = 30
# Clocks of Berlin, New York and Lord Howe change in the year, the last one by half an hour.
ZONES = (
    None,
    "UTC",
    "Asia/Tokyo",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
)
# Steps of the calendar, and steps of time.
STEPS = ("D", "2D", "MS", "h", "15min", "6h", "s", "200ms")


def predict(series) -> dict:
    (answer,) = zoo.predict(load("timeseries/ar-laser"), series, options={"horizon": AHEAD})
    assert "error" not in answer, answer
    return answer


@functools.cache
def without_times() -> list[float]:
    return predict(pandas.Series(VALUES))["forecast"]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    zone=st.sampled_from(ZONES),
    step=st.sampled_from(STEPS),
    day=st.dates(pandas.Timestamp("1990-01-01").date(), pandas.Timestamp("2030-01-01").date()),
    hour=st.integers(3, 23),
)
@example(zone="Europe/Berlin", step="h", day=pandas.Timestamp("2026-10-23").date(), hour=4)
@example(zone="Asia/Tokyo", step="D", day=pandas.Timestamp("2026-01-01").date(), hour=9)
@example(zone="America/New_York", step="D", day=pandas.Timestamp("2026-01-20").date(), hour=12)
def test_times_are_those_of_pandas(zone, step, day, hour):
    start = pandas.Timestamp(day) + pandas.Timedelta(hours=hour)
    times = pandas.date_range(start, periods=len(VALUES) + AHEAD, freq=step, tz=zone)
    answer = predict(pandas.Series(VALUES, index=times[: len(VALUES)]))
    assert answer["forecast"] == without_times()
    found = [pandas.Timestamp(row["time"]) for row in answer["steps"]]
    expected = list(times[len(VALUES) :])
    assert found == expected
    assert [time.utcoffset() for time in found] == [time.utcoffset() for time in expected]


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(
    minutes=st.integers(-12 * 4, 14 * 4).map(lambda quarters: 15 * quarters),
    step=st.sampled_from(STEPS),
)
@example(minutes=540, step="D")
def test_offsets_in_a_file_are_kept(tmp_path_factory, minutes, step):
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    times = pandas.date_range(f"2026-01-01 05:00:00{zone}", periods=len(VALUES) + 1, freq=step)
    path = tmp_path_factory.mktemp("series") / "series.csv"
    rows = zip(times, VALUES, strict=False)
    path.write_text(
        "time,value\n" + "".join(f"{time.isoformat()},{value}\n" for time, value in rows)
    )
    answer = predict(path)
    assert answer["forecast"] == without_times()
    assert pandas.Timestamp(answer["steps"][0]["time"]) == times[-1]
    assert answer["steps"][0]["time"].endswith(zone)
