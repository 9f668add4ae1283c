"""Test that benchmarks run in processes of their own, and that a crash is reported."""

import importlib
import os
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[1] / "benchmarks" / "_timing.py"


@pytest.fixture
def timing(monkeypatch):
    """Return the module `_timing`, imported as a benchmark imports it."""
    monkeypatch.syspath_prepend(PATH.parent)
    return importlib.import_module("_timing")


def make_run(path: Path):
    """Return a run that counts its calls in a file, and crashes in the third call."""

    def run():
        count = int(path.read_text()) + 1 if path.exists() else 1
        if count == 3:
            os.write(2, b"something\nLLVM ERROR: inconsistency\n\n")
            os._exit(1)
        path.write_text(str(count))

    return run


def test_crash_of_a_contender_ends_the_benchmark_with_its_last_line(timing, tmp_path):
    contender = timing.Contender("pytorch", make_run, tmp_path / "count")
    try:
        times = timing.alternate({"pytorch": contender}, repeats=1)  # and one run to warm up
        assert len(times["pytorch"]) == 1
        assert len(contender.processor_ms) == 2
        assert (tmp_path / "count").read_text() == "2"
        with pytest.raises(SystemExit, match=r"^pytorch died: LLVM ERROR: inconsistency$"):
            contender()
    finally:
        contender.stop()


def test_crash_of_a_function_in_its_own_process_is_reported(timing):
    assert timing.in_own_process(os.path.basename, "a/b") == "b"
    with pytest.raises(Exception, match="terminated abruptly"):
        timing.in_own_process(os._exit, 1)
