"""Timing, lower bounds from matrix products, and reports of the benchmarks.

Runs alternate, so that other load on the machine affects all contenders equally. Reports have medians
and ratios. The floor of a computation is the time of its matrix products at the highest rate of one
large product, which is measured in the same alternation.
"""

import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"
Product = tuple[int, int, int]  # rows, inner size, columns


def set_threads(threads: int) -> None:
    """Set the number of threads of TensorFlow and PyTorch, if installed, before they compute."""
    set_tensorflow_threads(threads)
    if importlib.util.find_spec("torch"):
        set_pytorch_threads(threads)


def set_tensorflow_threads(threads: int) -> None:
    """Set the number of threads of TensorFlow before it computes."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def set_pytorch_threads(threads: int) -> None:
    """Set the number of threads of PyTorch."""
    import torch

    torch.set_num_threads(threads)


def alternate(runs: dict[str, Callable], repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of alternating runs, after one warm-up run each."""
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1000.0 * (time.perf_counter() - start))
    return times


def compare(runs: dict[str, Callable], products: list[Product], repeats: int) -> dict:
    """Return the times of runs and their floor.

    Args:
        runs: functions by name.
        products: the matrix products that each run has to compute.
        repeats: number of timed runs of each function.

    Returns:
        `milliseconds`, the median by name; `floor_ms`; and `ratio`, the time divided by the time of the
        first run, by name.
    """
    size = 2048
    all_times = alternate({**runs, "gemm": _gemm(size)}, repeats)
    # The minimum, since other load on the machine must not raise the floor.
    milliseconds_per_flop = min(all_times.pop("gemm")) / (2 * size**3)
    times = {name: statistics.median(values) for name, values in all_times.items()}
    first = next(iter(times.values()))
    return {
        "milliseconds": times,
        "floor_ms": milliseconds_per_flop * sum(2 * m * k * n for m, k, n in products),
        "gemm_gflops": 1e-6 / milliseconds_per_flop,
        "ratio": {name: value / first for name, value in times.items()},
    }


def _gemm(size: int) -> Callable:
    import tensorflow as tf

    a = tf.constant(np.random.default_rng(0).normal(size=(size, size)).astype("float32"))
    product = tf.function(lambda: tf.matmul(a, a)[0, 0])
    return lambda: product().numpy()


def in_own_process(function: Callable, *arguments):
    """Return `function(*arguments)`, computed in a new process.

    Raises:
        BrokenProcessPool: the process crashed.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


class Contender:
    """A run in a process of its own, for libraries that cannot be loaded together.

    A call makes one run in that process. `processor_ms` has the processor time of each run, summed over
    all threads, which depends less on other load on the machine than the wall time.

    Args:
        name: name of the contender, for the message if its process crashes.
        make_run: a function of a module that returns the run.
        *arguments: arguments of `make_run`.
    """

    def __init__(self, name: str, make_run: Callable, *arguments):
        self.name = name
        self.processor_ms: list[float] = []
        self._output = tempfile.NamedTemporaryFile(suffix=".txt")  # noqa: SIM115 (closed by stop)
        self._pool = ProcessPoolExecutor(
            1,
            multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._output.name, make_run, arguments),
        )

    def __call__(self) -> None:
        """Make a run. If the process crashed, exit with its last line of output."""
        try:
            self.processor_ms.append(self._pool.submit(_run_once).result())
        except BrokenProcessPool:
            lines = Path(self._output.name).read_text(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "no output")
            raise SystemExit(f"{self.name} died: {last.strip()}") from None

    def stop(self) -> None:
        """Stop the process."""
        self._pool.shutdown()
        self._output.close()


_run: Callable | None = None  # the run of this process, if it belongs to a `Contender`


def _start(output: str, make_run: Callable, arguments: tuple) -> None:
    global _run
    file = open(output, "wb", buffering=0)  # noqa: SIM115 (open until the process ends)
    sys.stderr.flush()
    os.dup2(file.fileno(), 2)  # includes messages of C++ before a crash
    _run = make_run(*arguments)


def _run_once() -> float:
    start = time.process_time()
    _run()
    return 1000.0 * (time.process_time() - start)


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean of ratios."""
    return statistics.geometric_mean(values)


def machine() -> dict:
    """Return the processor, load and package versions, on which the times depend."""
    names = ("tensorflow", "keras", "torch", "gensim")
    packages = [name for name in names if importlib.util.find_spec(name)]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")


def table(heads: list[str], rows: list[list]) -> str:
    """Return a Markdown table. Floats have two decimals, and None is a dash."""

    def cell(value):
        if value is None:
            return "-"
        return f"{value:.2f}" if isinstance(value, float) else str(value)

    lines = [heads, ["---"] * len(heads), *([cell(value) for value in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def save(name: str, report: dict) -> Path:
    """Write a report to `benchmarks/results/<name>.json` and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(report, indent=2) + "\n")
    return path
