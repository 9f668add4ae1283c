"""Measure exports in float32, float16 and int8: size, metric on dev, and processor time.

    ZOO_DATA=corpora python benchmarks/export_precisions.py [PRESET ...] [--again]
    python benchmarks/export_precisions.py --record

The metric is the one that decides whether a file is kept, on at most `zoo.api.export.MAX_EXAMPLES` dev
examples. The time is the processor time of one call of every graph with one row of the example inputs,
on one thread; all files of a preset take turns in one process. Presets that are in the file of results
are left out, so that an interrupted benchmark can be continued. The second command writes the times of
the float32 exports into metrics.json of each preset, for its card.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import _timing
import numpy as np

NAME = "export_precisions"
FORMATS = ("onnx", "litert")


def measure(name: str, repeats: int) -> dict:
    """Return the measurements of a preset: a dict per runtime, or the reason why there is no export."""
    from zoo.api.export import export
    from zoo.common.core.errors import ZooError
    from zoo.common.core.precision import PRECISIONS, runtime_name
    from zoo.common.runtime.preset import load_preset

    result = {"preset": name, "metric": None, "examples": None, "keras_figure": None}
    exports: dict[str, dict] = {}
    recipe = load_preset(name).recipe
    with tempfile.TemporaryDirectory() as folder:
        functions = {}
        for precision in PRECISIONS:
            for format_ in FORMATS:
                runtime = runtime_name(format_, precision)
                try:
                    rows = export(name, format_, Path(folder, "out"), precision=precision).files
                except ZooError as error:
                    exports[runtime] = {"error": str(error).replace(folder, "")}
                    continue
                row = rows[0]
                exports[runtime] = {
                    "bytes": sum(each["bytes"] for each in rows),
                    "figure": row.get("figure"),
                    "max_difference": row["max_difference"],
                }
                if row.get("figure") is not None:
                    result |= {key: row[key] for key in ("metric", "examples", "keras_figure")}
                graphs = {Path(each["path"]).stem: Path(each["path"]) for each in rows}
                samples = recipe.data.example_inputs(recipe.model, recipe.decoder)
                functions[runtime] = _all_graphs(format_, graphs, samples)
        times = _processor_times(functions, repeats)
    for runtime, milliseconds in times.items():
        exports[runtime]["milliseconds"] = milliseconds
    return {**result, "exports": exports}


def _all_graphs(format_, paths, samples):
    """Return a function that calls each graph once, with the first row of its first example."""
    calls = []
    for graph, path in paths.items():
        inputs = {name: np.asarray(value)[:1] for name, value in samples[graph][0].items()}
        calls.append(_OPENERS[format_](path, inputs))
    return lambda: [call() for call in calls]


def _onnx(path, inputs):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(path, options)
    types = {"tensor(float)": np.float32, "tensor(int32)": np.int32}
    inputs = {
        each.name: inputs[each.name].astype(types[each.type]) for each in session.get_inputs()
    }
    return lambda: session.run(None, inputs)


def _litert(path, inputs):
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=1).get_signature_runner()
    types = {name: each["dtype"] for name, each in runner.get_input_details().items()}
    inputs = {name: inputs[name].astype(dtype) for name, dtype in types.items()}
    return lambda: runner(**inputs)


_OPENERS = {"onnx": _onnx, "litert": _litert}


def _processor_times(runs, repeats):
    """Return the median processor milliseconds of alternating runs by name, after one run each."""
    times = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            start = time.process_time()
            run()
            if turn:
                times[name].append(1000.0 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def record(results: list[dict]) -> None:
    """Add the times of the float32 exports to the metrics.json of each preset."""
    from zoo.common.presets import store
    from zoo.common.presets.measurements import record_speed

    for result in results:
        exports = {name: result["exports"].get(name, {}) for name in FORMATS}
        times = {
            name: round(row["milliseconds"], 4)
            for name, row in exports.items()
            if "milliseconds" in row
        }
        if times:
            record_speed(store.folder_of(result["preset"]), times)


def main() -> None:
    """Measure each preset in a process of its own, and save after each one; or record the times."""
    from zoo.common.presets import store

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="*", default=store.names())
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--again", action="store_true", help="measure presets that are in the file")
    parser.add_argument("--record", action="store_true", help="write the times into metrics.json")
    arguments = parser.parse_args()
    path = _timing.RESULTS / f"{NAME}.json"
    found = json.loads(path.read_text("utf-8"))["results"] if path.exists() else []
    if arguments.record:
        record(found)
        return
    results = {result["preset"]: result for result in found}
    for name in arguments.preset:
        if name in results and not arguments.again:
            continue
        results[name] = _timing.in_own_process(measure, name, arguments.repeats)
        ordered = [results[key] for key in sorted(results)]
        _timing.save(NAME, {"machine": _timing.machine(), "results": ordered})
        print(json.dumps(results[name]), flush=True)
    print(path)


if __name__ == "__main__":
    main()
