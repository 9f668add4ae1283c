"""Fixtures of all tests: the shipped clips, a tiny trained run, and the command line in this process."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from zoo.common.utils.quiet import import_tensorflow

import_tensorflow()

AN4 = Path(__file__).parent / "data" / "an4"
RECIPE = "speech/bilstm-ctc-an4"
AR = "timeseries/ar-laser"
# Files of a run folder.
RUN_FILES = {
    "alphabet.txt",
    "curves.png",
    "examples.txt",
    "last.npz",
    "metrics.csv",
    "model.keras",
    "recipe.json",
    "run.json",
    "tensorboard",
}
# A model that is trained in seconds.
TINY_MODEL = ("model.layers=1", "model.hidden_size=16", "model.conv_filters=4")
TINY_TRAINING = (
    "training.epochs=1",
    "data.speed_perturbation=1",
    "data.spec_augment.freq_masks=0",
    "data.spec_augment.time_masks=0",
)


def settings(*pairs: str) -> list[str]:
    """Return settings KEY=VALUE as arguments of `zoo train`."""
    return [argument for pair in pairs for argument in ("--set", pair)]


TINY = settings(*TINY_MODEL, *TINY_TRAINING)


@pytest.fixture(params=["no exports", pytest.param("exports", marks=pytest.mark.slow)])
def formats(request):
    """Return the exports that `check_model` writes: none in the fast suite, all in the slow one."""
    from tests.harness import FORMATS

    return FORMATS if request.param == "exports" else ()


@dataclass(frozen=True)
class Answer:
    """The result of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """Return the JSON object on stdout, which must be its only line."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def one_round_of_timing():
    """Time exports in one round, since tests do not check times."""
    from zoo.common.export import parity

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "ROUNDS", 1)
        yield


@pytest.fixture(scope="session", autouse=True)
def trainings_without_baselines():
    """Fit no baseline before each training; `tests/api/test_comparison.py` tests that."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("zoo.api.train.fit_baseline", lambda recipe, examples, size: {})
        yield


@pytest.fixture(scope="session")
def an4() -> Path:
    """Return a folder with a few utterances of AN4, in the layout of the whole corpus."""
    return AN4


@pytest.fixture(scope="session")
def clips(an4) -> list[str]:
    """Return two recordings of 0.8 s. Their equal length saves a compilation."""
    return [
        str(an4 / name) for name in ("test/fcaw/an409-fcaw-b.flac", "train/mjbh/an247-mjbh-b.flac")
    ]


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """Return a run folder of `zoo train`: a tiny model after one epoch on the shipped clips."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["train", RECIPE, "--data", str(AN4), "--out", str(folder), *TINY]) == 0
    return folder


@pytest.fixture(scope="session")
def laser_corpus(tmp_path_factory) -> Path:
    """Return a folder in the layout of the laser corpus, with 150 and 50 of its values."""
    from zoo.timeseries.forecasting.corpora.segment import read_values
    from zoo.timeseries.forecasting.data import SAMPLE

    folder = tmp_path_factory.mktemp("laser")
    lines = [f"{value:g}\n" for value in read_values(SAMPLE)]
    (folder / "santafe_A_train.txt").write_text("".join(lines[:150]))
    (folder / "santafe_A_cont.txt").write_text("".join(lines[150:200]))
    return folder


@pytest.fixture(scope="session")
def ar_run(tmp_path_factory, laser_corpus) -> Path:
    """Return a run folder of `zoo train`: a linear model, which is trained in no time."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "ar"
    command = ["train", AR, "--data", str(laser_corpus), "--out", str(folder)]
    assert main([*command, "--set", "model.context=8"]) == 0
    return folder


@pytest.fixture
def run_zoo(capsys):
    """Return a function that runs the `zoo` command and returns an `Answer`."""
    from zoo.cli.main import main

    def run(*arguments) -> Answer:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        return Answer(status, *capsys.readouterr())

    return run


# The note that names the layout of a list of recordings. An error may follow it.
LAYOUT = re.compile(r".+: \d+ recording\(s\), in the (layout|columns) .+\.\n")


@pytest.fixture
def refused(run_zoo):
    """Return a function that runs a `zoo` command that must fail, and returns the line on stderr."""

    def run(*arguments, status: int = 1) -> str:
        answer = run_zoo(*arguments)
        assert answer.status == status
        assert answer.out == ""
        *notes, line = answer.err.splitlines(keepends=True)
        assert line.startswith("zoo: ")
        assert all(LAYOUT.fullmatch(note) for note in notes)
        return line

    return run
