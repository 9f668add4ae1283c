"""Calculate the cost of training on several hosts, and measure the scaling of bulk inference.

    python benchmarks/scaling.py --paper                  bytes exchanged per step against compute
    python benchmarks/scaling.py --make FOLDER            write 2,000 short recordings
    python benchmarks/scaling.py --bulk FOLDER            inputs per second with one and two actors
    python benchmarks/scaling.py --hosts RECIPE           seconds per step with one and two processes
    python benchmarks/scaling.py --tune FOLDER            a sweep on the corpus in FOLDER, killed twice

Options after `--hosts RECIPE` are those of `zoo train`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import wave
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from zoo.common.presets import store

PRESETS = ("language/lstm-small-ptb", "speech/bilstm-ctc-an4", "timeseries/lstm-laser")
HOSTS, GIGABITS = (2, 8, 64), (1, 10, 100)
# Time until the first byte of a message arrives: that of Ethernet with TCP inside one data centre.
LATENCY_SECONDS = 50e-6
BULK_PRESET = "speech/bilstm-ctc-an4"
SAMPLES = Path(__file__).resolve().parents[1] / "tests" / "data" / "an4"
CLIPS, SAMPLE_RATE = 2000, 16_000
# A sweep, and how often its process is killed, each time after some trials.
SWEEP = (
    *("timeseries/lstm-laser", "--trials", "20", "--jobs", "2", "--set", "training.epochs=20"),
    *("--set", "optimizer.learning_rate=1e-4..1e-2", "--set", "model.hidden_size=16,32,64"),
)
KILLS, TRIALS_BEFORE_KILL = 2, 5


@dataclass(frozen=True)
class Step:
    """A training step on one host.

    Args:
        gradient_bytes: size of the gradients in float32.
        seconds: time of the step.
    """

    gradient_bytes: int
    seconds: float


def sent_bytes(step: Step, hosts: int) -> float:
    """Return the bytes that each host sends and receives in a step.

    A ring all-reduce sends each part of the gradients twice around the ring: once to sum it, once to
    distribute the sum.
    """
    return 2 * (hosts - 1) / hosts * step.gradient_bytes


def exchange_seconds(step: Step, hosts: int, gigabits: float) -> float:
    """Return the time of the exchange: bytes at the rate of the link, and latency of messages."""
    return sent_bytes(step, hosts) * 8 / (gigabits * 1e9) + 2 * (hosts - 1) * LATENCY_SECONDS


def speed_up(step: Step, hosts: int, gigabits: float) -> float:
    """Return how much faster a step with the same global batch is.

    The computation is divided by the number of hosts, and the exchange follows it.
    """
    return step.seconds / (step.seconds / hosts + exchange_seconds(step, hosts, gigabits))


def published_step(name: str) -> Step:
    """Return the mean step of the training of a preset on two cores, evaluations on dev included."""
    folder = store.find(name)
    recipe = store.load_recipe(folder)
    training = json.loads((folder / store.METRICS_FILE).read_text())["training"]
    rows = recipe.training.batch_size * getattr(recipe.data, "time_steps", 1)
    steps = math.ceil(training["examples"]["train"] / rows) * training["history"]["epochs"]
    weights = sum(map(math.prod, recipe.model.declared_weights()))
    return Step(4 * weights, training["history"]["minutes"] * 60 / steps)


def paper() -> None:
    """Print the calculation for the presets."""
    print(
        "| preset | MB sent | step, s | hosts |", " | ".join(f"{g} Gbit/s" for g in GIGABITS), "|"
    )
    print("| --- " * (4 + len(GIGABITS)) + "|")
    for name in PRESETS:
        step = published_step(name)
        for hosts in HOSTS:
            cells = [
                f"{1000 * exchange_seconds(step, hosts, g):.1f} ms, {speed_up(step, hosts, g):.1f} x"
                for g in GIGABITS
            ]
            sent = f"{sent_bytes(step, hosts) / 1e6:.2f}"
            print(f"| {name} | {sent} | {step.seconds:.3f} | {hosts} |", " | ".join(cells), "|")


def make_clips(folder: Path, count: int = CLIPS) -> None:
    """Write different parts of the samples of AN4, of 0.3 to 1 s, and one file that is broken."""
    from zoo.speech.audio.reading import read_audio

    generator = random.Random(1)
    samples = [read_audio(path, SAMPLE_RATE) for path in sorted(SAMPLES.rglob("*.flac"))]
    folder.mkdir(parents=True)
    for number in range(count - 1):
        sample = samples[number % len(samples)]
        length = generator.randint(SAMPLE_RATE * 3 // 10, SAMPLE_RATE)
        first = generator.randrange(max(1, len(sample) - length))
        with wave.open(str(folder / f"{number:04}.wav"), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((sample[first : first + length] * 32767).astype("<i2").tobytes())
    (folder / "broken.wav").write_bytes(b"RIFF")


def bulk(folder: str) -> None:
    """Print inputs per second with one and with two actors, each pinned to a core once it is started."""
    from zoo.scaling import bulk as engine

    rates = {}
    for actors in (1, 2):
        with tempfile.TemporaryDirectory() as out:
            stop = threading.Event()
            pins = threading.Thread(target=_pin, args=(stop,), daemon=True)
            pins.start()
            engine.predict_in_bulk(BULK_PRESET, folder, out, actors=actors, format="jsonl")
            stop.set()
            parts = sorted(Path(out).glob("part-*"), key=lambda path: path.stat().st_mtime)
            # Without the time in which the actors start: from the second part of each on.
            first, rest = parts[2 * actors - 1], parts[2 * actors :]
            rows = sum(len(path.read_text().splitlines()) for path in rest)
            seconds = rest[-1].stat().st_mtime - first.stat().st_mtime
            rates[actors] = rows / seconds
            print(f"{actors} actors: {rates[actors]:.1f} inputs/s after the start", flush=True)
    print(f"two actors: {rates[2] / rates[1] / 2:.2f} of linear")


def _pin(stop: threading.Event) -> None:
    """Pin all threads of each actor of Ray to a core of its own, as soon as the actor exists."""
    cores: dict[str, int] = {}
    while not stop.wait(2):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "cmdline").read_text().startswith("ray::Map"):
                    core = cores.setdefault(process.name, len(cores) % (os.cpu_count() or 1))
                    for thread in (process / "task").iterdir():
                        os.sched_setaffinity(int(thread.name), {core})
            except OSError:
                continue  # it has ended


def hosts(recipe: str, settings: list[str]) -> None:
    """Print the time of a step with one and with two processes on this machine."""
    from zoo.cli.train import parse_settings
    from zoo.scaling.hosts import Place, train_on_hosts

    for count in (1, 2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"

        def run(rank: int, count: int = count, address: str = address) -> float:
            place = Place(count, rank, address) if count > 1 else Place(1)
            with tempfile.TemporaryDirectory() as out:
                result = train_on_hosts(
                    recipe, place, out=f"{out}/run", overrides=dict(parse_settings(settings))
                )
            return max(row["batches_per_second"] for row in result.history)

        started = time.perf_counter()
        with ThreadPoolExecutor(count) as pool:
            rate = min(pool.map(run, range(count)))
        print(
            f"{count} processes: {1000 / rate:.0f} ms per step in the fastest epoch, evaluation "
            f"included; {time.perf_counter() - started:.0f} s in all",
            flush=True,
        )


def tune(data: str) -> None:
    """Print the time of a sweep whose process is killed twice, and the states of its trials."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "zoo", "tune", *SWEEP, "--data", data]
        command += ["--out", f"{folder}/sweep", "--json"]
        started = time.perf_counter()
        for _ in range(KILLS):
            _kill_after_trials(command)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        seconds = time.perf_counter() - started
    states = Counter(row["state"] for row in json.loads(done.stdout)["trials"])
    print(f"{states.total()} trials in {seconds:.0f} s, killed {KILLS} times: {dict(states)}")


def _kill_after_trials(command: list[str]) -> None:
    """Run a sweep, and kill its process when it has reported some trials."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        reported = 0
        for line in process.stderr:
            reported += line.startswith("trial ")
            if reported == TRIALS_BEFORE_KILL:
                break
        process.kill()


def main() -> None:
    """Run the part that the arguments name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--paper", action="store_true")
    parser.add_argument("--make", metavar="FOLDER", type=Path)
    parser.add_argument("--bulk", metavar="FOLDER")
    parser.add_argument("--hosts", metavar="RECIPE")
    parser.add_argument("--tune", metavar="FOLDER")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    if options.paper:
        paper()
    if options.make:
        make_clips(options.make)
    if options.bulk:
        bulk(options.bulk)
    if options.hosts:
        hosts(options.hosts, options.set)
    if options.tune:
        tune(options.tune)
    if not any(vars(options).values()):
        parser.print_help(sys.stderr)


if __name__ == "__main__":
    main()
