"""What every test needs: TensorFlow without its log, on two threads, and the shipped clips."""

from pathlib import Path

import pytest

from zoo.common.quiet import import_tensorflow

import_tensorflow()

AN4 = Path(__file__).parent / "data" / "an4"


@pytest.fixture(scope="session")
def an4() -> Path:
    """A few real utterances of AN4, in the layout of the whole corpus."""
    return AN4
