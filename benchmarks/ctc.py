"""Compare the CTC loss and gradient of the zoo, stock Keras and PyTorch on the CPU.

    python benchmarks/ctc.py --threads 1 2

All rows have the full number of frames and of labels. The results are compared before they are timed.
PyTorch is left out if it is not installed.
"""

import argparse
import importlib.util
import sys

import _timing
import numpy as np

SHAPES = [(32, 400, 29, 60), (16, 200, 29, 30), (8, 300, 5000, 40)]


def tensorflow_runs(batch: dict) -> dict:
    """Return {name: function that runs one loss and gradient} for the zoo and stock Keras."""
    import keras
    import tensorflow as tf

    from zoo.common.ctc.loss import ctc_loss
    from zoo.common.data.labels import BLANK_INDEX

    logits, logit_lengths, labels, label_lengths = map(tf.constant, batch.values())

    def stock_loss(logits, logit_lengths, labels, label_lengths):
        # `keras.losses.CTC` calls this function, but does not accept lengths.
        return keras.ops.ctc_loss(labels, logits, label_lengths, logit_lengths, BLANK_INDEX)

    def run_of(loss):
        @tf.function
        def loss_and_gradient(logits):
            values = loss(logits, logit_lengths, labels, label_lengths)
            return values, tf.gradients(values, logits)[0]

        return lambda: [part.numpy() for part in loss_and_gradient(logits)]

    return {"zoo": run_of(ctc_loss), "keras": run_of(stock_loss)}


def pytorch_runs(batch: dict) -> dict:
    """Return {"pytorch": function that runs one loss and gradient}; empty without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return {}
    import torch

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
    """Return logits, lengths and labels for (batch, frames, symbols, labels), with a fixed seed."""
    rows, frames, symbols, count = shape
    random = np.random.RandomState(0)
    return {
        "logits": random.standard_normal((rows, frames, symbols)).astype(np.float32),
        "logit_lengths": np.full(rows, frames, np.int32),
        "labels": random.randint(1, symbols, (rows, count)).astype(np.int32),
        "label_lengths": np.full(rows, count, np.int32),
    }


def measure(shape: tuple[int, int, int, int], threads: int, repeats: int) -> dict:
    """Return the median milliseconds of each contender for one shape."""
    _timing.set_threads(threads)
    batch = random_batch(shape)
    runs = tensorflow_runs(batch) | pytorch_runs(batch)
    answers = {name: run() for name, run in runs.items()}
    for name, (loss, gradient) in answers.items():
        np.testing.assert_allclose(loss, answers["zoo"][0], rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(gradient, answers["zoo"][1], atol=1e-2, err_msg=name)
    return {
        "shape": dict(zip(("batch", "frames", "symbols", "labels"), shape, strict=True)),
        "threads": threads,
        **_timing.compare(runs, [], repeats),
    }


def main() -> None:
    """Measure every shape with every number of threads, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its column is empty.", file=sys.stderr)
    report = {"machine": _timing.machine(), "results": []}
    for threads in arguments.threads:
        for shape in SHAPES:
            result = _timing.in_own_process(measure, shape, threads, arguments.repeats)
            report["results"].append(result)
    names = ["zoo", "keras", "pytorch"]
    heads = ["batch, frames, symbols, labels", "threads", *(f"{name}, ms" for name in names)]
    heads += [f"{name} / zoo" for name in names[1:]]
    rows = [
        [", ".join(map(str, result["shape"].values())), result["threads"]]
        + [result["milliseconds"].get(name) for name in names]
        + [result["ratio"].get(name) for name in names[1:]]
        for result in report["results"]
    ]
    print(_timing.table(heads, rows))
    print(_timing.save("ctc", report))


if __name__ == "__main__":
    main()
