"""A user's series on the command line: training, forecasts, plots, CSV, and errors."""

import csv

import numpy as np
import pytest

import zoo

AR = "timeseries/ar-laser"
DAYS = [str(day) for day in np.datetime64("2026-01-01") + np.arange(120)]


@pytest.fixture(scope="module")
def sales(laser, tmp_path_factory):
    """Return the path of a table with two daily series."""
    path = tmp_path_factory.mktemp("data") / "sales.csv"
    rows = zip(DAYS, laser[:120], laser[100:220], strict=True)
    path.write_text("day,apples,pears\n" + "".join(f"{d},{a},{p}\n" for d, a, p in rows))
    return path


@pytest.fixture(scope="module")
def run(sales, tmp_path_factory):
    """Return the run folder of an autoregression of apples."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "apples"
    arguments = ["--manifest", sales, "--target", "apples", "--out", folder]
    settings = ["--set", "model.context=8", "--set", "training.dev_fraction=0.3"]
    assert main(["train", AR, *map(str, arguments), *settings]) == 0
    return folder


def test_a_list_of_numbers_is_one_series(run, laser):
    values = np.array(laser[:50])
    for inputs in (values.tolist(), list(values), [values.tolist()], [values]):
        (answer,) = zoo.predict(run, inputs)
        assert answer["forecast"] == zoo.predict(run, values)[0]["forecast"]
    assert len(zoo.predict(run, [values.tolist(), values[:40].tolist()])) == 2
    assert len(zoo.predict(run, [])) == 0
    assert "error" in zoo.predict(run, [1])[0]  # shorter than the context


def test_target_is_forecast_with_intervals_and_plot(run_zoo, run, sales, tmp_path):
    picture = tmp_path / "out.png"
    options = ("--horizon", 4, "--interval", 0.8, "--plot", picture, "--json")
    (answer,) = run_zoo("predict", run, sales, *options).json["predictions"]
    assert [row["time"] for row in answer["steps"]] == [f"2026-05-0{n}" for n in range(1, 5)]
    assert all(row["low"] < row["forecast"] < row["high"] for row in answer["steps"])
    assert answer["forecast"] == [row["forecast"] for row in answer["steps"]]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_forecast_is_written_as_csv(run_zoo, run, sales, tmp_path):
    out = tmp_path / "forecast.csv"
    assert run_zoo("predict", run, sales, "--format", "csv", "--out", out).status == 0
    (row,) = csv.DictReader(out.read_text().splitlines())
    assert row.keys() == {"input", "series", "step", "time", "forecast"}
    assert (row["input"], row["step"], row["time"]) == (str(sales), "1", "2026-05-01")
    assert np.isfinite(float(row["forecast"]))


def test_each_series_of_a_table_is_forecast(run_zoo, sales, tmp_path):
    picture = tmp_path / "out.png"
    options = ("--horizon", 2, "--plot", picture)
    (answer,) = run_zoo("predict", AR, sales, *options, "--json").json["predictions"]
    assert list(answer["forecast"]) == ["apples", "pears"]
    assert answer["output"] == "2 series, 2 steps ahead"
    assert [row["series"] for row in answer["steps"]] == ["apples", "apples", "pears", "pears"]
    lines = run_zoo("predict", AR, sales, *options, "--format", "csv").out.splitlines()
    assert [line.split(",")[1:4] for line in lines[1:]] == [
        [name, str(step), f"2026-05-0{step}"] for name in ("apples", "pears") for step in (1, 2)
    ]


def test_evaluate_reports_the_coverage_of_intervals(run_zoo, run, sales):
    arguments = ("--manifest", sales, "--split", "dev", "--interval", 0.9)
    out = run_zoo("evaluate", run, *arguments).out
    assert "intervals of 0.9: 0.9" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--horizon", "0"), "horizon must be at least 1 and at most 100,000. Received: 0."),
        (("--interval", "0.7"), "interval must be one of 0.0, 0.5, 0.8, 0.9, 0.95. Received: 0.7."),
        (("--format", "xls"), "--format must be one of 'text', 'json', 'csv'. Received: 'xls'."),
    ],
)
def test_invalid_option_is_rejected(refused, run, sales, arguments, message):
    assert message in refused("predict", run, sales, *arguments)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("apples", *[7] * 50), "must not all be equal. Received: 35 values, all 7.0"),
        (
            ("apples", 1, 2, 3),
            "A series must have more than 8 values, which is model.context. Received: 2",
        ),
        (("apples,pears", ",1", ",2"), "all 2 values of 'apples' are missing"),
        (("apples", 1, "inf"), "line 3: apples: a value must be a finite number or empty."),
        (("apples", 1, "many"), "line 3: apples: a value must be a finite number or empty."),
        (("apple,pears", "1,2"), "there is no column 'apples'. Did you mean 'apple'"),
        (
            ("day,apples", "2026-01-02,1", "2026-01-01,2"),
            "row 2: times must be in ascending order.",
        ),
        (("day,apples", "2026-01-01,1", "2026-01-01,2"), "2026-01-01, which occurs twice."),
        (
            ("day,apples", "2026-01-01,1", "2026-01-02,2", "2026-01-03,3", "2026-01-07,4"),
            "row 4: times must be equally spaced, here by 1 days; a missing measurement must be a row",
        ),
    ],
)
def test_invalid_series_is_rejected(refused, write, tmp_path, lines, message):
    settings = ("--set", "model.context=8", "--set", "training.dev_fraction=0.3")
    arguments = ("--manifest", write(*lines), "--target", "apples", "--out", tmp_path / "run")
    assert message in refused("train", AR, *arguments, *settings)
    assert not (tmp_path / "run").exists()


def test_short_series_is_not_forecast(run_zoo, run, write):
    answer = run_zoo("predict", run, write("apples", 1, 2, 3))
    assert answer.status == 1
    assert "a series must have at least 8 values. Received: 3" in answer.out


def test_target_requires_data_with_columns(refused, write):
    arguments = ("--manifest", write("text"), "--target", "apples")
    error = refused("train", "language/charlstm-hello", *arguments)
    assert "language/charlstm-hello has no option --target. Valid: --column." in error
