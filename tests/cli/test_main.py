"""The command line: help, start-up time, output and exit status."""

import csv
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zoo
from tests.conftest import AN4, RECIPE, RUN_FILES, TINY_MODEL, TINY_TRAINING, settings
from zoo.cli.main import find_verbs, parse
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import VERBS, register_verb
from zoo.common.presets import store

find_verbs()
COMMAND = (sys.executable, "-m", "zoo.cli.main")
REPOSITORY = Path(zoo.__file__).parents[1]


def run(*command: str, **more) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # this process has set it, a user has not
    return subprocess.run(command, capture_output=True, text=True, env=environment, **more)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_help_shows_an_example_that_parses(run_zoo, verb):
    answer = run_zoo(verb, "--help")
    assert answer.status == 0
    example = re.search(r"^example:\n  zoo (.*)$", answer.out, re.MULTILINE)[1]
    assert example.startswith(verb)
    parse(shlex.split(example))


def test_every_verb_is_in_the_help(run_zoo):
    answer = run_zoo("--help")
    assert answer.status == 0
    known = {"list", "show", "train", "evaluate", "predict", "score", "export", "publish"}
    assert known <= set(VERBS)
    assert all(re.search(rf"^    {verb}\s", answer.out, re.MULTILINE) for verb in VERBS)


def test_a_verb_is_registered_once(run_zoo):
    @register_verb("hum", "hum a tune", "zoo hum low", lambda parser: parser.add_argument("tune"))
    def hum(options):
        print(options.tune)

    try:
        assert run_zoo("hum", "low").out == "low\n"
        with pytest.raises(ZooError, match="'hum' is registered twice"):
            register_verb("hum", "", "", lambda parser: None)(hum)
    finally:
        del VERBS["hum"]


@pytest.mark.parametrize("command", [["list"], ["list", "speech/*", "--json"], ["show", RECIPE]])
def test_list_and_show_load_nothing_heavy(command):
    script = (
        "import sys; from zoo.cli.main import main; status = main(sys.argv[1:]);"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'h5py'} & set(sys.modules);"
        "sys.exit(status or ','.join(heavy) or 0)"
    )
    started = time.perf_counter()
    done = run(sys.executable, "-c", script, *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert RECIPE in done.stdout
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["predict", RECIPE, "a.wav", "--stream"], "cannot stream"),
        (["predict", "language/bilstm-sst2", "text", "--stream"], "does not support streaming"),
        (["predict", RECIPE, "a.wav", "--beam", "3"], "has no option --beam"),
        (["score", RECIPE, "text"], "does not support scoring"),
        (["plot", "language/bilstm-sst2", "text"], "does not support plots of inputs"),
        (["evaluate", "language/charlstm-hello", "--plots", "x"], "does not support evaluation p"),
        (["evaluate", RECIPE, "--retrieval"], "does not support retrieval"),
        (["gallery", RECIPE, "--out", "x"], "does not support galleries"),
        (["tune-lm", RECIPE], "lm must be given"),
        (["mix", RECIPE, RECIPE], "is not a language model"),
        (["neighbours", RECIPE, "word"], "has no word vectors"),
    ],
)
def test_refusals_load_nothing_heavy(command, words, monkeypatch, refused):
    for module in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, module, None)
    assert words in refused(*command)


