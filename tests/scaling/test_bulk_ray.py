"""Bulk inference on Ray: equal rows, killed workers and drivers, and an S3 stand-in."""

import functools
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

import zoo
from zoo.common.core.errors import ZooError
from zoo.scaling import bulk
from zoo.scaling.parts import Parts

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow
SPEECH = "speech/bilstm-ctc-an4"
FILES, WORKER_KILLS, DRIVER_KILLS = 2000, 10, 2
LIMIT_SECONDS = 1800
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Return a folder of many short recordings, all different, and of one that is broken."""
    folder = tmp_path_factory.mktemp("bulk") / "recordings"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        importlib.import_module("scaling").make_clips(folder, FILES)
    return folder


@pytest.fixture(scope="module")
def expected(folder) -> dict[str, dict]:
    """Return the rows of the default engine by input."""
    rows = {row["input"]: row for row in zoo.predict(SPEECH, str(folder))}
    assert len(rows) == FILES
    return rows


def start(folder: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "zoo", "predict", SPEECH, str(folder), "--engine", "ray"]
    command += ["--out", str(out), "--actors", "2", "--format", "jsonl", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def actors(driver: int) -> list[int]:
    """Return the processes of Ray's actors that belong to a driver."""
    parents, names = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                names[int(entry.name)] = (entry / "cmdline").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])

    def belongs(process: int) -> bool:
        while process in parents and process != driver:
            process = parents[process]
        return process == driver

    return [pid for pid, name in names.items() if name.startswith("ray::Map") and belongs(pid)]


def wait_for(condition, process: subprocess.Popen) -> bool:
    """Wait until a condition is true. Return False if the process ended before."""
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_killed_workers_and_drivers_lose_and_repeat_nothing(folder, expected, tmp_path):
    out, generator, killed = tmp_path / "out", random.Random(1), 0
    for attempt in range(DRIVER_KILLS + 1):
        parts = len(list(out.glob("part-*")))
        driver = start(folder, out)
        if attempt < DRIVER_KILLS:
            assert wait_for(lambda seen=parts: len(list(out.glob("part-*"))) > seen, driver)
            driver.kill()
            driver.wait()
            continue
        alive = functools.partial(actors, driver.pid)
        while killed < WORKER_KILLS and wait_for(alive, driver):
            time.sleep(generator.uniform(0, 2))
            if found := alive():
                os.kill(generator.choice(found), signal.SIGKILL)
                killed += 1
        printed, errors = driver.communicate(timeout=LIMIT_SECONDS)
    assert killed == WORKER_KILLS
    assert driver.returncode == 1, errors[-3000:]  # there is an error row
    assert json.loads(printed)["inputs"] == FILES
    rows = list(Parts(str(out), "jsonl").rows())
    assert Counter(row["input"] for row in rows) == dict.fromkeys(expected, 1)
    assert {row["input"]: row for row in rows} == expected
    assert not list(out.glob(".part-*"))


def test_input_that_always_kills_its_worker_ends_the_job(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "RETRIES", 1)
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.2):
            for process in actors(os.getpid()):
                os.kill(process, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(ZooError, match="Ray ended the job, which the same command continues"):
            zoo.predict(SPEECH, str(folder), engine="ray", out=tmp_path / "out", actors=1)
    finally:
        done.set()
        killer.join()
    assert not list((tmp_path / "out").glob("*part-*"))


def test_ray_listens_on_loopback_only(folder, tmp_path):
    driver = start(folder, tmp_path / "out")
    try:
        assert wait_for(lambda: actors(driver.pid), driver)
        listing = subprocess.run(["ss", "-ltnpH"], capture_output=True, text=True).stdout
        lines = [line for line in listing.splitlines() if '("ray' in line or "gcs_server" in line]
        assert lines
        addresses = {line.split()[3].rpartition(":")[0] for line in lines}
        assert addresses <= {"127.0.0.1", "[::ffff:127.0.0.1]", "[::1]"}
    finally:
        driver.kill()
        driver.wait()


def test_input_and_output_on_s3(folder, expected, monkeypatch):
    pytest.importorskip("moto")
    from moto.server import ThreadedMotoServer

    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "test")
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        from pyarrow.fs import S3FileSystem

        options = f"?scheme=http&endpoint_override={host}:{port}&region=us-east-1"
        s3 = S3FileSystem(
            endpoint_override=f"{host}:{port}", scheme="http", allow_bucket_creation=True
        )
        s3.create_dir("bucket")
        files = [*sorted(expected)[:6], str(folder / "broken.wav")]
        for name in files:
            with s3.open_output_stream(f"bucket/in/{Path(name).name}") as stream:
                stream.write(Path(name).read_bytes())
        result = zoo.predict(
            SPEECH,
            f"s3://bucket/in{options}",
            engine="ray",
            out=f"s3://bucket/out{options}",
            actors=1,
        )
        rows = {row["input"]: row for row in result.rows()}
        assert len(rows) == len(files)
        for name in files:
            url = f"s3://bucket/in/{Path(name).name}{options}"
            row = dict(expected[name])
            if "error" in row:
                row["error"] = row["error"].replace(name, url)
            assert rows[url] == {**row, "input": url}
    finally:
        server.stop()
