"""Export to TensorRT: engines that TensorRT-RTX builds from the ONNX graphs of a preset.

Building does not need a GPU. Engines are not run, since running needs one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.export import import_packages, parity
from zoo.common.export.onnx import TOLERANCE
from zoo.common.export.portable import config_of
from zoo.common.export.sealed import sealed_folder
from zoo.common.export.signature import signature, write_signature
from zoo.common.runtime import FOLDERS
from zoo.common.runtime.preset import Preset

SUFFIX = ".engine"

MAX_BATCH = 32
# Factor by which free dimensions may be shorter and longer than in the example inputs.
SPREAD = 8


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write `folder/tensorrt/<graph>.engine`, with free batch and time axes within a profile.

    Returns:
        A row for each graph, without a difference and latencies, since engines are not run.

    Raises:
        ZooError: TensorRT-RTX is not installed or does not support a graph, or the folder exists or
            cannot be written. Nothing is left behind.
    """
    runtime, _ = import_packages("tensorrt")
    from zoo.common.export.onnx.convert import to_onnx

    samples = preset.recipe.data.example_inputs(preset.recipe.model, preset.recipe.decoder)
    target = folder / FOLDERS["tensorrt"]
    models = config_of(preset).graphs(preset.model)
    rows = []
    metadata = signature(preset, {name: (m.input, m.output) for name, m in models.items()})
    with sealed_folder(preset, "tensorrt", target) as temporary:
        write_signature(temporary, metadata)
        for name, model in models.items():
            content = to_onnx(model).SerializeToString()
            engine = _build(runtime, name, content, _profile(model, samples[name]))
            file = f"{name}{SUFFIX}"
            (temporary / file).write_bytes(engine)
            rows.append(parity.row("tensorrt", target / file, len(engine), None, TOLERANCE, None))
    return rows


def _build(runtime: Any, name: str, content: bytes, profile: dict[str, tuple]) -> bytes:
    """The engine of an ONNX model.

    profile: the least, likeliest and largest shape of each input.
    """
    logger = runtime.Logger(runtime.Logger.INTERNAL_ERROR)  # errors are raised below, in words
    builder = runtime.Builder(logger)
    unused = builder.create_network()  # the report needs one, and that it outlives the parser
    parser = runtime.OnnxParser(unused, logger)
    if not parser.supports_model_v2(content):
        raise ZooError(f"TensorRT-RTX does not support part of {name!r}: {_reasons(parser)}")
    network = builder.create_network()
    parser = runtime.OnnxParser(network, logger)
    if not parser.parse(content):
        raise ZooError(f"TensorRT-RTX cannot read {name!r}: {_reasons(parser)}")
    config, shapes = builder.create_builder_config(), builder.create_optimization_profile()
    for input_name, sizes in profile.items():
        shapes.set_shape(input_name, *sizes)
    config.add_optimization_profile(shapes)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise ZooError(f"TensorRT-RTX cannot build an engine of {name!r} for shapes {profile}.")
    return bytes(engine)


def _reasons(parser: Any) -> str:
    errors = [parser.get_error(i) for i in range(parser.num_errors)]
    return "; ".join(f"{e.node_operator()} {e.node_name()!r}: {e.desc()}" for e in errors) + "."


def _profile(model: keras.Model, samples: list[dict[str, Any]]) -> dict[str, tuple]:
    """The least, likeliest and largest shape of each input, by what the example inputs are like."""
    profile = {}
    for name, tensor in model.input.items():
        shapes = np.array([np.shape(sample[name]) for sample in samples])
        least, likeliest, largest = shapes.min(axis=0), shapes[0].copy(), shapes.max(axis=0)
        for axis, size in enumerate(tensor.shape):
            if size is None:
                least[axis] = max(1, least[axis] // SPREAD)
                largest[axis] *= SPREAD
        least[0], likeliest[0], largest[0] = 1, 1, MAX_BATCH
        profile[name] = tuple(tuple(shape.tolist()) for shape in (least, likeliest, largest))
    return profile
