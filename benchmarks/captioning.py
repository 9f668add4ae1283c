"""A captioner's time for an image, in its encoder and in its decoder, on the CPU.

    python benchmarks/captioning.py [PRESET ...]

The encoder is VGG16 and what makes the first states of its features. The decoder is the preset's search,
from the states to the sentence. Each answers drawn pictures one by one, in TensorFlow and in ONNX
Runtime, with the threads that each takes by itself.
"""

import argparse
import tempfile
from pathlib import Path

import _timing
import numpy as np


def measure(name: str, repeats: int) -> list[dict]:
    """The median milliseconds of both parts in each runtime."""
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
        rows = [_measure(preset.recipe, graphs[key], repeats) for key in graphs]
    return [{"preset": name, "runtime": key, **row} for key, row in zip(graphs, rows, strict=True)]


def _measure(recipe, graphs, repeats: int) -> dict:
    from zoo.common.tasks.sequence_to_sequence import ENCODER, STEP, decode
    from zoo.vision_language.captioning.images import SIZE
    from zoo.vision_language.captioning.samples import pictures

    images = [picture[None].astype(np.float32) for picture in pictures(SIZE)]
    states = [graphs[ENCODER](image=image) for image in images]

    def encode():
        return [graphs[ENCODER](image=image) for image in images]

    def say():
        return [decode(recipe, graphs[STEP], own, np) for own in states]

    timed = _timing.compare({"encoder": encode, "decoder": say}, [], repeats)["milliseconds"]
    words = sum(int(decoded.lengths[0, 0]) for decoded in say())
    return {
        **{f"{part}_ms": timed[part] / len(images) for part in timed},
        "decoder_ms_per_word": timed["decoder"] / words,
    }


def main() -> None:
    """Time every captioner in a process of its own."""
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
