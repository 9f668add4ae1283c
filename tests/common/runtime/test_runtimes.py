"""Test that a preset gives the same answers in every runtime, and without TensorFlow in some."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import zoo
from zoo.api.export import export
from zoo.api.predict import predict
from zoo.common import runtime
from zoo.common.core.errors import ZooError
from zoo.common.runtime import onnx

EXPORTED = ("savedmodel", "onnx", "litert")
WITHOUT_TENSORFLOW = """
import sys
blocked = ("tensorflow", "keras", "h5py", "matplotlib", "onnx")
sys.modules.update(dict.fromkeys(blocked))
import zoo
from zoo.cli.main import main
verb, preset, clip, *_ = sys.argv[1:]
if status := main(sys.argv[1:]):
    sys.exit(status)
answers = list(zoo.load(preset, runtime=sys.argv[-1]).predict([clip]))
sys.exit("error" in answers[0])
"""


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory) -> Path:
    """Return a folder with the tiny run in every format and without model.keras."""
    folder = tmp_path_factory.mktemp("exported")
    rows = export(tiny_run, EXPORTED, folder).files
    assert [row["format"] for row in rows] == list(EXPORTED)
    return folder


def without_tensorflow(*arguments: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(zoo.__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments],
        capture_output=True,
        text=True,
        env=environment,
    )


@pytest.mark.parametrize("backend", EXPORTED)
def test_every_backend_gives_the_same_answers(exported, tiny_run, clips, backend):
    inputs = [*clips, "missing.wav"]
    expected = predict(str(tiny_run), inputs)
    received = predict(str(exported), inputs, runtime=backend)
    for right, answer in zip(expected, received, strict=True):
        for key in ("log_probability", "confidence"):
            score, right_score = (a.pop(key, 0) for a in (answer, right))
            assert score == pytest.approx(right_score, abs=1e-3)
        assert answer == right


@pytest.mark.parametrize("backend", ["onnx", "litert"])
def test_answers_without_tensorflow(exported, tiny_run, clips, backend):
    started = time.perf_counter()
    command = ("predict", str(exported), *clips, "--json", "--backend", backend)
    done = without_tensorflow(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.perf_counter() - started < 10  # 1 s on an idle machine
    received = json.loads(done.stdout)["predictions"]
    expected = predict(str(tiny_run), clips)
    assert [a["output"] for a in received] == [a["output"] for a in expected]


def test_keras_without_tensorflow(tiny_run, clips):
    done = without_tensorflow("predict", str(tiny_run), clips[0], "--backend", "keras")
    assert done.returncode == 1
    assert done.stderr.startswith("zoo: TensorFlow is not installed: pip install tensorflow. ")
    assert done.stderr.count("\n") == 1


def test_keras_graphs_accept_any_length_and_batch_size(tiny_run):
    """So does `keras.Model.predict` after the first call."""
    preset = zoo.load(str(tiny_run))
    recipe = preset.recipe
    for inputs in recipe.data.example_inputs(recipe.model, recipe.decoder)["model"]:
        logits = preset.graphs["model"](**inputs)["logits"]
        again = preset.model.predict(inputs, verbose=0)["logits"]
        assert abs(logits - again).max() < 1e-4


# Errors have one line -----------------------------------------------------------------------------


def test_unknown_backend(refused, tiny_run, clips):
    line = refused("predict", tiny_run, clips[0], "--backend", "torch")
    assert "one of 'auto', 'keras', 'savedmodel', 'onnx', 'litert', " in line
    assert "'onnx-int8', 'litert-float16', 'litert-int8'. Received: 'torch'" in line


@pytest.mark.parametrize("backend", EXPORTED)
def test_not_exported(refused, tiny_run, clips, backend):
    line = refused("predict", tiny_run, clips[0], "--backend", backend)
    assert f"Export the preset first: zoo export {tiny_run} --to {backend}" in line


@pytest.mark.parametrize(
    ("backend", "file"),
    [
        ("savedmodel", "1/saved_model.pb"),
        ("savedmodel", "1/variables/variables.index"),
        ("onnx", "onnx/model.onnx"),
        ("litert", "litert/model.tflite"),
    ],
)
@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_a_damaged_export(refused, exported, tmp_path, clips, backend, file, damage):
    folder = shutil.copytree(exported, tmp_path / "exported")
    path = folder / file
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"not a model")
    line = refused("predict", folder, clips[0], "--backend", backend)
    assert "xport it again" in line
    assert str(folder) in line


@pytest.mark.parametrize(
    ("backend", "module", "package"),
    [
        ("onnx", "onnxruntime", "onnxruntime"),
        ("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
    ],
)
def test_a_package_that_is_not_installed(
    refused, exported, clips, monkeypatch, backend, module, package
):
    monkeypatch.setitem(sys.modules, module, None)
    line = refused("predict", exported, clips[0], "--backend", backend)
    assert line == f"zoo: {package} is not installed: pip install 'recurrent-zoo[{backend}]'\n"


@pytest.mark.parametrize(
    ("format_", "module", "package"),
    [
        ("onnx", "onnx", "onnx"),
        ("litert", "ai_edge_litert.interpreter", "ai-edge-litert"),
        ("tensorrt", "tensorrt_rtx", "tensorrt-rtx-cu13"),
    ],
)
def test_an_export_without_its_package(
    refused, tiny_run, tmp_path, monkeypatch, format_, module, package
):
    monkeypatch.setitem(sys.modules, module, None)
    line = refused("export", tiny_run, "--to", format_, "--out", tmp_path / "out")
    assert line == f"zoo: {package} is not installed: pip install 'recurrent-zoo[{format_}]'\n"
    assert not (tmp_path / "out").exists()


def test_an_operation_that_the_runtime_lacks(tmp_path):
    """An older version of a runtime does not have the operations of a newer export."""
    import onnx
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    node = helper.make_node("Quantized", ["x"], ["y"], domain="com.example")
    graph = helper.make_graph(
        [node], "g", [value], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])]
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.example", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "g.onnx")
    with pytest.raises(ZooError, match="this version of ONNX Runtime does not have") as caught:
        runtime.open_export("onnx", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_graph_with_other_inputs(exported, tmp_path):
    """Another version of the zoo may have exported it."""
    import keras
    import onnx

    from zoo.common.export.onnx.convert import to_onnx

    folder = shutil.copytree(exported, tmp_path / "exported")
    x = keras.Input((None,), name="x")
    onnx.save(to_onnx(keras.Model({"x": x}, {"y": x + 1})), folder / "onnx" / "model.onnx")
    graph = runtime.open_export("onnx", folder / "onnx")["model"]
    with pytest.raises(ZooError, match="does not fit the preset: it takes x"):
        graph(waveform=0, lengths=0)


# Version folders ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_second_savedmodel_is_version_2_and_the_highest_is_opened(exported, tiny_run, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "exported")
    assert runtime.versions(folder) == [1]
    first = (folder / "1" / "saved_model.pb").read_bytes()
    (row,) = export(tiny_run, "savedmodel", folder).files
    assert row["path"] == str(folder / "2")
    assert (folder / "1" / "saved_model.pb").read_bytes() == first
    assert sorted(runtime.versions(folder)) == [1, 2]
    (folder / "2").rename(folder / "10")  # versions are compared as numbers
    assert runtime.export_folder("savedmodel", folder) == folder / "10"
    shutil.rmtree(folder / "1")
    assert set(runtime.open_graphs("savedmodel", folder)) == {
        *("model", "serving_default", "transcribe_wav")
    }
    (folder / "10" / "saved_model.pb").write_bytes(b"not a model")
    with pytest.raises(ZooError, match=r"exported/10/saved_model.pb is corrupt"):
        runtime.open_graphs("savedmodel", folder)


def test_folders_of_exports(tmp_path):
    assert runtime.export_folder("savedmodel", tmp_path) == tmp_path / "1"
    assert runtime.export_folder("onnx", tmp_path) == tmp_path / "onnx"
    for name in ("1", "07", "2.bak", "tensorboard", "\u0663"):
        (tmp_path / name).mkdir()
    assert max(runtime.versions(tmp_path)) == 7
    assert set(runtime.BACKENDS) == {"keras", *EXPORTED}


def test_onnx_runtime_records_nothing(tmp_path, monkeypatch):
    onnxruntime, calls = pytest.importorskip("onnxruntime"), []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: calls.append("off"))
    assert onnx.open_export(tmp_path) == {}
    assert calls == ["off"]
