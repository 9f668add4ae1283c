"""The softmax over PTB's 10,000 words in a training step: logits, loss, gradients of inputs and matrix.

    python benchmarks/softmax_parts.py

The hidden vectors are those of a batch of `language/lstm-medium-ptb`: 20 rows of 35 words, 400 numbers
each; the matrix is the embedding's. Stock Keras computes in float32 with its own loss, the zoo in
float32 and in bfloat16. Runs take turns. Processor time is of both threads together: it tells more than
the time on the wall where the machine had other work, too.
"""

import argparse
import statistics
import time

import _timing

ROWS, STEPS, FEATURES, WORDS = 20, 35, 400, 10_000


def make_run(precision: str, own_loss: bool):
    """Return a function that makes one pass there and back."""
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
    """Return each contender's medians, in milliseconds, and how much faster than the first it is."""
    _timing.set_tensorflow_threads(2)
    runs = {
        "keras": make_run("float32", own_loss=False),
        "zoo": make_run("float32", own_loss=True),
        "zoo, bfloat16": make_run("bfloat16", own_loss=True),
    }
    times = {name: [] for name in runs}
    for name in [*runs, *list(runs) * repeats]:  # once to warm up
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
    heads = ["", "ms", "processor, ms", "keras / it", "keras / it, processor"]
    rows = [[name, *result.values()] for name, result in report["results"].items()]
    print(_timing.table(heads, rows))
    print(_timing.save("softmax_parts", report))


if __name__ == "__main__":
    main()
