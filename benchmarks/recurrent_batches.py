"""Compare padded batch sizes with exact ones: outputs of two bidirectional LSTM layers.

    python benchmarks/recurrent_batches.py

XLA compiles for each size. The first outputs take longer with exact sizes, later outputs with padded
sizes. First outputs are measured in processes of their own, later ones in alternation. The processor
time is summed over all threads.
"""

import argparse
import statistics
import time

import _timing
import numpy as np

TIME_STEPS, FEATURES, UNITS = 200, 80, 256
LARGEST = 32
SHOWN = (8, 9, 13, 17, 20, 31)
# The sizes to which batches are padded; None for those of the zoo.
CONTENDERS = {"filled up": None, "each size": (0,)}


def make_answer(sizes):
    """Return a function from a batch to its output."""
    import keras
    import tensorflow as tf

    from zoo.common.layers import recurrent
    from zoo.common.layers.recurrent import rows

    inputs = x = keras.Input((None, FEATURES))
    for _ in range(2):
        x = recurrent.Bidirectional(recurrent.LSTM(UNITS, return_sequences=True))(x)
    model = keras.Model(inputs, x)
    signature = [tf.TensorSpec((None, None, FEATURES))]
    answer = tf.function(lambda x: model(x, training=False), input_signature=signature)
    own = rows.BATCH_SIZES
    rows.BATCH_SIZES = sizes or own
    answer.get_concrete_function()  # traced with these sizes
    rows.BATCH_SIZES = own
    return answer


def milliseconds(answer, batch) -> float:
    """Return the processor time of an output."""
    started = time.process_time()
    answer(batch)
    return 1000 * (time.process_time() - started)


def make_batch(rows: int):
    """Return random inputs."""
    import tensorflow as tf

    generator = np.random.default_rng(rows)
    return tf.constant(generator.normal(size=(rows, TIME_STEPS, FEATURES)), "float32")


def first_answers(name: str) -> float:
    """Return the processor time of the first outputs for all sizes."""
    _timing.set_tensorflow_threads(2)
    answer = make_answer(CONTENDERS[name])
    return sum(milliseconds(answer, make_batch(rows)) for rows in range(1, LARGEST + 1))


def main() -> None:
    """Measure both, print a table and write results/recurrent_batches.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    _timing.set_tensorflow_threads(2)
    answers = {name: make_answer(sizes) for name, sizes in CONTENDERS.items()}
    first = {name: _timing.in_own_process(first_answers, name) for name in CONTENDERS}
    rows = [{"rows": f"1 to {LARGEST}, first answers", **first}]
    for size in SHOWN:
        batch, times = make_batch(size), {name: [] for name in answers}
        for name in [*answers] * (1 + repeats):  # one run compiles
            times[name].append(milliseconds(answers[name], batch))
        medians = {name: statistics.median(of[1:]) for name, of in times.items()}
        rows.append({"rows": size, **medians})
    for row in rows:
        row["ratio"] = row["filled up"] / row["each size"]
    path = _timing.save("recurrent_batches", {"machine": _timing.machine(), "rows": rows})
    print(_timing.table(list(rows[0]), [list(row.values()) for row in rows]))
    print(path)


if __name__ == "__main__":
    main()
