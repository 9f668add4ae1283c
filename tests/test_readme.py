"""Test that the figures in README and docs equal those in the measured files."""

import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
RESULTS = runpy.run_path(str(REPOSITORY / "tools" / "results.py"))


@pytest.mark.parametrize(("path", "name"), RESULTS["BLOCKS"])
def test_blocks_equal_the_measured_files(path, name):
    begin, end = RESULTS["marks"](name)
    text = path.read_text("utf-8")
    assert text.count(begin) == text.count(end) == 1
    shown = text.partition(begin)[2].partition(end)[0]
    assert shown == RESULTS["BLOCKS"][path, name](), f"{path}: run `make results`"


@pytest.mark.parametrize("path", RESULTS["FILES"])
def test_files_equal_the_measured_files(path):
    assert path.read_text("utf-8") == RESULTS["FILES"][path](), "run `make results`"
