"""Compare training steps of the successors of the LSTM with the LSTM, at equal width.

    python benchmarks/recurrences.py --repeats 5

A training step is the forward pass of one layer and the gradients of its weights and inputs, with free
batch and time axes. `products` are the matrix products of minGRU alone. All runs alternate in one
process. The wall time and the processor time, summed over threads, are the minima, since other load of
the machine must not enter; the load is in the report. `docs/recurrences.md` has the result.
"""

import argparse
import time

import _timing
import numpy as np

SHAPES = [(16, 200, 80, 256), (20, 35, 650, 650), (32, 400, 160, 512), (1, 1000, 80, 512)]
LAYERS = ("LSTM", "MinGRU", "MinLSTM", "QRNN", "RGLRU", "LRU", "MLSTM")


def make_runs(shape, layers):
    """Return the training step of each layer, and the products of minGRU, by name."""
    import tensorflow as tf

    from zoo.common.layers import recurrent

    rows, steps, inputs, units = shape
    random = np.random.default_rng(0)
    x = tf.constant(random.standard_normal((rows, steps, inputs), np.float32))
    upstream = tf.constant(random.standard_normal((rows, steps, units), np.float32))

    def training_step(name):
        layer = getattr(recurrent, name)(units, return_sequences=True)
        layer.build((None, None, inputs))

        @tf.function(input_signature=[tf.TensorSpec((None, None, inputs))])
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x, training=True)
            variables = [weight.value for weight in layer.trainable_weights]
            return tape.gradient(y, [x, *variables], output_gradients=upstream)

        return lambda: step(x)[0][0, 0, 0].numpy()

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

    runs = {name: training_step(name) for name in layers}
    return {**runs, "products": lambda: [part.numpy() for part in products(flat, gates)]}


def measure(shape, layers, repeats):
    """Return the milliseconds of each run, wall and processor time."""
    runs = make_runs(shape, layers)
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
        "shape": shape,
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
    results = []
    for shape in [SHAPES[0], SHAPES[-1], *SHAPES[1:-1]][: arguments.shapes]:
        results.append(measure(shape, arguments.layers, arguments.repeats))
        print(results[-1], flush=True)
    report = {"machine": _timing.machine(), "repeats": arguments.repeats, "results": results}
    print(_timing.save("recurrences", report))


if __name__ == "__main__":
    main()
