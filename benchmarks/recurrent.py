"""Compare one recurrent layer of the zoo, stock Keras and PyTorch on the CPU.

    python benchmarks/recurrent.py --threads 1 2

A training step is the forward pass of the layer and the gradients of its weights and inputs. Inference
is the forward pass. Batches have full lengths, or lengths from half to full, which TensorFlow receives
as a mask and PyTorch as a packed sequence. All contenders have the same weights. Their outputs and
gradients are compared before they are timed.
"""

import argparse
import importlib.util
import itertools
import sys

import _timing
import numpy as np

SHAPES = [
    (16, 200, 80, 256),
    (20, 35, 650, 650),
    (1, 1000, 80, 512),
    (32, 400, 160, 512),
    (64, 100, 128, 128),
    (8, 50, 64, 64),
]
GATES = {"LSTM": 4, "GRU": 3}


def make_batch(shape, spread):
    """Return inputs, lengths (None for full ones) and the gradient of the outputs."""
    rows, steps, inputs, units = shape
    random = np.random.default_rng(0)
    lengths = np.linspace(steps, steps // 2, rows).astype(np.int32) if spread else None
    x = random.standard_normal((rows, steps, inputs), np.float32)
    upstream = random.standard_normal((rows, steps, units), np.float32)
    if spread:
        upstream *= np.arange(steps)[None, :, None] < lengths[:, None, None]
    return x, lengths, upstream


def make_weights(cell, shape):
    """Return kernel, recurrent kernel and bias in the layout and with the initializers of Keras."""
    import keras

    keras.utils.set_random_seed(0)
    layer = getattr(keras.layers, cell)(shape[3])
    layer.build((None, None, shape[2]))
    return layer.get_weights()


def tensorflow_run(module, cell, shape, batch, weights, training):
    """Return a function that runs the layer of `module` and returns outputs and gradients."""
    import tensorflow as tf

    layer = getattr(module, cell)(shape[3], return_sequences=True)
    layer.build((None, None, shape[2]))
    layer.set_weights(weights)
    x, lengths, upstream = batch
    mask = None if lengths is None else tf.sequence_mask(lengths, shape[1])
    x, upstream = tf.constant(x), tf.constant(upstream)
    # Rows and steps are free, as in a model that is trained on batches of various lengths.
    signature = [tf.TensorSpec((None, None, shape[2]))]

    @tf.function(input_signature=signature)
    def infer(x):
        return layer(x, mask=mask, training=False)

    @tf.function(input_signature=signature)
    def train(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            h = layer(x, mask=mask, training=True)
        variables = [weight.value for weight in layer.weights]
        return h, *tape.gradient(h, [x, *variables], output_gradients=upstream)

    if training:
        return lambda: [part.numpy() for part in train(x)]
    return lambda: [infer(x).numpy()]


def pytorch_run(cell, shape, batch, weights, training):
    """Return a function that runs the layer of PyTorch and returns outputs and the gradient of x."""
    import torch
    from torch.nn.utils import rnn

    kernel, recurrent_kernel, bias = weights
    units = shape[3]
    layer = getattr(torch.nn, cell)(shape[2], units, batch_first=True)
    # The gate order of an LSTM is the same in Keras and PyTorch; a GRU swaps update and reset.
    order = np.arange(GATES[cell] * units)
    if cell == "GRU":
        order = np.concatenate([order[units : 2 * units], order[:units], order[2 * units :]])
        input_bias, recurrent_bias = bias
    else:
        input_bias, recurrent_bias = bias, np.zeros_like(bias)
    values = {
        "weight_ih_l0": kernel.T[order],
        "weight_hh_l0": recurrent_kernel.T[order],
        "bias_ih_l0": input_bias[order],
        "bias_hh_l0": recurrent_bias[order],
    }
    layer.load_state_dict({name: torch.from_numpy(value) for name, value in values.items()})
    x, lengths, upstream = batch
    x = torch.from_numpy(x).requires_grad_(training)
    upstream = torch.from_numpy(upstream)

    def forward():
        if lengths is None:
            return layer(x)[0]
        packed = rnn.pack_padded_sequence(x, torch.from_numpy(lengths).long(), batch_first=True)
        return rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)[0]

    def train():
        layer.zero_grad()
        x.grad = None
        h = forward()
        h.backward(upstream)
        return [h.detach().numpy(), x.grad.numpy()]

    def infer():
        with torch.no_grad():
            return [forward().numpy()]

    return train if training else infer


def make_runs(cell, shape, spread, training, contenders):
    """Return the runs by name; the zoo is the first."""
    import keras

    from zoo.common.layers import recurrent

    batch, weights = make_batch(shape, spread), make_weights(cell, shape)
    runs = {}
    if "zoo" in contenders:
        runs["zoo"] = tensorflow_run(recurrent, cell, shape, batch, weights, training)
    if "keras" in contenders:
        runs["keras"] = tensorflow_run(keras.layers, cell, shape, batch, weights, training)
    if "pytorch" in contenders and importlib.util.find_spec("torch"):
        runs["pytorch"] = pytorch_run(cell, shape, batch, weights, training)
    return runs


def check(runs, lengths, steps):
    """Check that outputs at valid steps and gradients of all contenders are equal."""
    valid = slice(None) if lengths is None else np.arange(steps) < lengths[:, None]
    answers = {name: run() for name, run in runs.items()}
    for name, answer in answers.items():
        h, expected = answer[0][valid], answers["zoo"][0][valid]
        np.testing.assert_allclose(h, expected, atol=1e-4, err_msg=name)
        for actual, expected in zip(answer[1:], answers["zoo"][1:], strict=False):
            scale = np.abs(expected).max()
            np.testing.assert_allclose(actual, expected, atol=1e-3 * scale, err_msg=name)


def products(cell, shape, lengths, training):
    """Return the matrix products of every implementation, with the input and recurrent kernels."""
    rows, steps, inputs, units = shape
    count = rows * steps if lengths is None else int(lengths.sum())
    width = GATES[cell] * units
    forward = [(count, inputs, width), (count, units, width)]
    return forward * 3 if training else forward


def measure(cell, shape, spread, training, threads, repeats):
    """Return the times of the contenders for one case."""
    _timing.set_threads(threads)
    runs = make_runs(cell, shape, spread, training, ("zoo", "keras", "pytorch"))
    lengths = make_batch(shape, spread)[1]
    check(runs, lengths, shape[1])
    case = {
        "cell": cell,
        "shape": shape,
        "lengths": "half to full" if spread else "full",
        "what": "training" if training else "inference",
        "threads": threads,
    }
    return case | _timing.compare(runs, products(cell, shape, lengths, training), repeats)


def summary(results):
    """Return a table of cases, and the geometric means of the ratios by kind of case."""
    heads = ["cell", "batch, steps, inputs, units", "lengths", "what", "threads"]
    heads += [
        "floor, ms",
        "zoo, ms",
        "Keras, ms",
        "PyTorch, ms",
        "against Keras",
        "against PyTorch",
    ]
    rows, groups = [], {}
    for case in results:
        times, ratio = case["milliseconds"], case["ratio"]
        kind = (case["cell"], case["lengths"], case["what"], case["threads"])
        groups.setdefault(kind, []).append(ratio)
        rows.append(
            [case["cell"], ", ".join(map(str, case["shape"])), *kind[1:], case["floor_ms"]]
            + [times.get(name) for name in ("zoo", "keras", "pytorch")]
            + [ratio.get(name) for name in ("keras", "pytorch")]
        )
    means = [
        [*kind]
        + [
            _timing.geometric_mean([ratio[name] for ratio in ratios]) if name in ratios[0] else None
            for name in ("keras", "pytorch")
        ]
        for kind, ratios in groups.items()
    ]
    mean_heads = ["cell", "lengths", "what", "threads", "against Keras", "against PyTorch"]
    return f"{_timing.table(heads, rows)}\n\nGeometric means\n\n{_timing.table(mean_heads, means)}"


def main():
    """Measure every case in a process of its own, and write results/recurrent.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cells", nargs="+", choices=GATES, default=list(GATES))
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    if importlib.util.find_spec("torch") is None:
        print("PyTorch is not installed: its column is empty.", file=sys.stderr)
    report = {"machine": _timing.machine(), "results": []}
    cases = itertools.product(
        arguments.threads, arguments.cells, (False, True), (True, False), SHAPES
    )
    for threads, cell, spread, training, shape in cases:
        case = (cell, shape, spread, training, threads, arguments.repeats)
        report["results"].append(_timing.in_own_process(measure, *case))
        _timing.save("recurrent", report)  # after each case, since all of them take many minutes
    print(summary(report["results"]))
    print("Written to", _timing.save("recurrent", report))


if __name__ == "__main__":
    main()
