"""Test the command `zoo lab`, the registry of experiments, and their output files."""

import json
import subprocess
import sys

import pytest

from tests.lab.harness import lab
from zoo.common.core.errors import ZooError
from zoo.lab.experiment import experiments, register_experiment, run_experiment

NAMES = [
    "adding",
    "copy",
    "ctc",
    "gates",
    "hello",
    "shapes",
    "successors",
    "unroll",
    "vanishing",
    "words",
]


def test_list_of_experiments(run_zoo):
    answer = run_zoo("lab", "--json")
    assert answer.status == 0
    rows = answer.json["experiments"]
    assert [row["name"] for row in rows] == NAMES
    assert all(row["summary"].endswith(".") and row["seconds"] > 0 for row in rows)
    text = run_zoo("lab").out
    assert all(name in text for name in NAMES)


def test_list_does_not_load_tensorflow():
    script = (
        "import sys; from zoo.cli.main import main; status = main(['lab']);"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'h5py'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else status)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_duplicate_name_is_an_error():
    with pytest.raises(ZooError, match="'unroll' is registered twice"):
        register_experiment("unroll", seconds=1)(lambda: None)
    assert [each.name for each in experiments()] == NAMES


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["unrol"], "There is no experiment 'unrol'. Did you mean 'unroll'?"),
        (["hello", "--text", "x"], "'hello' does not accept --text. Experiments that do: gates."),
        (["gates", "--text", ""], "--text must not be empty."),
        (["gates", "--text", " \n"], "--text must not be empty."),
        (["gates", "--text", "schön 5"], "Received: '5ö'."),
        (["gates", "--text", "a" * 401], "--text must have at most 400 characters. Received: 401."),
        (["--text", "x"], "--out and --text need the name of an experiment."),
        (["--out", "x"], "--out and --text need the name of an experiment."),
    ],
)
def test_invalid_arguments(refused, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused("lab", *arguments)
    assert not list(tmp_path.iterdir())


def test_unwritable_folder_is_reported_before_the_experiment(refused, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    assert "cannot be written" in refused("lab", "adding", "--out", file)
    assert "cannot be written" in refused("lab", "adding", "--out", file / "inside")
    assert "cannot be written" in refused("lab", "adding", "--out", tmp_path / ("x" * 300))


def test_other_backends_are_rejected(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    words = refused("lab", "hello", "--out", tmp_path / "out")
    assert words == "zoo: zoo lab must run on TensorFlow. Received: KERAS_BACKEND='jax'.\n"


def test_answer_lists_the_files(run_zoo, tmp_path):
    folder = tmp_path / "new" / "folder"
    answer = run_zoo("lab", "hello", "--out", folder, "--json")
    assert answer.err == ""
    names = ["hello.png", "weights.png", "numbers.json"]
    assert answer.json["files"] == [str(folder / name) for name in names]
    assert answer.json["numbers"] == json.loads((folder / "numbers.json").read_text("utf-8"))
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unroll", "vanishing", "gates", "hello", "shapes", "ctc"])
def test_numbers_are_reproducible(tmp_path, name):
    outcome, _ = run_experiment(name, tmp_path)
    assert json.loads(json.dumps(outcome.numbers)) == lab(name).numbers
