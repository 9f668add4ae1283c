"""Compare training steps of a small model, with and without `zoo.accelerate`, by `jit_compile`.

    python benchmarks/recurrent_compile.py

Contenders alternate. The first step traces and compiles; XLA compiles again for each length. The
processor time is summed over all threads. It depends less on other load on the machine than the wall
time.
"""

import argparse
import statistics
import time

import _timing
import numpy as np

BATCH, TIME_STEPS, FEATURES, UNITS = 32, 80, 40, 128
# Whether a contender is accelerated, and its `jit_compile`, by name.
CONTENDERS = {
    "zoo, False": (True, False),
    "zoo, auto": (True, "auto"),
    "zoo, True": (True, True),
    "keras, auto": (False, "auto"),
}


def make_step(is_fast: bool, jit_compile):
    """Return a function that makes a training step, and whether Keras compiles all of it."""
    import keras
    from keras import layers

    import zoo

    inputs = keras.Input((None, FEATURES))
    x = layers.LSTM(UNITS, return_sequences=True)(inputs)
    model = keras.Model(inputs, layers.Dense(10)(layers.LSTM(UNITS)(x)))
    model = zoo.accelerate(model) if is_fast else model
    model.compile("adam", "mse", jit_compile=jit_compile)
    x = np.random.default_rng(0).normal(size=(BATCH, TIME_STEPS, FEATURES)).astype("float32")
    y = np.zeros((BATCH, 10), "float32")
    return (lambda: model.train_on_batch(x, y)), model.jit_compile


def main() -> None:
    """Measure every contender, print a table and write results/recurrent_compile.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    _timing.set_tensorflow_threads(2)
    steps = {name: make_step(*of) for name, of in CONTENDERS.items()}
    times = {name: [] for name in steps}
    for name in [*steps] * (2 + repeats):  # the first run compiles, the second is a warm-up
        started = time.process_time()
        steps[name][0]()
        times[name].append(1000 * (time.process_time() - started))
    medians = {name: statistics.median(of[2:]) for name, of in times.items()}
    rows = [
        {
            "contender": name,
            "jit_compile": steps[name][1],
            "first_ms": times[name][0],
            "processor_ms": median,
            "ratio": median / medians["zoo, False"],
        }
        for name, median in medians.items()
    ]
    path = _timing.save("recurrent_compile", {"machine": _timing.machine(), "rows": rows})
    print(_timing.table(list(rows[0]), [list(row.values()) for row in rows]))
    print(path)


if __name__ == "__main__":
    main()
