"""Test that TensorRT engines are built, without a GPU, for shapes around the example inputs."""

import keras
import pytest
from keras import layers
from onnx import TensorProto, helper

import zoo
from zoo.api.export import export
from zoo.cli.export import export_text
from zoo.common.core.errors import ZooError
from zoo.common.export import tensorrt


@pytest.fixture
def runtime():
    return pytest.importorskip("tensorrt_rtx")


def test_the_profile_spans_the_example_inputs(tiny_run):
    preset = zoo.load(str(tiny_run))
    recipe = preset.recipe
    samples = recipe.data.example_inputs(recipe.model, recipe.decoder)["model"]
    profile = tensorrt._profile(recipe.model.graphs(preset.model)["model"], samples)
    assert set(profile) == {"waveform", "lengths"}
    assert profile["lengths"] == ((1,), (1,), (tensorrt.MAX_BATCH,))
    (one, least), (one_too, likeliest), (many, largest) = profile["waveform"]
    assert (one, one_too, many) == (1, 1, tensorrt.MAX_BATCH)
    sizes = [sample["waveform"].shape[1] for sample in samples]
    assert recipe.model.features.window_samples < least <= min(sizes) / 4
    assert likeliest == sizes[0]
    assert largest == tensorrt.SPREAD * max(sizes)


def test_fixed_dimensions_of_the_profile():
    x = keras.Input((None, 7), name="x")
    model = keras.Model({"x": x}, {"y": layers.GRU(2)(x)})
    shapes = [{"x": [[[0.0] * 7] * time]} for time in (3, 10)]
    assert tensorrt._profile(model, shapes) == {"x": ((1, 1, 7), (1, 3, 7), (32, 80, 7))}


def test_an_engine_is_built_and_not_run(runtime, tiny_run, tmp_path):
    result = export(str(tiny_run), ["tensorrt"], tmp_path)
    (row,) = result.files
    assert row["path"] == str(tmp_path / "tensorrt" / "model.engine")
    content = (tmp_path / "tensorrt" / "model.engine").read_bytes()
    assert len(content) == row["bytes"] > 10_000
    assert {row[key] for key in ("max_difference", "metric", "latency_ms")} == {None}
    assert "Files without max_difference were not run" in export_text(result)


def test_the_error_about_an_unsupported_operation(runtime):
    """The operation is a product of integers, as in quantized files."""
    node = helper.make_node("MatMulInteger", ["x", "x"], ["y"], "whole")
    x = helper.make_tensor_value_info("x", TensorProto.UINT8, [3, 3])
    y = helper.make_tensor_value_info("y", TensorProto.INT32, [3, 3])
    graph = helper.make_graph([node], "graph", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(ZooError, match="does not support part of 'step'") as caught:
        tensorrt._build(runtime, "step", model.SerializeToString(), {"x": ((3, 3),) * 3})
    assert "\n" not in str(caught.value)
