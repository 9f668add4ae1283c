"""Test docs/lecture.md: its commands run, and they write its figures."""

import re
import shlex
from pathlib import Path

import pytest

import zoo
from tests.lab.harness import lab
from zoo.lab.experiment import experiments

ROOT = Path(zoo.__file__).parents[1]
PAGE = (ROOT / "docs" / "lecture.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# Each command with its time in seconds.
COMMANDS = [
    (command.strip(), int(seconds))
    for command, seconds in re.findall(r"^zoo (.*?)# (\d+) s$", "".join(BLOCKS), re.MULTILINE)
]
# Experiments of a few seconds. The tests of the presets have the answers of the other commands.
FAST = ("lab hello", "lab unroll", "lab words")


def test_every_command_has_a_time():
    assert len(COMMANDS) == sum(block.count("\n") for block in BLOCKS)


def test_page_lists_every_experiment_with_its_time():
    times = dict(COMMANDS)
    assert {each.name: times.get(f"lab {each.name}") for each in experiments()} == {
        each.name: each.seconds for each in experiments() if each.name != "successors"
    } | {"successors": None}  # docs/recurrences.md has it


def test_figures_exist():
    figures = re.findall(r"\]\((lecture/.*?\.png)\)", PAGE)
    assert len(figures) >= len(experiments())
    assert all((ROOT / "docs" / figure).is_file() for figure in figures)
    names = {path.name for path in (ROOT / "docs" / "lecture").iterdir()}
    assert names == {Path(figure).name for figure in figures}


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(command, marks=[] if command in FAST else [pytest.mark.slow])
        for command, seconds in COMMANDS
    ],
)
def test_command_of_the_page_runs(run_zoo, tmp_path, monkeypatch, command):
    verb, *arguments = shlex.split(command)
    if verb == "lab":
        section = next(part for part in PAGE.split("\n## ") if f"zoo {command} " in part)
        assert lab(*arguments).pictures & set(re.findall(r"\]\(lecture/(.*?)\)", section))
        return
    (tmp_path / "zoo").symlink_to(ROOT / "zoo")
    monkeypatch.chdir(tmp_path)
    answer = run_zoo(verb, *arguments)
    assert answer.status == 0
    assert answer.err == "" or answer.err.startswith("Tokens outside the vocabulary: ")
    assert answer.out
