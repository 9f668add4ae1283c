"""Compare exported graphs with Keras: ONNX Runtime, LiteRT, `tf.function` and `predict` on the CPU.

    python benchmarks/export.py [PRESET ...]

Every runtime has its default number of threads. The inputs are the example inputs of the preset, one
row and the largest batch. `predict` and `tf.function` run stock Keras layers, `zoo` the fast layers. If
a graph takes lengths, the batch is also run with full lengths, to compare it with padded rows. Presets
that are not measured keep their results.
"""

import argparse
import json
import tempfile
from pathlib import Path

import _timing
import numpy as np

NAME = "export"


def measure(name: str, repeats: int) -> list[dict]:
    """Return the median milliseconds of each runtime for each graph of a preset."""
    from zoo.common.utils.quiet import import_tensorflow

    import_tensorflow()
    from zoo.common import runtime
    from zoo.common.export import exporter
    from zoo.common.runtime.preset import load_preset

    preset = load_preset(name)
    recipe = preset.recipe
    samples = recipe.data.example_inputs(recipe.model, recipe.decoder)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        exported = {}
        for backend in ("onnx", "litert"):
            exporter(backend)(preset, Path(folder))
            export = runtime.export_folder(backend, Path(folder))
            exported[backend] = runtime.open_export(backend, export)
        for graph, model in recipe.model.graphs(preset.model).items():
            batches = sorted(samples[graph], key=lambda inputs: len(next(iter(inputs.values()))))
            for inputs in (batches[0], batches[-1]):
                results.append(_result(preset, exported, graph, model, inputs, repeats))
    return [{"preset": name, **result} for result in results]


def _result(preset, exported, graph, model, inputs, repeats) -> dict:
    from zoo.common.layers.recurrent import to_stock
    from zoo.common.runtime.keras_model import keras_function

    def run(function, arrays):
        return lambda: function(**arrays)

    stock = to_stock(model)
    runs = {name: run(graphs[graph], inputs) for name, graphs in exported.items()}
    runs["zoo"] = run(preset.graphs[graph], inputs)
    runs["tf.function"] = run(keras_function(stock), inputs)
    runs["predict"] = lambda: stock.predict(inputs, verbose=0)
    if "lengths" in inputs:
        full = {**inputs, "lengths": np.full_like(inputs["lengths"], inputs["lengths"].max())}
        runs["onnx, unpadded"] = run(exported["onnx"][graph], full)
    shapes = {name: list(np.shape(value)) for name, value in inputs.items()}
    return {"graph": graph, "shapes": shapes, **_timing.compare(runs, [], repeats)}


def main() -> None:
    """Measure every preset in a process of its own, print a table and save it."""
    from zoo.common.presets import store

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="*", default=store.names())
    parser.add_argument("--repeats", type=int, default=15)
    arguments = parser.parse_args()
    path = _timing.RESULTS / f"{NAME}.json"
    found = json.loads(path.read_text("utf-8"))["results"] if path.exists() else []
    kept = [result for result in found if result["preset"] not in arguments.preset]
    report = {"machine": _timing.machine(), "results": kept}
    for name in arguments.preset:
        report["results"] += _timing.in_own_process(measure, name, arguments.repeats)
    report["results"].sort(key=lambda result: result["preset"])  # stable
    names = ["onnx", "litert", "zoo", "tf.function", "predict", "onnx, unpadded"]
    heads = ["preset", "graph", "batch", *(f"{name}, ms" for name in names)]
    rows = [
        [r["preset"], r["graph"], next(iter(r["shapes"].values()))[0]]
        + [r["milliseconds"].get(name) for name in names]
        for r in report["results"]
    ]
    print(
        _timing.table(
            [*heads, "tf.function / onnx"],
            [
                [*row, r["ratio"]["tf.function"]]
                for row, r in zip(rows, report["results"], strict=True)
            ],
        )
    )
    print(_timing.save(NAME, report))


if __name__ == "__main__":
    main()