def test_train_prints_one_line_per_epoch_and_stops_at_ctrl_c(tmp_path, clips):
    out, manifest = tmp_path / "run", tmp_path / "own.csv"
    with manifest.open("w", encoding="utf-8", newline="") as file:
        rows = [(clip, "ja", name) for clip, name in zip(clips, "ab", strict=True)]
        csv.writer(file).writerows([("wav_filename", "transcript", "speaker"), *rows])
    command = [*COMMAND, "train", RECIPE, "--manifest", str(manifest)]
    command += [
        "--out",
        str(out),
        *settings(*TINY_MODEL, *TINY_TRAINING[1:], "training.epochs=100000"),
    ]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # Background processes ignore the signal, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    *before, first = (process.stderr.readline() for _ in range(4))
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert [line[:14] for line in before[1:]] == ["The first step"] * 2
    assert first.startswith("epoch 1/100000  loss ")
    *epochs, kept, last = stderr.splitlines()
    assert kept.startswith(f"Interrupted: {out} has ")
    assert kept.endswith(f"the best model. Continue: zoo train {RECIPE} --out {out} --resume")
    assert [line for line in epochs if not line.startswith("epoch ")] == []
    assert (process.returncode, stdout, last) == (130, "", "zoo: interrupted")
    assert {path.name for path in out.iterdir()} == RUN_FILES


def test_a_closed_pipe():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "list"], stdout=writer, stderr=subprocess.PIPE, cwd=REPOSITORY)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, cwd=REPOSITORY
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"zoo: ")
    assert done.stderr.count(b"\n") == 1


def test_list(run_zoo):
    rows = run_zoo("list", "speech/*", "--json").json["models"]
    assert [row["name"] for row in rows] == zoo.list_models("speech/*")
    assert set(rows[0]) == {"name", "corpus", "metric", "test", "preset", "better", "summary"}
    names = ["name", *zoo.list_models()]
    lines = run_zoo("list").out.splitlines()
    assert [line.split()[0] for line in lines[: len(names)]] == names
    note, *worse = lines[len(names) :]
    assert note == "none: zoo train NAME"  # some presets are not shipped
    assert "language/bilstm-sst2 is worse than zoo baseline language/bilstm-sst2" in worse


def test_a_preset_in_a_package_that_is_not_installed(run_zoo, refused, tmp_path, monkeypatch):
    """The wheel of the zoo has its card and its metrics, but not its weights."""
    shipped, root = store.ROOT, tmp_path / "saved_models"
    (root / RECIPE).mkdir(parents=True)
    for file in (store.METRICS_FILE, store.CARD_FILE):
        shutil.copyfile(shipped / RECIPE / file, root / RECIPE / file)
    monkeypatch.setattr(store, "ROOT", root)
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    command = "set ZOO_PRESETS to the folder or address of an index of presets"
    (row,) = run_zoo("list", RECIPE, "--json").json["models"]
    assert (row["preset"], row["test"] > 0) == (store.NOT_INSTALLED, True)
    assert run_zoo("list", RECIPE).out.splitlines()[-1] == f"not installed: {command}"
    assert f"  preset   not installed: {command}\n" in run_zoo("show", RECIPE).out
    for verb in (["predict", "hello.wav"], ["evaluate", "--data", AN4], ["export", "--to", "onnx"]):
        line = refused(verb[0], RECIPE, *verb[1:])
        assert line == f"zoo: The preset {RECIPE!r} is missing. To install it: {command}\n"
    assert "--beam-width" in run_zoo("predict", RECIPE, "--help").out

    # The package of the family, once it is installed, is a folder of presets.
    family, _, preset = RECIPE.partition("/")
    package = tmp_path / "site" / f"recurrent_zoo_{family}"
    shutil.copytree(shipped / RECIPE, package / preset)
    monkeypatch.syspath_prepend(package.parent)
    (row,) = run_zoo("list", RECIPE, "--json").json["models"]
    assert row["preset"] == store.SHIPPED
    assert (store.names(), store.find(RECIPE)) == ([RECIPE], package / preset)
    assert store.exports_of(package / preset) == tmp_path / "cache" / "exports" / RECIPE


def test_show_has_corpus_and_settings(run_zoo):
    about = run_zoo("show", RECIPE, "--json").json
    assert set(about["corpus"]) == {"name", "title", "licence", "source", "fetch"}
    assert about["settings"]["optimizer.learning_rate"] > 0
    assert "name" not in about["settings"]
    text = run_zoo("show", RECIPE).out
    assert all(about["corpus"][key] in text for key in ("licence", "source"))
    assert "optimizer.learning_rate" in text
