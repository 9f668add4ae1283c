"""Training in two processes of JAX: equal losses, killed and resumed runs, unequal hosts."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.common.training.test_other_backends import TRAININGS, Training
from zoo.scaling.hosts import Place

pytest.importorskip("jax")
pytestmark = pytest.mark.slow
LIMIT_SECONDS = 900
ENDS_WITHIN_SECONDS = 60
LASER = Path(zoo.__file__).parent / "timeseries" / "samples" / "laser.txt"
SMALL = {"model.hidden_size": 8, "model.context": 8, "training.batch_size": 8}
CASES = {each.recipe: each for each in TRAININGS}


@dataclass
class Ended:
    status: int
    out: str
    err: str

    @property
    def history(self) -> list[dict[str, float]]:
        with (Path(json.loads(self.out)["run"]) / "metrics.csv").open() as file:
            import csv

            return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def start(
    recipe: str, out: Path, place: Place, *arguments: object, file_bytes: int | None = None
) -> subprocess.Popen:
    """Start a training, whose files can have at most `file_bytes` as on a full disk."""
    command = [sys.executable, "-m", "zoo", "train", recipe, "--out", str(out), "--json"]
    command += ["--hosts", str(place.hosts), *map(str, arguments)]
    if place.rank is not None:
        command += ["--rank", str(place.rank), "--coordinator", place.coordinator]

    def limit() -> None:
        if file_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit
    )


def end(process: subprocess.Popen, limit: float = LIMIT_SECONDS) -> Ended:
    out, err = process.communicate(timeout=limit)
    return Ended(process.returncode, out, err)


def run(recipe: str, out: Path, hosts: int, *arguments: object) -> list[Ended]:
    address = free_address()
    processes = [
        start(recipe, out, Place(hosts, rank, address) if hosts > 1 else Place(1), *arguments)
        for rank in range(hosts)
    ]
    return [end(process) for process in processes]


def settings(values: dict[str, object]) -> list[str]:
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def source(training: Training, folder: Path) -> list[object]:
    if training.manifest is None:
        return ["--data", training.data]
    return ["--manifest", training.manifest(folder)]


@pytest.mark.parametrize("recipe", CASES)
def test_two_hosts_have_the_losses_of_one(recipe, tmp_path):
    training = CASES[recipe]
    values = {"training.batch_size": 6, "training.epochs": 3} | training.settings
    if "charlstm" in recipe:
        values |= {"model.dropout": 0.3}
    arguments = [*source(training, tmp_path), *settings(values)]
    runs = []
    for hosts in (1, 2):
        ended = run(recipe, tmp_path / f"run{hosts}", hosts, *arguments)
        assert [each.status for each in ended] == [0] * hosts, ended[0].err[-3000:]
        runs.append(ended[0].history)
    for first, second in zip(*runs, strict=True):
        for name in set(first) - {"seconds", "batches_per_second"}:
            assert second[name] == pytest.approx(first[name], abs=1e-5), name
    preset = zoo.load(tmp_path / "run2")
    (answer,) = preset.predict([training.source])
    assert answer["output"]


def test_losses_are_equal_over_100_steps_with_dropout_and_carried_states(tmp_path):
    recipe = "language/charlstm-shakespeare"
    text = tmp_path / "text.txt"
    sample = Path(zoo.__file__).parent / "language" / "samples" / "coriolanus.txt"
    text.write_text(sample.read_text()[:1000])
    values = {
        "model.hidden_size": 16,
        "model.dropout": 0.3,
        "data.time_steps": 8,
        "training.batch_size": 8,
        "training.epochs": 10,
    }
    histories = []
    for hosts in (1, 2):
        ended = run(recipe, tmp_path / f"{hosts}", hosts, "--manifest", text, *settings(values))
        assert ended[0].status == 0, ended[0].err[-3000:]
        histories.append(ended[0].history)
    steps = [round(row["seconds"] * row["batches_per_second"]) for row in histories[0]]
    assert sum(steps) >= 100
    for first, second in zip(*histories, strict=True):
        assert second["loss"] == pytest.approx(first["loss"], abs=1e-5)


def test_killed_host_ends_the_others_and_the_resumed_run_is_equal(tmp_path):
    recipe = "timeseries/gru-laser"
    arguments = ["--manifest", LASER, *settings(SMALL | {"training.epochs": 6})]
    whole = run(recipe, tmp_path / "whole", 2, *arguments)[0].history
    out, address = tmp_path / "killed", free_address()
    first, second = (start(recipe, out, Place(2, rank, address), *arguments) for rank in range(2))
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (out / "last.npz").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    second.send_signal(signal.SIGKILL)
    second.communicate()
    begun = time.monotonic()
    ended = end(first, ENDS_WITHIN_SECONDS)
    assert time.monotonic() - begun < ENDS_WITHIN_SECONDS
    assert ended.status == 1
    error = json.loads(ended.out)["error"]
    assert error.startswith("Another host ended or cannot be reached")
    for hosts in (1, 2):  # with another number of hosts, and with the same one
        copy = tmp_path / f"resumed{hosts}"
        subprocess.run(["cp", "-r", str(out), str(copy)], check=True)
        resumed = run(recipe, copy, hosts, *arguments, "--resume")
        assert resumed[0].status == 0, resumed[0].err[-3000:]
        for expected, row in zip(whole, resumed[0].history, strict=True):
            assert row["loss"] == pytest.approx(expected["loss"], abs=1e-5)
            assert row["nmse"] == pytest.approx(expected["nmse"], abs=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--set", "optimizer.learning_rate=0.5"], "equal settings. Rank 1 differs"),
        (["--manifest", "OTHER"], ", data. Rank 1 differs"),
    ],
)
def test_unequal_hosts_end_before_the_first_step(change, message, tmp_path):
    other = tmp_path / "other.txt"
    other.write_text("\n".join(LASER.read_text().splitlines()[:-7]) + "\n")
    change = [str(other) if word == "OTHER" else word for word in change]
    usual = ["--manifest", LASER, *settings(SMALL)]
    unusual = usual + change if "--manifest" not in change else [*change, *settings(SMALL)]
    address = free_address()
    processes = [
        start("timeseries/gru-laser", tmp_path / "run", Place(2, rank, address), *arguments)
        for rank, arguments in enumerate((usual, unusual))
    ]
    for process in processes:
        ended = end(process)
        assert ended.status == 1
        assert message in json.loads(ended.out)["error"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "file_bytes", "message"),
    [([], 5000, "File too large"), (["--dev-manifest", "none.txt"], None, "none.txt")],
    ids=["full disk", "missing input"],
)
def test_error_of_one_host_ends_all(arguments, file_bytes, message, tmp_path):
    usual, address = ["--manifest", LASER, *settings(SMALL)], free_address()
    faulty, healthy = (
        start("timeseries/gru-laser", tmp_path / "run", Place(2, rank, address), *given, **limits)
        for rank, given, limits in (
            (0, usual + arguments, {"file_bytes": file_bytes}),
            (1, usual, {}),
        )
    )
    ended = end(faulty)
    assert ended.status == 1
    assert message in json.loads(ended.out)["error"]
    assert "Traceback" not in ended.err
    other = end(healthy, ENDS_WITHIN_SECONDS)
    assert other.status == 1
    assert json.loads(other.out)["error"].startswith("Another host ended or cannot be reached")
    assert not (tmp_path / "run").exists()


def test_wrong_coordinator_and_a_rank_twice(tmp_path):
    recipe, arguments = "timeseries/gru-laser", ["--manifest", LASER, *settings(SMALL)]
    lonely = start(recipe, tmp_path / "a", Place(2, 1, "127.0.0.1:1"), *arguments)
    address = free_address()
    twice = [start(recipe, tmp_path / "b", Place(2, 0, address), *arguments) for _ in range(2)]
    for process in (lonely, *twice):
        ended = end(process)
        assert ended.status == 1
        error = json.loads(ended.out)["error"]
        # The second process of a rank is named, if the coordinator answers it.
        assert "check the address, and that each rank is started once" in error or (
            process is not lonely and error.startswith("A rank was started twice")
        )
        assert "@" not in ended.err
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_place_is_found_in_a_job_of_slurm(tmp_path, monkeypatch):
    arguments = ["--manifest", LASER, *settings(SMALL | {"training.epochs": 1})]
    outside = end(start("timeseries/gru-laser", tmp_path / "none", Place(2), *arguments))
    assert outside.status == 1
    assert "found no Slurm, Kubernetes or MPI job" in json.loads(outside.out)["error"]
    job = {"SLURM_JOB_ID": os.getpid(), "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_NTASKS": 2}
    processes = []
    for rank in range(2):
        for key, value in (job | {"SLURM_PROCID": rank, "SLURM_LOCALID": rank}).items():
            monkeypatch.setenv(key, str(value))
        processes.append(start("timeseries/gru-laser", tmp_path / "run", Place(2), *arguments))
    ended = [end(process) for process in processes]
    assert [each.status for each in ended] == [0, 0], ended[0].err[-3000:]
    assert len(ended[0].history) == 1


def test_several_devices_of_one_host_have_the_losses_of_one_device(tmp_path, monkeypatch):
    arguments = ["--manifest", LASER, *settings(SMALL | {"training.epochs": 2})]
    losses = []
    for devices in (1, 2):
        monkeypatch.setenv("XLA_FLAGS", f"--xla_force_host_platform_device_count={devices}")
        (ended,) = run("timeseries/gru-laser", tmp_path / f"{devices}", 1, *arguments)
        assert ended.status == 0, ended.err[-3000:]
        losses.append([row["loss"] for row in ended.history])
    assert np.allclose(*losses, atol=1e-5)


def test_processes_listen_on_loopback_only(tmp_path):
    address = free_address()
    values = settings(SMALL | {"training.epochs": 200})
    processes = [
        start(
            "timeseries/gru-laser",
            tmp_path / "r",
            Place(2, r, address),
            "--manifest",
            LASER,
            *values,
        )
        for r in range(2)
    ]
    try:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not (tmp_path / "r" / "last.npz").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        children = {
            int(child)
            for process in processes
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children")
            .read_text()
            .split()
        }
        listing = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True).stdout
        own = [x for x in listing.splitlines() if any(f"pid={pid}," in x for pid in children)]
        assert own
        found = {line.split()[3].rpartition(":")[0] for line in own}
        assert found <= {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
    finally:
        for process in processes:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
