"""The page on adding a model: its code, run as a person who copies it would run it."""

import re
from pathlib import Path

import pytest

from zoo.common.core import registry

PAGE = Path(__file__).parents[1] / "docs" / "adding-a-model.md"
NAME = "language/elman-shakespeare"


@pytest.fixture(scope="module")
def page():
    """What the page's Python defines. Its recipe is registered for these tests alone."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names = {"__name__": "elman_lm"}
    registry.entries()  # the families first: the page comes after them
    for block in blocks:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    yield names
    del registry._entries[NAME]


def test_its_test_passes(page, tmp_path):
    page["test_elman_lm"](tmp_path)


def test_its_commands_run(page, run_zoo, tmp_path):
    run, text = tmp_path / "run", page["SAMPLE"]
    tiny = [item for key, value in page["TINY"].items() for item in ("--set", f"{key}={value}")]
    options = ("--out", run, *tiny, "--set", "training.epochs=1")
    assert run_zoo("train", NAME, "--manifest", text, *options).status == 0
    answer = run_zoo("predict", run, "Speak", "--length", 7)
    assert answer.status == 0
    assert len(answer.out.rstrip("\n")) >= len("Speak") + 7
