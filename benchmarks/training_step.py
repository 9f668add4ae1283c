"""Compare training steps, from a batch to updated weights, of the zoo, stock Keras and PyTorch.

    python benchmarks/training_step.py --threads 1 2

| step | recipe |
| --- | --- |
| recognizer | `speech/bilstm-ctc-an4`, from the waveform |
| language model | PTB, two LSTM layers of 650 units |
| captioner | `vision_language/lrcn-rsicd`, from the features of VGG16 |
| classifier | `language/bilstm-sst2` |

All contenders have the network, dropout and gradient clipping of the recipe, and AdamW. The zoo trains
its model in float32 and in mixed_bfloat16. Stock Keras trains the same model with stock layers and its
own loss. Each contender has a process of its own, and they alternate.
"""

import argparse
import importlib
import importlib.util
import statistics

import _timing

STEPS = {
    "recognizer": "_recognizer",
    "language model": "_language_model",
    "captioner": "_captioner",
    "classifier": "_classifier",
}
PRECISIONS = {"zoo": "float32", "zoo, bfloat16": "mixed_bfloat16", "keras": "float32"}


def make_run(name: str, contender: str, threads: int):
    """Return a function that makes a training step of a contender."""
    step = importlib.import_module(STEPS[name])
    recipe = step.make_recipe()
    batch = step.make_batch(recipe)
    if contender in step.PYTORCH:
        _timing.set_pytorch_threads(threads)
        return pytorch_run(step, recipe, batch, contender)
    _timing.set_tensorflow_threads(threads)
    return keras_run(step, recipe, batch, contender)


def keras_run(step, recipe, batch, contender):
    """Return a training step of the zoo or of stock Keras."""
    import keras

    from zoo.common.layers.recurrent import to_stock
    from zoo.common.training.training_model import TrainingModel

    class Stock(TrainingModel):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return keras.ops.mean((step.keras_loss or self.task.loss)(y, y_pred))

    keras.config.set_dtype_policy(PRECISIONS[contender])
    network = step.trained_part(recipe.model.build())
    keras.config.set_dtype_policy("float32")
    kind = TrainingModel
    if contender == "keras":
        kind, network = Stock, to_stock(network)
    states = recipe.model.states if recipe.data.carries_states else ()
    model = kind(network, recipe.task, states, recipe.training.batch_size)
    config = recipe.optimizer
    optimizer = keras.optimizers.AdamW(config.learning_rate, global_clipnorm=config.clip_norm)
    model.compile(optimizer, jit_compile=False)
    return lambda: model.train_on_batch(*batch)


def pytorch_run(step, recipe, batch, contender):
    """Return a training step of PyTorch."""
    import torch

    torch.manual_seed(0)
    network, loss = step.pytorch_network(recipe, *batch, contender)
    optimizer = torch.optim.AdamW(network.parameters(), recipe.optimizer.learning_rate)

    def run():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.optimizer.clip_norm)
        optimizer.step()
        return value.item()

    return run


def measure(name: str, threads: int, repeats: int) -> dict:
    """Return the times of a training step of each contender."""
    names = list(PRECISIONS)
    if importlib.util.find_spec("torch"):
        names += importlib.import_module(STEPS[name]).PYTORCH
    runs = {one: _timing.Contender(one, make_run, name, one, threads) for one in names}
    try:
        times = _timing.alternate(runs, repeats)
    finally:
        for run in runs.values():
            run.stop()
    times = {one: statistics.median(values) for one, values in times.items()}
    return {
        "step": name,
        "threads": threads,
        "milliseconds": times,
        "ratio": {one: value / times["zoo"] for one, value in times.items()},
        # Without the first run, which is a warm-up.
        "processor_ms": {one: statistics.median(run.processor_ms[1:]) for one, run in runs.items()},
    }


def main() -> None:
    """Measure every step with every number of threads, and write results/training_step.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    report = {"machine": _timing.machine(), "results": []}
    names = [*PRECISIONS, "pytorch", "pytorch, padded"]
    rows = []
    for name in arguments.steps:
        for threads in arguments.threads:
            result = measure(name, threads, arguments.repeats)
            report["results"].append(result)
            path = _timing.save(
                "training_step", report
            )  # after each step, since all of them take minutes
            times = [result["milliseconds"].get(one) for one in names]
            rows.append([name, threads, *times, *map(result["ratio"].get, names[1:])])
    heads = [*(f"{one}, ms" for one in names), *(f"{one} / zoo" for one in names[1:])]
    print(_timing.table(["step", "threads", *heads], rows))
    print(path)


if __name__ == "__main__":
    main()
