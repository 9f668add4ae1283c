import pytest

from zoo.timeseries.forecasting.corpora.segment import read_values
from zoo.timeseries.forecasting.data import SAMPLE


@pytest.fixture(scope="session")
def laser() -> tuple[float, ...]:
    """Real values of the laser."""
    return read_values(SAMPLE)


@pytest.fixture
def write(tmp_path):
    """Lines to the path of a file that has them."""

    def write(*lines, name="series.csv"):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write
