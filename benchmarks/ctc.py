"""CTC loss and gradient: the zoo, stock Keras and PyTorch side by side on the CPU.

    python benchmarks/ctc.py --threads 1 2 --json ctc.json

Each shape is timed in alternating runs, so that a busy machine slows all alike, and told as medians
and ratios. The logits have their full length; every row has the full number of labels. PyTorch is
left out where it is not installed.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import multiprocessing
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np

SHAPES = [(32, 400, 29, 60), (16, 200, 29, 30), (8, 300, 5000, 40)]


def tensorflow_runs(batch: dict, threads: int) -> dict:
    """Return {name: function that runs one loss and gradient} for the zoo and stock Keras."""
    import keras
    import tensorflow as tf

    from zoo.common.ctc import BLANK_INDEX, ctc_loss

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    logits, logit_lengths, labels, label_lengths = map(tf.constant, batch.values())

    def stock_loss(logits, logit_lengths, labels, label_lengths):
        # What `keras.losses.CTC` calls; the loss itself takes no lengths.
        return keras.ops.ctc_loss(labels, logits, label_lengths, logit_lengths, BLANK_INDEX)

    def run_of(loss):
        @tf.function
        def loss_and_gradient(logits):
            values = loss(logits, logit_lengths, labels, label_lengths)
            return values, tf.gradients(values, logits)[0]

        return lambda: [part.numpy() for part in loss_and_gradient(logits)]

    return {"zoo": run_of(ctc_loss), "keras": run_of(stock_loss)}


def pytorch_runs(batch: dict, threads: int) -> dict:
    """Return {"pytorch": function that runs one loss and gradient}; empty without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

    torch.set_num_threads(threads)
    logits, logit_lengths, labels, label_lengths = map(torch.from_numpy, batch.values())
    logits.requires_grad_()

    def run():
        logits.grad = None
        log_probs = logits.log_softmax(-1).transpose(0, 1)
        values = torch.nn.functional.ctc_loss(
            log_probs, labels, logit_lengths, label_lengths, reduction="none"
        )
        values.sum().backward()
        return values.detach().numpy(), logits.grad.numpy()

    return {"pytorch": run}


def random_batch(shape: tuple[int, int, int, int]) -> dict:
    """Return logits, lengths and labels of (batch, frames, symbols, labels), always the same."""
    rows, frames, symbols, count = shape
    random = np.random.RandomState(0)
    return {
        "logits": random.standard_normal((rows, frames, symbols)).astype(np.float32),
        "logit_lengths": np.full(rows, frames, np.int32),
        "labels": random.randint(1, symbols, (rows, count)).astype(np.int32),
        "label_lengths": np.full(rows, count, np.int32),
    }


def measure(shape: tuple[int, int, int, int], threads: int, repeats: int) -> dict:
    """Return the median milliseconds of each contender on one shape."""
    batch = random_batch(shape)
    runs = tensorflow_runs(batch, threads) | pytorch_runs(batch, threads)
    answers = {name: run() for name, run in runs.items()}  # the first run compiles
    for name, (loss, gradient) in answers.items():
        np.testing.assert_allclose(loss, answers["zoo"][0], rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(gradient, answers["zoo"][1], atol=1e-2, err_msg=name)
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append(1000.0 * (time.perf_counter() - start))
    medians = {name: statistics.median(values) for name, values in times.items()}
    return {
        "shape": dict(zip(("batch", "frames", "symbols", "labels"), shape, strict=True)),
        "threads": threads,
        "milliseconds": medians,
        "ratio": {name: value / medians["zoo"] for name, value in medians.items()},
    }


def machine() -> dict:
    """Return what the figures depend on; the load tells whether the machine was quiet."""
    packages = [name for name in ("tensorflow", "keras", "torch") if importlib.util.find_spec(name)]
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def table(results: list[dict]) -> str:
    """Return the results as a Markdown table."""
    names = ["zoo", "keras", "pytorch"]
    heads = ["batch, frames, symbols, labels", "threads", *(f"{name}, ms" for name in names)]
    heads += [f"against {name}" for name in names[1:]]
    rows = [heads, ["---"] * len(heads)]
    for result in results:
        times = [result["milliseconds"].get(name) for name in names]
        ratios = [result["ratio"].get(name) for name in names[1:]]
        rows.append(
            [", ".join(map(str, result["shape"].values())), str(result["threads"])]
            + [f"{value:.1f}" if value else "-" for value in times]
            + [f"{value:.2f}x" if value else "-" for value in ratios]
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main() -> None:
    """Time every shape with every number of threads, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", type=Path, help="where to write the results")
    arguments = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its column stays empty.", file=sys.stderr)
    report = {"machine": machine(), "results": []}
    # TensorFlow takes its number of threads once per process.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as processes:
        for threads in arguments.threads:
            for shape in SHAPES:
                result = processes.apply(measure, (shape, threads, arguments.repeats))
                report["results"].append(result)
    report["machine"]["load_after"] = os.getloadavg()[0]
    print(json.dumps(report["machine"]))
    print(table(report["results"]))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
