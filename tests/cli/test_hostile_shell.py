"""Unusual arguments, names and descriptors: one line, or JSON if it was requested."""

import json
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import zoo
from tests.conftest import AR, RECIPE
from zoo import __main__
from zoo.cli.predict import file_text, prediction_text
from zoo.cli.score import score_text
from zoo.common.core.registry import PACKAGE

COMMAND = f"{sys.executable} -m zoo.cli.main"


def shell(line: str) -> subprocess.CompletedProcess:
    return subprocess.run(line, shell=True, capture_output=True, text=True, cwd=PACKAGE.parent)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("predict", "speech/none", "a.wav", "--json"), 1, "'speech/none'"),
        (("predict", "speech/none", "a.wav", "--jsonl"), 1, "'speech/none'"),
        (("show", "speech/none", "--json"), 1, "no recipe"),
        (("predict", "--json"), 2, "required: PRESET|RUN, input"),
        (("train", RECIPE, "--json", "--out"), 2, "expected one argument"),
    ],
)
def test_errors_are_json_if_json_was_requested(run_zoo, arguments, status, words):
    answer = run_zoo(*arguments)
    assert (answer.status, answer.err, list(answer.json)) == (status, "", ["error"])
    assert words in answer.json["error"]


def test_json_behind_the_end_of_options_is_an_input(refused):
    assert "'speech/none'" in refused("predict", "speech/none", "--", "--json")


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (("predict", "p", "a", "--backend", "onnx", "--backend", "keras"), "--backend must be", 2),
        (("evaluate", "p", "--split=dev", "--split", "test"), "--split must be given once", 2),
        (("train", RECIPE, "--set", "training.epochs=1", "--set", "training.epochs=2"), "once", 1),
        (("train", AR, "--target", "a", "--set", "data.target=b"), "data.target must be", 1),
    ],
)
def test_options_that_are_given_twice(refused, arguments, words, status):
    assert words in refused(*arguments, status=status)


def test_names_stay_in_their_line():
    """Otherwise a terminal would obey line breaks and escape sequences."""
    name = "a\nb\x1b[31m"
    plain = "a\\nb\\x1b[31m"
    answer = {"input": name, "output": "YES"}
    assert prediction_text(answer, named=True) == f"{plain}: YES"
    assert prediction_text({"input": name, "error": name}, True) == f"{plain}: error: {plain}"
    assert file_text({"input": name, "file": name}) == f"{plain}: {plain}"
    scored = {"input": name, "log_probability": -1.0, "tokens": []}
    assert score_text(scored) == f"   -1.0000  0 tokens: {plain}"


def test_a_name_in_an_error_of_the_command(refused):
    assert "n\\x1b[31m" in refused("predict", "n\x1b[31m", "a.wav")


def test_a_folder_whose_name_is_not_unicode(run_zoo, laser_corpus, tmp_path):
    """File systems of Unix accept any bytes in a name."""
    out = os.fsdecode(os.fsencode(tmp_path) + b"/r\xff")
    command = ("train", "timeseries/ar-laser", "--data", laser_corpus, "--set", "model.context=8")
    answer = run_zoo(*command, "--out", out)
    assert (answer.status, os.listdir(tmp_path)) == (0, ["r\udcff"])
    assert "r\\udcff: 1 epoch." in answer.out
    clip = tmp_path / "v\udcff.txt"
    clip.write_text("\n".join(map(str, range(20))))
    assert run_zoo("predict", out, clip).status == 0
    copy = os.fsdecode(os.fsencode(tmp_path) + b"/s\xff")
    os.symlink(laser_corpus, copy)
    command = (*command[:2], "--data", copy, *command[4:], "--out", tmp_path / "again")
    assert run_zoo(*command).status == 0
    assert json.loads((tmp_path / "again" / "run.json").read_text())["data"] == copy


def test_closed_descriptors():
    """Without stdout there is an error. Without stderr, errors are lost."""
    done = shell(f"{COMMAND} list >&-")
    assert (done.returncode, done.stderr) == (1, "zoo: [Errno 9] stdout is closed\n")
    done = shell(f"{COMMAND} list --json >&-")
    assert (done.returncode, done.stderr) == (1, "zoo: [Errno 9] stdout is closed\n")
    done = shell(f"{COMMAND} show speech/none 2>&-")
    assert (done.returncode, done.stdout) == (1, "")
    done = shell(f"{COMMAND} list --json 2>&-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["models"]


def test_an_interruption_while_the_command_is_imported(monkeypatch, capsys):
    class Interrupted(types.ModuleType):
        def __getattr__(self, name):
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "zoo.cli.main", Interrupted("zoo.cli.main"))
    assert __main__.run() == 130
    assert capsys.readouterr() == ("", "zoo: interrupted\n")


def test_two_dashes_as_a_value(run_zoo, tmp_path):
    """argparse alone would drop the value, and use the default."""
    answer = run_zoo("predict", RECIPE, tmp_path / "x.wav", "--backend=--")
    assert answer.status == 2
    assert answer.err.startswith("zoo: argument --backend: expected a value. Received: '--'.")


def test_an_unknown_home_folder(monkeypatch, refused):
    for variable in ("HOME", "ZOO_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(Path, "home", unknown_home)
    line = refused("list")
    assert line == (
        "zoo: The home folder of the user is unknown. Set HOME, or ZOO_HOME to a folder.\n"
    )
    monkeypatch.setenv("ZOO_HOME", str(Path(__file__).parent))
    assert RECIPE in zoo.list_models()


def unknown_home():
    """Fail as `Path.home` does for a user without an entry in the password database."""
    raise RuntimeError("Could not determine home directory.")
