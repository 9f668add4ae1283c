"""The tables of figures are those of the files they were measured into."""

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def test_the_tables_are_those_of_the_measured_files():
    results = runpy.run_path(str(REPOSITORY / "tools" / "results.py"))
    assert len(results["TABLES"]) == 2
    for path, make in results["TABLES"].items():
        text = path.read_text("utf-8")
        shown = text.partition(results["BEGIN"])[2].partition(results["END"])[0]
        assert shown == make(), f"{path}: run `make results`"
