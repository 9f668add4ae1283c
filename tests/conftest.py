"""What every test needs: TensorFlow without its log, the shipped clips, a tiny trained run, and the
command line in this process."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from zoo.common.utils.quiet import import_tensorflow

import_tensorflow()

AN4 = Path(__file__).parent / "data" / "an4"
RECIPE = "speech/bilstm-ctc-an4"
# What a run leaves in its folder.
RUN_FILES = {
    "alphabet.txt",
    "curves.png",
    "last.npz",
    "metrics.csv",
    "model.keras",
    "recipe.json",
    "run.json",
    "tensorboard",
}
# Trained in seconds, and without tensorflow-io, which not every Python has.
TINY_MODEL = ("model.layers=1", "model.hidden_size=16", "model.conv_filters=4")
TINY_TRAINING = (
    "training.epochs=1",
    "data.speed_perturbation=1",
    "data.spec_augment.freq_masks=0",
    "data.spec_augment.time_masks=0",
)


def settings(*pairs: str) -> list[str]:
    """Pairs KEY=VALUE as arguments of `zoo train`."""
    return [argument for pair in pairs for argument in ("--set", pair)]


TINY = settings(*TINY_MODEL, *TINY_TRAINING)


@dataclass(frozen=True)
class Answer:
    """What a command came back with."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        """The one JSON object on stdout."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def one_round_of_timing():
    """Exports are timed in one round: tests ask that they are timed, not how fast they are."""
    from zoo.common.export import parity

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "ROUNDS", 1)
        yield


@pytest.fixture(scope="session")
def an4() -> Path:
    """A few real utterances of AN4, in the layout of the whole corpus."""
    return AN4


@pytest.fixture(scope="session")
def clips(an4) -> list[str]:
    """Two recordings of 0.8 s: of one length, so that what runs on them is compiled once."""
    return [
        str(an4 / name) for name in ("test/fcaw/an409-fcaw-b.flac", "train/mjbh/an247-mjbh-b.flac")
    ]


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory) -> Path:
    """A run folder as `zoo train` leaves it: a tiny model after one epoch on the shipped clips."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["train", RECIPE, "--data", str(AN4), "--out", str(folder), *TINY]) == 0
    return folder


@pytest.fixture
def run_zoo(capsys):
    """The `zoo` command: arguments to an `Answer`."""
    from zoo.cli.main import main

    def run(*arguments) -> Answer:
        capsys.readouterr()
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            status = stop.code
        return Answer(status, *capsys.readouterr())

    return run


@pytest.fixture
def refused(run_zoo):
    """The `zoo` command where it has to refuse: the one line on stderr."""

    def run(*arguments, status: int = 1) -> str:
        answer = run_zoo(*arguments)
        assert answer.status == status
        assert answer.out == ""
        assert answer.err.startswith("zoo: ")
        assert answer.err.count("\n") == 1
        return answer.err

    return run
