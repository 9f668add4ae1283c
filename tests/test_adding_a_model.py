"""Test the code and the commands of docs/adding-a-model.md."""

import re
from pathlib import Path

import pytest

from zoo.common.core import registry

PAGE = Path(__file__).parents[1] / "docs" / "adding-a-model.md"
NAME = "language/elman-shakespeare"


@pytest.fixture(scope="module")
def page():
    """Return the names that the page defines. Its recipe is registered for these tests only."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names = {"__name__": "elman_lm"}
    registry.entries()  # register the families first
    for block in blocks:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    yield names
    del registry._entries[NAME]


@pytest.mark.slow
def test_the_test_of_the_page_passes(page, tmp_path):
    page["test_elman_lm"](tmp_path)


def test_the_commands_of_the_page_run(page, run_zoo, tmp_path):
    run, text = tmp_path / "run", page["SAMPLE"]
    tiny = [item for key, value in page["TINY"].items() for item in ("--set", f"{key}={value}")]
    options = ("--out", run, *tiny, "--set", "training.epochs=1")
    assert run_zoo("train", NAME, "--manifest", text, *options).status == 0
    answer = run_zoo("predict", run, "Speak", "--length", 7)
    assert answer.status == 0
    assert len(answer.out.rstrip("\n")) >= len("Speak") + 7
