"""Measure the parts of the time of the LSTM: products inside the loop, products outside it, the rest.

    python benchmarks/recurrent_parts.py

The parts run separately, in one thread, and alternate with the whole layer and the layer of PyTorch. The
products outside the loop process a whole sequence: the input kernel and, in training, the gradients of
inputs and weights. The products inside the loop are those of the recurrent kernel, one per step forward
and, in training, one per step backward; each depends on the one before it. The rest is gates, copies
between layouts, and calls.
"""

import statistics

import _timing
import recurrent

CELL = "LSTM"


def loop_products(rows, steps, units, training):
    """Return a function that multiplies a state `steps` times by the recurrent kernel, compiled by XLA.

    In training, it also multiplies `steps` times by the transposed kernel.
    """
    import tensorflow as tf

    matrix = tf.random.normal((units, 4 * units), stddev=units**-0.5)

    def chain(state, matrix, cut):
        def body(t, state):
            return t + 1, cut(tf.matmul(state, matrix))

        return tf.while_loop(lambda t, _: t < steps, body, (0, state))[1]

    @tf.function(jit_compile=True, autograph=False)
    def run(state):
        state = chain(state, matrix, lambda z: z[:, :units])
        if training:
            gates = tf.tile(state, (1, 4))
            state = chain(gates, tf.transpose(matrix), lambda dh: tf.tile(dh, (1, 4)))
        return state

    state = tf.ones((rows, units))
    return lambda: run(state).numpy()


def outer_products(rows, steps, inputs, units, training):
    """Return a function that multiplies the inputs by the input kernel.

    In training, it also computes the gradients of inputs, kernel and recurrent kernel from the gradient
    of the gates.
    """
    import tensorflow as tf

    x = tf.random.normal((rows * steps, inputs))
    h = tf.random.normal((rows * steps, units))
    kernel = tf.random.normal((inputs, 4 * units))

    @tf.function
    def run(x, h, kernel):
        z = tf.matmul(x, kernel)
        if not training:
            return (z[0, 0],)
        gradients = (
            tf.matmul(z, kernel, transpose_b=True),
            tf.matmul(x, z, transpose_a=True),
            tf.matmul(h, z, transpose_a=True),
        )
        return tuple(gradient[0, 0] for gradient in gradients)

    return lambda: [part.numpy() for part in run(x, h, kernel)]


def measure(shape, training, repeats):
    """Return the milliseconds of the layer and its parts, and the GFLOP/s of the parts."""
    _timing.set_threads(1)
    rows, steps, inputs, units = shape
    runs = recurrent.make_runs(CELL, shape, False, training, ("zoo", "pytorch"))
    runs["outside"] = outer_products(rows, steps, inputs, units, training)
    runs["loop"] = loop_products(rows, steps, units, training)
    times = _timing.alternate(runs, repeats)
    times = {name: statistics.median(values) for name, values in times.items()}
    # Millions of operations per row of a kernel. Divided by milliseconds, they are GFLOP/s.
    product = 2e-6 * rows * steps * 4 * units
    outside = product * (3 * inputs + units if training else inputs)
    inside = product * units * (2 if training else 1)
    return {
        "shape": shape,
        "what": "training" if training else "inference",
        "milliseconds": times,
        "outside_gflops": outside / times["outside"],
        "loop_gflops": inside / times["loop"],
        "rest_ms": times["zoo"] - times["outside"] - times["loop"],
    }


def main():
    """Measure every shape and write results/recurrent_parts.json."""
    report = {"machine": _timing.machine(), "results": []}
    for training in (True, False):
        for shape in recurrent.SHAPES:
            report["results"].append(_timing.in_own_process(measure, shape, training, 5))
    heads = ["batch, steps, inputs, units", "what", "zoo, ms", "PyTorch, ms"]
    heads += ["outside the loop, ms", "GFLOP/s", "in the loop, ms", "GFLOP/s", "the rest, ms"]
    rows = []
    for case in report["results"]:
        times = case["milliseconds"]
        row = [", ".join(map(str, case["shape"])), case["what"]]
        row += [times["zoo"], times.get("pytorch"), times["outside"], case["outside_gflops"]]
        rows.append([*row, times["loop"], case["loop_gflops"], case["rest_ms"]])
    print(_timing.table(heads, rows))
    print("Written to", _timing.save("recurrent_parts", report))


if __name__ == "__main__":
    main()
