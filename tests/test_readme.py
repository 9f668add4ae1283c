"""README's figures are those of the files they were measured into."""

import runpy
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def test_the_table_of_presets_is_that_of_their_metrics():
    results = runpy.run_path(str(REPOSITORY / "tools" / "results.py"))
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    shown = readme.partition(results["BEGIN"])[2].partition(results["END"])[0]
    assert shown == results["table"](), "run `make results`"
