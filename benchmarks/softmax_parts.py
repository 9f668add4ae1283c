"""Compare the softmax over the 10,000 words of PTB in a training step.

    python benchmarks/softmax_parts.py

A run computes logits, loss, and the gradients of the hidden vectors and the matrix. The hidden vectors
have the shape of a batch of `language/lstm-medium-ptb`, 20 rows of 35 words with 400 units, and the
matrix is that of the embedding. Stock Keras uses float32 and its own loss, the zoo float32 and
bfloat16. Runs alternate. The processor time is summed over both threads. It depends less on other load
on the machine than the wall time.
"""

import argparse
import statistics
import time

import _timing

ROWS, STEPS, FEATURES, WORDS = 20, 35, 400, 10_000


def make_run(precision: str, own_loss: bool):
    """Return a function that makes one forward and backward pass."""
    import keras
    import tensorflow as tf

    from zoo.common.layers.cross_entropy import cross_entropy

    keras.utils.set_random_seed(0)
    embedding = keras.layers.ReversibleEmbedding(
        WORDS, FEATURES, reverse_dtype=precision, dtype="float32"
    )
    embedding.build()
    x = tf.random.normal((ROWS, STEPS, FEATURES), seed=0)
    targets = tf.random.uniform((ROWS, STEPS), maxval=WORDS, dtype=tf.int32, seed=0)

    def loss_of(logits):
        logits = tf.cast(logits, tf.float32)
        if own_loss:
            return cross_entropy(logits, targets)
        return keras.ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)

    @tf.function
    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(loss_of(embedding(x, reverse=True)))
        return loss, *tape.gradient(loss, [x, embedding.embeddings.value])

    return lambda: [part.numpy() for part in run(x)]


def measure(repeats: int) -> dict:
    """Return the median milliseconds of each contender, and its speedup over the first one."""
    _timing.set_tensorflow_threads(2)
    runs = {
        "keras": make_run("float32", own_loss=False),
        "zoo": make_run("float32", own_loss=True),
        "zoo, bfloat16": make_run("bfloat16", own_loss=True),
    }
    times = {name: [] for name in runs}
    for name in [*runs, *list(runs) * repeats]:  # one run is a warm-up
        wall, processor = time.perf_counter(), time.process_time()
        runs[name]()
        times[name].append((time.perf_counter() - wall, time.process_time() - processor))
    medians = {
        name: [1000 * statistics.median(column) for column in zip(*pairs[1:], strict=True)]
        for name, pairs in times.items()
    }
    return {
        name: {
            "milliseconds": wall,
            "processor_ms": processor,
            "speedup": medians["keras"][0] / wall,
            "processor_speedup": medians["keras"][1] / processor,
        }
        for name, (wall, processor) in medians.items()
    }


def main() -> None:
    """Measure and write results/softmax_parts.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    report = {"machine": _timing.machine()}
    report["results"] = _timing.in_own_process(measure, arguments.repeats)
    heads = ["", "ms", "processor, ms", "speedup", "speedup, processor"]
    rows = [[name, *result.values()] for name, result in report["results"].items()]
    print(_timing.table(heads, rows))
    print(_timing.save("softmax_parts", report))


if __name__ == "__main__":
    main()
