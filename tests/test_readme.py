"""Test that figures in README and docs equal the measured files, and that README's outputs are real."""

import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")
RESULTS = runpy.run_path(str(REPOSITORY / "tools" / "results.py"))
# Commands and programs that are followed by their output.
SHOWN = re.findall(r"```(sh|python)\n([^`]*)```\n\n```text\n([^`]*)```", README)


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


def test_readme_is_short():
    assert len(README.split()) < 900


def test_links_of_readme_and_docs_exist():
    for page in (REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")):
        text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.mark.slow
@pytest.mark.parametrize(("language", "code", "output"), SHOWN)
def test_shown_output_is_that_of_the_code(language, code, output):
    words = ["-c", code] if language == "python" else ["-m", *shlex.split(code, comments=True)]
    ended = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert ended.stdout == output


def test_readme_shows_outputs():
    assert {language for language, _, _ in SHOWN} == {"sh", "python"}


def test_numbers_of_parameters_equal_those_of_keras():
    rows = [line.split(" | ") for line in RESULTS["table"]().splitlines()[2:]]
    assert len(rows) > 40
    for name, *_, parameters, _, _, _, _ in rows:
        card = REPOSITORY / "saved_models" / name.strip("| `") / "CARD.md"
        assert f"- Parameters: {parameters}.\n" in card.read_text("utf-8"), name
