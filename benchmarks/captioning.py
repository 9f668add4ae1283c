"""Measure the time of captioners per image, in the encoder and in the decoder, on the CPU.

    python benchmarks/captioning.py [PRESET ...]

The encoder is VGG16 and the layers that compute the initial states. The decoder is the search of the
preset, from the states to the sentence. The inputs are drawn pictures, one by one, in TensorFlow and in
ONNX Runtime, each with its default number of threads.
"""

import argparse
import tempfile
from pathlib import Path

import _timing
import numpy as np


def measure(name: str, repeats: int) -> list[dict]:
    """Return the median milliseconds of both parts in each runtime."""
    from zoo.common.utils.quiet import import_tensorflow

    import_tensorflow()
    from zoo.common import runtime
    from zoo.common.export import exporter
    from zoo.common.runtime.preset import load_preset

    preset = load_preset(name)
    with tempfile.TemporaryDirectory() as folder:
        exporter("onnx")(preset, Path(folder))
        onnx = runtime.open_export("onnx", runtime.export_folder("onnx", Path(folder)))
        graphs = {"zoo": preset.graphs, "onnx": onnx}
        rows = [_measure(preset.recipe.predictor(graphs[key]), repeats) for key in graphs]
    return [{"preset": name, "runtime": key, **row} for key, row in zip(graphs, rows, strict=True)]


def _measure(predictor, repeats: int) -> dict:
    from zoo.common.tasks.sequence_to_sequence import ENCODER, STEP, decode
    from zoo.vision_language.captioning.images import SIZE
    from zoo.vision_language.captioning.samples import pictures

    graphs = predictor.graphs
    images = [picture[None].astype(np.float32) for picture in pictures(SIZE)]
    states = [graphs[ENCODER](image=image) for image in images]

    def encode():
        return [graphs[ENCODER](image=image) for image in images]

    def search():
        return [decode(predictor, graphs[STEP], own, np) for own in states]

    timed = _timing.compare({"encoder": encode, "decoder": search}, [], repeats)["milliseconds"]
    words = sum(int(decoded.lengths[0, 0]) for decoded in search())
    return {
        **{f"{part}_ms": timed[part] / len(images) for part in timed},
        "decoder_ms_per_word": timed["decoder"] / words,
    }


def main() -> None:
    """Measure every captioner in a process of its own, print a table and save it."""
    from zoo.common.presets import store
    from zoo.vision_language.captioning.task import Captioning

    captioners = [
        name
        for name in store.names()
        if isinstance(store.load_recipe(store.folder_of(name)).task, Captioning)
    ]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="*", default=captioners)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    report = {"machine": _timing.machine(), "results": []}
    for name in arguments.preset:
        report["results"] += _timing.in_own_process(measure, name, arguments.repeats)
    heads = ["preset", "runtime", "encoder_ms", "decoder_ms", "decoder_ms_per_word"]
    print(_timing.table(heads, [[row[head] for head in heads] for row in report["results"]]))
    print(_timing.save("captioning", report))


if __name__ == "__main__":
    main()
