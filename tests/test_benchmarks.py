"""What the benchmarks share: runs in processes of their own, and one that dies."""

import importlib
import os
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[1] / "benchmarks" / "_timing.py"


@pytest.fixture
def timing(monkeypatch):
    """The module, as a benchmark imports it."""
    monkeypatch.syspath_prepend(PATH.parent)
    return importlib.import_module("_timing")


def make_run(path: Path):
    """A run that counts how often it was made, in a file, and dies in its third."""

    def run():
        count = int(path.read_text()) + 1 if path.exists() else 1
        if count == 3:
            os.write(2, b"something\nLLVM ERROR: inconsistency\n\n")
            os._exit(1)
        path.write_text(str(count))

    return run


def test_a_contender_that_dies_ends_the_benchmark_with_its_last_line(timing, tmp_path):
    contender = timing.Contender("pytorch", make_run, tmp_path / "count")
    try:
        times = timing.alternate({"pytorch": contender}, repeats=1)  # one more to warm up
        assert len(times["pytorch"]) == 1
        assert len(contender.processor_ms) == 2
        assert (tmp_path / "count").read_text() == "2"
        with pytest.raises(SystemExit, match=r"^pytorch died: LLVM ERROR: inconsistency$"):
            contender()
    finally:
        contender.stop()


def test_a_function_that_dies_in_its_own_process_is_told(timing, tmp_path):
    assert timing.in_own_process(os.path.basename, "a/b") == "b"
    with pytest.raises(Exception, match="terminated abruptly"):
        timing.in_own_process(os._exit, 1)
