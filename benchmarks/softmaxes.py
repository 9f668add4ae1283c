"""Compare output layers for large vocabularies: step time, memory and perplexity.

    python benchmarks/softmaxes.py --data corpora/ptb

The vocabularies have 10,000 and 100,000 words. A step is the loss of 700 hidden vectors of 128 units
(20 rows of 35 words), its gradients and an update by Adam. The layers alternate. Memory is the peak of
a separate process, minus the memory before the layer was built. The perplexity is that of the network
of `language/feedforward-ptb` with each layer as its softmax, on the dev split of PTB after `--epochs`
epochs, with the full softmax over all 10,000 words. `--steps` limits the steps of an epoch, for a quick
check.
"""

import argparse
import itertools
import resource
import statistics
import time
from pathlib import Path

import _timing
import numpy as np

ROWS, FEATURES = 700, 128
SIZES = (10_000, 100_000)
NUM_SAMPLED = 512
KINDS = ("full", "adaptive", "sampled", "noise-contrastive")
CHUNK = 500  # number of dev tokens per call


def make_layer(kind: str, size: int):
    """Return an output layer for a number of words."""
    from zoo.common.layers import softmaxes

    return {
        "full": lambda: softmaxes.FullSoftmax(size),
        "adaptive": lambda: softmaxes.AdaptiveSoftmax(size, (size // 5, size // 2)),
        "sampled": lambda: softmaxes.SampledSoftmax(size, NUM_SAMPLED, seed=0),
        "noise-contrastive": lambda: softmaxes.NoiseContrastive(size, NUM_SAMPLED, seed=0),
    }[kind]()


def make_step(kind: str, size: int):
    """Return a function that makes one training step of a layer."""
    import keras
    import tensorflow as tf

    generator = np.random.default_rng(0)
    layer, optimizer = make_layer(kind, size), keras.optimizers.Adam(1e-3)
    layer.build((ROWS, FEATURES))
    optimizer.build(layer.trainable_weights)
    x = tf.constant(generator.normal(size=(ROWS, FEATURES)).astype(np.float32))
    # The indices follow Zipf's law, as words in order of their frequency do.
    words = np.exp(generator.uniform(size=ROWS) * np.log(size + 1)).astype(np.int32) - 1
    targets = tf.constant(words.clip(0, size - 1))

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(layer.loss(x, targets))
        weights = layer.trainable_weights
        to_x, *gradients = tape.gradient(loss, [x, *(weight.value for weight in weights)])
        optimizer.apply(gradients, weights)
        return loss + to_x[0, 0]

    return lambda: step().numpy()


def step_times(size: int, threads: int, repeats: int) -> dict[str, float]:
    """Return the median milliseconds of a step of each layer."""
    _timing.set_threads(threads)
    times = _timing.alternate({kind: make_step(kind, size) for kind in KINDS}, repeats)
    return {kind: statistics.median(values) for kind, values in times.items()}


def peak_mib(kind: str, size: int, threads: int) -> float:
    """Return the peak memory that three steps of a layer add to this process."""
    import keras  # noqa: F401 (its memory is not measured)

    _timing.set_threads(threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step = make_step(kind, size)
    for _ in range(3):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def train(kind: str, data: Path, threads: int, epochs: int, steps: int | None) -> dict[str, float]:
    """Return the perplexity on dev of a network trained with a layer, and the training time."""
    import keras
    import tensorflow as tf

    from zoo.api.sources import read_train_and_dev
    from zoo.common.core.corpus import Source
    from zoo.common.core.data import Epoch
    from zoo.common.core.registry import entry
    from zoo.common.core.states import initial_states

    _timing.set_threads(threads)
    keras.utils.set_random_seed(0)
    registered = entry("language/feedforward-ptb")
    recipe = registered.recipe()
    examples = read_train_and_dev(recipe, registered.corpus, Source(folder=data))
    recipe = recipe.adapt(examples.train + examples.dev)
    model = recipe.model.build()
    network = keras.Model(model.input, model.get_layer("projection").output)
    layer = make_layer(kind, recipe.model.vocabulary_size)
    layer.build((None, recipe.model.embedding_size))
    weights = network.trainable_weights + layer.trainable_weights
    batch_size = recipe.training.batch_size

    def batches_of(epoch: int):
        return recipe.data.batches(
            examples.train, recipe.model, model, Epoch(epoch, batch_size, recipe.training.seed)
        )

    optimizer = recipe.optimizer.build(epochs, batches_of(0).steps)
    optimizer.build(weights)
    before = recipe.model.context - 1

    @tf.function
    def step(tokens, history, targets):
        with tf.GradientTape() as tape:
            hidden = network({"tokens": tokens, "history": history}, training=True)
            loss = tf.reduce_mean(layer.loss(hidden, targets))
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        optimizer.apply(gradients, weights)

    @tf.function(reduce_retracing=True)
    def log_probs(tokens, history, targets):
        hidden = network({"tokens": tokens, "history": history}, training=False)
        return tf.gather(layer(hidden), targets, batch_dims=2)

    started = time.perf_counter()
    for epoch in range(epochs):
        history = initial_states(recipe.model.states, batch_size)["history"]
        for x, y, _ in itertools.islice(batches_of(epoch), steps):
            step(x["tokens"], history, y["targets"])
            history = x["tokens"][:, -before:]
    seconds = time.perf_counter() - started
    (text,) = examples.dev
    tokens = recipe.data.read_example(text, recipe.model)["tokens"][np.newaxis]
    padded = np.concatenate([np.zeros((1, before), np.int32), tokens], axis=1)
    total = 0.0
    for i in range(0, tokens.shape[1] - 1, CHUNK):
        end = min(i + CHUNK, tokens.shape[1] - 1)
        read, history = tokens[:, i:end], padded[:, i : i + before]
        total += float(tf.reduce_sum(log_probs(read, history, tokens[:, i + 1 : end + 1])))
    return {"perplexity": float(np.exp(-total / (tokens.shape[1] - 1))), "seconds": seconds}


def main():
    """Measure all layers and write results/softmaxes.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, help="folder of PTB; without it, the perplexity is not measured"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--steps", type=int, help="number of steps of an epoch; default: all")
    options = parser.parse_args()
    report = {
        "machine": _timing.machine(),
        "options": {**vars(options), "data": None},
        "layers": {},
    }
    times = {
        size: _timing.in_own_process(step_times, size, options.threads, options.repeats)
        for size in SIZES
    }
    rows = []
    for kind in KINDS:
        row = {}
        for size in SIZES:
            memory = _timing.in_own_process(peak_mib, kind, size, options.threads)
            row |= {f"milliseconds_{size}": times[size][kind], f"mib_{size}": memory}
        if options.data:
            how = options.threads, options.epochs, options.steps
            row |= _timing.in_own_process(train, kind, options.data, *how)
        report["layers"][kind] = row
        rows.append([kind, *row.values()])
        print(rows[-1], flush=True)
    heads = [f"{what}, {size:,}" for size in SIZES for what in ("step, ms", "memory, MiB")]
    heads += ["perplexity", "training, s"] if options.data else []
    print(_timing.table(["softmax", *heads], rows))
    print("Written to", _timing.save("softmaxes", report))


if __name__ == "__main__":
    main()
