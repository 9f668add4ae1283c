"""Compare training steps of the successors of the LSTM with the LSTM, at equal width and equal weights.

    python benchmarks/recurrences.py --repeats 5

At equal width, one layer is measured. At equal weights, a residual block around each layer is compared
with one LSTM layer; the width of a block is the largest multiple of 4 with at most as many weights
as the LSTM.

A training step is the forward pass of one layer and the gradients of its weights and inputs, with free
batch and time axes. `products` are the matrix products of minGRU alone. All runs alternate in one
process. The wall time and the processor time, summed over threads, are the minima, since other load of
the machine must not enter; the load is in the report. `docs/recurrences.md` has the result.
"""

import argparse
import bisect
import time

import _timing
import numpy as np

SHAPES = [(16, 200, 80, 256), (20, 35, 650, 650), (32, 400, 160, 512), (1, 1000, 80, 512)]
LAYERS = ("LSTM", "MinGRU", "MinLSTM", "QRNN", "RGLRU", "LRU", "MLSTM")
# Batch, steps and units of the LSTM, which has as many inputs as units.
BLOCK_SHAPES = [(16, 200, 256), (32, 400, 512), (1, 1000, 512)]
BLOCKS = ("LSTM", "MinGRU", "RGLRU", "LRU", "MLSTM")


def training_step(layer, shape):
    """Return the training step of a layer that returns sequences, for random inputs of a shape."""
    import tensorflow as tf

    x = tf.constant(np.random.default_rng(0).standard_normal(shape, np.float32))
    layer.build((None, None, shape[-1]))

    @tf.function(input_signature=[tf.TensorSpec((None, None, shape[-1]))])
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * y)
        return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_weights)])

    return lambda: step(x)[0][0, 0, 0].numpy()


def make_runs(shape, layers):
    """Return the training step of each layer, and the products of minGRU, by name."""
    import tensorflow as tf

    from zoo.common.layers import recurrent

    rows, steps, inputs, units = shape
    random = np.random.default_rng(0)
    x = tf.constant(random.standard_normal((rows, steps, inputs), np.float32))
    upstream = tf.constant(random.standard_normal((rows, steps, units), np.float32))
    kernel = tf.constant(random.standard_normal((inputs, 2 * units), np.float32))
    flat = tf.reshape(x, (-1, inputs))
    gates = tf.concat([tf.reshape(upstream, (-1, units))] * 2, axis=1)

    @tf.function
    def products(x, gates):
        parts = (
            tf.matmul(x, kernel),
            tf.matmul(gates, kernel, transpose_b=True),
            tf.matmul(x, gates, transpose_a=True),
        )
        return [part[0, 0] for part in parts]

    runs = {
        name: training_step(getattr(recurrent, name)(units, return_sequences=True), shape[:3])
        for name in layers
    }
    return {**runs, "products": lambda: [part.numpy() for part in products(flat, gates)]}


def make_block_runs(shape):
    """Return the training step of an LSTM layer and of blocks with as many weights, and their widths."""
    from zoo.common.layers import recurrent

    rows, steps, units = shape

    def block(name, width):
        return recurrent.RecurrentBlock(getattr(recurrent, name)(width))

    def weights(layer, width):
        layer.build((None, None, width))
        return layer.count_params()

    wanted = weights(recurrent.LSTM(units), units)
    lstm = recurrent.LSTM(units, return_sequences=True)
    runs, widths = {"LSTM": training_step(lstm, (rows, steps, units))}, {"LSTM": units}
    for name in BLOCKS:
        # Heads of mLSTM need a multiple of 4.
        widths_tried = range(units // 2, 2 * units, 4)
        at = bisect.bisect(
            widths_tried, wanted, key=lambda w, name=name: weights(block(name, w), w)
        )
        width = widths_tried[at - 1]
        label = f"{name}, block"
        runs[label], widths[label] = training_step(block(name, width), (rows, steps, width)), width
    return runs, widths


def measure(runs, repeats):
    """Return the milliseconds of each run, wall and processor time."""
    for run in runs.values():
        run()
    times = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            times[name].append(
                (1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - processor))
            )
    best = {
        name: [round(min(kind), 1) for kind in zip(*t, strict=True)] for name, t in times.items()
    }
    return {
        "milliseconds": {name: wall for name, (wall, _) in best.items()},
        "processor_milliseconds": {name: processor for name, (_, processor) in best.items()},
    }


def main():
    """Measure the shapes and write benchmarks/results/recurrences.json."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--shapes", type=int, default=len(SHAPES), help="number of shapes")
    parser.add_argument("--layers", nargs="+", choices=LAYERS, default=LAYERS)
    arguments = parser.parse_args()
    results, blocks = [], []
    for shape in [SHAPES[0], SHAPES[-1], *SHAPES[1:-1]][: arguments.shapes]:
        # Its four heads must divide the number of units.
        layers = [name for name in arguments.layers if name != "MLSTM" or shape[-1] % 4 == 0]
        times = measure(make_runs(shape, layers), arguments.repeats)
        results.append({"shape": shape, **times})
        print(results[-1], flush=True)
    for shape in BLOCK_SHAPES:
        runs, widths = make_block_runs(shape)
        blocks.append({"shape": shape, "widths": widths, **measure(runs, arguments.repeats)})
        print(blocks[-1], flush=True)
    report = {
        "machine": _timing.machine(),
        "repeats": arguments.repeats,
        "results": results,
        "blocks": blocks,
    }
    print(_timing.save("recurrences", report))


if __name__ == "__main__":
    main()
