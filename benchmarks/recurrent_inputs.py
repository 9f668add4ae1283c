"""Compare training steps of an LSTM with and without the gradient of its inputs, by kind of shape.

    python benchmarks/recurrent_inputs.py --threads 1 2

The first layer after fixed features only needs the gradients of its weights. The zoo and stock Keras
alternate. The processor time is summed over all threads. It depends less on other load on the machine
than the wall time.
"""

import argparse
import itertools
import statistics
import time

import _timing
import recurrent


def make_run(module, shape, free: bool, of_inputs: bool):
    """Return a function that makes a step with the layer of `module` and returns the gradients."""
    import tensorflow as tf

    layer = module.LSTM(shape[3], return_sequences=True)
    layer.build((None, None, shape[2]))
    layer.set_weights(recurrent.make_weights("LSTM", shape))
    x, _, upstream = recurrent.make_batch(shape, spread=False)
    x, upstream = tf.constant(x), tf.constant(upstream)
    sizes = (None, None) if free else shape[:2]

    @tf.function(input_signature=[tf.TensorSpec((*sizes, shape[2]))])
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            h = layer(x, training=True)
        sources = [weight.value for weight in layer.weights] + [x] * of_inputs
        return tape.gradient(h, sources, output_gradients=upstream)

    return lambda: [part.numpy() for part in step(x)]


def measure(shape, free: bool, of_inputs: bool, threads: int, repeats: int) -> dict:
    """Return the times of the zoo and stock Keras for one case."""
    _timing.set_tensorflow_threads(threads)
    import keras

    from zoo.common.layers import recurrent as layers

    times = {"zoo": [], "keras": []}
    runs = {
        name: make_run(module, shape, free, of_inputs)
        for name, module in zip(times, (layers, keras.layers), strict=True)
    }
    for name in [*runs, *list(runs) * repeats]:  # one run is a warm-up
        wall, processor = time.perf_counter(), time.process_time()
        runs[name]()
        times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    wall, processor = (
        {name: 1000 * statistics.median(pair[i] for pair in times[name][1:]) for name in times}
        for i in range(2)
    )
    return {
        "shape": shape,
        "shapes": "free" if free else "static",
        "gradients": "weights, inputs" if of_inputs else "weights",
        "threads": threads,
        "milliseconds": wall,
        "processor_ms": processor,
        "ratio": wall["keras"] / wall["zoo"],
        "processor_ratio": processor["keras"] / processor["zoo"],
    }


def main() -> None:
    """Measure every case in a process of its own, and write results/recurrent_inputs.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    report = {"machine": _timing.machine(), "results": []}
    both = (False, True)
    for case in itertools.product(recurrent.SHAPES, both, both, arguments.threads):
        report["results"].append(_timing.in_own_process(measure, *case, arguments.repeats))
        path = _timing.save(
            "recurrent_inputs", report
        )  # after each case, since all of them take minutes
    heads = ["batch, steps, inputs, units", "shapes", "gradients of", "threads"]
    heads += ["zoo, ms", "Keras, ms", "Keras / zoo", "Keras / zoo, processor"]
    columns = ("shapes", "gradients", "threads", "ratio", "processor_ratio")
    rows = []
    for result in report["results"]:
        *case, ratio, processor_ratio = (result[column] for column in columns)
        times = result["milliseconds"].values()
        rows.append([", ".join(map(str, result["shape"])), *case, *times, ratio, processor_ratio])
    print(_timing.table(heads, rows))
    print(path)


if __name__ == "__main__":
    main()
