"""A corpus and a run that cost next to nothing: a linear model of a real series."""

from pathlib import Path

import pytest

from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE

AR = "timeseries/ar-laser"


@pytest.fixture(scope="session")
def laser(tmp_path_factory) -> Path:
    """A folder in the layout of the laser's corpus, with 150 and 50 of its values."""
    folder = tmp_path_factory.mktemp("laser")
    lines = [f"{value:g}\n" for value in read_values(SAMPLE)]
    (folder / "santafe_A_train.txt").write_text("".join(lines[:150]))
    (folder / "santafe_A_cont.txt").write_text("".join(lines[150:200]))
    return folder


@pytest.fixture(scope="session")
def ar_run(tmp_path_factory, laser) -> Path:
    """A run of the autoregression, as `zoo train` leaves it."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "ar"
    command = ["train", AR, "--data", str(laser), "--set", "model.context=8", "--out", str(folder)]
    assert main(command) == 0
    return folder
