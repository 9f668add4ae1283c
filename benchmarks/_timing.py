"""What the benchmarks share: fair timing, the floor of matrix products, reports.

Runs alternate, so that a busy machine slows all contenders alike, and are told as medians and
ratios. The floor of a computation is the time that its matrix products alone take at the rate
measured, in the same alternation, on one large product at its fastest.
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
    """Give TensorFlow, and PyTorch where installed, so many threads, before either computes."""
    set_tensorflow_threads(threads)
    if importlib.util.find_spec("torch"):
        set_pytorch_threads(threads)


def set_tensorflow_threads(threads: int) -> None:
    """Give TensorFlow so many threads, before it computes."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def set_pytorch_threads(threads: int) -> None:
    """Give PyTorch so many threads."""
    import torch

    torch.set_num_threads(threads)


def alternate(runs: dict[str, Callable], repeats: int) -> dict[str, list[float]]:
    """Return the milliseconds of each run; they take turns, after one to warm up."""
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
    """Time `runs` and the floor of `products` that each of them has to compute.

    Returns:
        `milliseconds`: {name: median}, `floor_ms`, and `ratio`: {name: its time over the first's}.
    """
    size = 2048
    all_times = alternate({**runs, "gemm": _gemm(size)}, repeats)
    # The fastest: a floor must not rise because the machine was busy.
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
    """Return `function(*arguments)` of a new process, with threads and memory of its own.

    Raises:
        BrokenProcessPool: the process died.
    """
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


class Contender:
    """A run in a process of its own, for libraries that do not stand each other in one.

    Calling it makes one run there and waits for it. `processor_ms` has the processor time of each run,
    of all threads together, which other work on the machine adds less to.

    Args:
        name: whose run it is, for the message when its process dies.
        make_run, arguments: a function of a module, and its arguments; it returns the run.
    """

    def __init__(self, name: str, make_run: Callable, *arguments):
        self.name = name
        self.processor_ms: list[float] = []
        self._output = tempfile.NamedTemporaryFile(suffix=".txt")  # noqa: SIM115 (until the end)
        self._pool = ProcessPoolExecutor(
            1,
            multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(self._output.name, make_run, arguments),
        )

    def __call__(self) -> None:
        """Make a run. Exits with the process's last line of output where it has died."""
        try:
            self.processor_ms.append(self._pool.submit(_run_once).result())
        except BrokenProcessPool:
            lines = Path(self._output.name).read_text(errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "no output")
            raise SystemExit(f"{self.name} died: {last.strip()}") from None

    def stop(self) -> None:
        """End the process."""
        self._pool.shutdown()
        self._output.close()


_run: Callable | None = None  # of the process of a `Contender`


def _start(output: str, make_run: Callable, arguments: tuple) -> None:
    global _run
    file = open(output, "wb", buffering=0)  # noqa: SIM115 (as long as the process)
    sys.stderr.flush()
    os.dup2(file.fileno(), 2)  # what C++ writes before it ends the process, too
    _run = make_run(*arguments)


def _run_once() -> float:
    start = time.process_time()
    _run()
    return 1000.0 * (time.process_time() - start)


def geometric_mean(values: list[float]) -> float:
    """Return the geometric mean, as ratios are averaged."""
    return statistics.geometric_mean(values)


def machine() -> dict:
    """Return what the figures depend on; the load tells whether the machine was quiet."""
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
    """Return a Markdown table; floats get two significant decimals, None a dash."""

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
