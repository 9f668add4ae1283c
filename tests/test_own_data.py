"""Run the commands of docs/own-data.md on the files that it shows."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.conftest import AN4

PAGE = Path(__file__).parents[1] / "docs" / "own-data.md"
CLIP = AN4 / "test" / "fcaw" / "an409-fcaw-b.flac"
# A file with its name, and the commands.
EXAMPLES = re.findall(
    r"^`(\S+)`:\n\n```\w+\n(.*?)```\n\n```sh\n(.*?)```",
    PAGE.read_text("utf-8"),
    re.MULTILINE | re.DOTALL,
)


def commands(block: str) -> list[list[str]]:
    return [shlex.split(line)[1:] for line in block.splitlines()]


def test_the_page_has_each_kind():
    names = [name for name, _, _ in EXAMPLES]
    assert names == ["recordings.csv", "reviews.csv", "letters.txt", "talk.tsv", "sales.csv"]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "text", "block"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_commands(run_zoo, tmp_path, monkeypatch, name, text, block):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, "utf-8")
    for clip in ("one", "two", "three"):
        shutil.copy(CLIP, tmp_path / f"{clip}.flac")
    for verb, *arguments in commands(block):
        one_epoch = (
            ["--set", "training.epochs=1"] if verb == "train" and "/ar-" not in arguments[0] else []
        )
        answer = run_zoo(verb, *arguments, *one_epoch)
        assert answer.status == 0, answer.err
        if verb == "evaluate":
            assert "only its dev examples are measured" in answer.err
    if name == "sales.csv":
        assert [f"2026-02-0{day}" in answer.out for day in (5, 6, 7, 8, 9)] == [0, 1, 1, 1, 0]
