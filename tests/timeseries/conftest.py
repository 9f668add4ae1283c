import pytest

from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE


@pytest.fixture(scope="session")
def laser() -> tuple[float, ...]:
    """Return values of the laser."""
    return read_values(SAMPLE)


@pytest.fixture
def write(tmp_path):
    """Return a function that writes lines into a file and returns its path."""

    def write(*lines, name="series.csv"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write
