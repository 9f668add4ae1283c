"""Test the scripts of `examples/deploy` on exports, in environments without the zoo."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.deploying import SCRIPTS, raw_requests, request_to, write_request
from tests.tensorflow_serving import MODEL, Model, grpc_server, predict_json, rest_server
from zoo.common.core.model import Graphs
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.presets import store

PACKAGES = {"onnx": "onnxruntime", "litert": "ai-edge-litert"}
SUFFIXES = {"onnx": "onnx", "litert": "tflite"}
# The environment without PYTHONPATH, which might contain the zoo.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
# Runs a script. The modules of the first argument cannot be imported.
WITHOUT = """
import runpy, sys
absent, script = sys.argv[1:3]
sys.modules.update(dict.fromkeys(absent.split(",")))
sys.argv, sys.path[0] = sys.argv[2:], script.rpartition("/")[0]
runpy.run_path(script, run_name="__main__")
"""
# One preset of each kind, for slow tests.
KINDS = (
    "language/attention-multi30k-en-de",
    "language/bilstm-sst2",
    "language/bilstm-tagger-an4",
    "language/charlstm-hello",
    "language/rnn-ptb",
    "language/skipgram-enwiki",
    "speech/bilstm-ctc-an4",
    "speech/crnn-right-whale",
    "speech/tdnn-fsdd",
    "timeseries/bilstm-japanese-vowels",
    "timeseries/lstm-nn5",
    "vision_language/attend-and-tell-rsicd",
    "vision_language/blstm-ctc-gw-online",
    "vision_language/lstm-msr-action3d",
    "vision_language/mdn-lstm-omniglot",
)


def run_script(python, *arguments, absent: str = "") -> str:
    """Return the output of a script. The modules in `absent` cannot be imported."""
    command = [python, *(("-c", WITHOUT, absent) if absent else ()), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def answer(output: str) -> dict:
    """Return the last line of a script's output, which is JSON."""
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("format_", PACKAGES)
def test_script_answers_without_zoo_and_tensorflow(format_, tmp_path):
    preset = zoo.load("timeseries/tdnn-laser")
    zoo.export(preset.name, format_, tmp_path / "exported")
    folder, request = tmp_path / "exported" / format_, request_to(preset, tmp_path)
    script = (SCRIPTS / request.script, folder, *request.arguments)
    output = run_script(sys.executable, *script, absent="zoo,tensorflow,keras")
    assert request.is_answer(output), (output, request)
    assert len(request.answer.split()) == 3
    _check_signature(folder, format_)


def _check_signature(folder: Path, format_: str) -> None:
    """`signature.json` agrees with the runtime, and is also stored in the exported file."""
    text = (folder / SIGNATURE_FILE).read_text("utf-8")
    graph = json.loads(text)["graphs"]["model"]
    file = folder / f"model.{SUFFIXES[format_]}"
    if format_ == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file)
        assert session.get_modelmeta().custom_metadata_map == {SIGNATURE_FILE: text}
        (series,), (forecast,) = session.get_inputs(), session.get_outputs()
        assert (series.shape, forecast.shape) == (["batch", 12], ["batch", 1])
        batch = "batch"
    else:
        assert zipfile.ZipFile(file).read(SIGNATURE_FILE).decode() == text
        batch = 1
    assert graph["inputs"] == {"series": {"dtype": "float32", "shape": [batch, 12]}}
    assert graph["outputs"] == {"forecast": {"dtype": "float32", "shape": [batch, 1]}}


@pytest.mark.parametrize("name", store.names())
def test_export_metadata_fits_the_model(name):
    """Lists of labels and tokens are as long as the model's outputs."""
    recipe = store.load_recipe(store.folder_of(name))
    metadata = recipe.task.export_metadata(recipe.predictor(Graphs("none", {})))
    metadata = json.loads(json.dumps(metadata))
    if "labels" in metadata:
        size = getattr(recipe.model, "num_classes", getattr(recipe.model, "vocabulary_size", None))
        assert len(metadata["labels"]) == size
        assert "blank" not in metadata or metadata["labels"][metadata["blank"]] == "<blank>"
    if "tokens" in metadata:
        assert len(metadata["tokens"]) == recipe.model.vocabulary_size
        for special, token in (("unknown", "<unk>"), ("end", "<end>"), ("pad", "<pad>")):
            assert special not in metadata or metadata["tokens"][metadata[special]] == token
    assert metadata or name.startswith("timeseries/")


# Environments with one runtime and without TensorFlow ----------------------------------------------


@pytest.fixture(scope="module", params=PACKAGES)
def runtime(request, tmp_path_factory):
    """Return the name of a runtime, and the Python of an environment with it and Pillow only."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    packages = (PACKAGES[request.param], "pillow")
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    for absent in ("tensorflow", "keras", "zoo"):
        command = [python, "-c", f"import {absent}"]
        found = subprocess.run(command, capture_output=True, cwd=folder, env=ENVIRONMENT)
        assert found.returncode != 0
    return request.param, python


# Runs a graph of an export on arrays by `graphs.py`.
EVERY_GRAPH = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
from graphs import open_export
graphs, _ = open_export(sys.argv[2])
np.savez(sys.argv[5], **graphs[sys.argv[3]](**np.load(sys.argv[4])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", store.names())
def test_export_of_preset_answers_in_its_runtime(runtime, name, tmp_path):
    format_, python = runtime
    rows = zoo.export(name, format_, tmp_path / "exported").files
    folder, preset = tmp_path / "exported" / format_, zoo.load(name)
    request = request_to(preset, tmp_path)
    output = run_script(python, SCRIPTS / request.script, folder, *request.arguments)
    assert request.is_answer(output), (output, request)
    recipe = preset.recipe
    example_inputs = recipe.data.example_inputs(recipe.model, recipe.decoder)
    for graph in recipe.model.graphs(preset.model):
        inputs = {key: np.asarray(value)[:1] for key, value in example_inputs[graph][0].items()}
        np.savez(tmp_path / "inputs.npz", **inputs)
        files = (tmp_path / "inputs.npz", tmp_path / "outputs.npz")
        run_script(python, "-c", EVERY_GRAPH, SCRIPTS, folder, graph, *files)
        received = np.load(files[1])
        for key, expected in preset.graphs[graph](**inputs).items():
            np.testing.assert_allclose(received[key], expected, atol=rows[0]["tolerance"])


# TensorFlow and TensorFlow Serving ----------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS)
def saved(request, tmp_path_factory):
    """Return a preset and the folder of its SavedModel."""
    folder = tmp_path_factory.mktemp("exported")
    zoo.export(request.param, "savedmodel", folder)
    return zoo.load(request.param), folder / "1"


@pytest.mark.slow
def test_script_answers_with_tensorflow_only(saved, tmp_path):
    preset, folder = saved
    request = request_to(preset, tmp_path)
    script = (SCRIPTS / request.script, folder, *request.arguments)
    output = run_script(sys.executable, *script, absent="zoo,keras")
    assert request.is_answer(output), (output, request)


def ask_all(model: Model, signature: str, request: str) -> list[dict]:
    """Return the answers of TensorFlow and of the REST and gRPC clients of TensorFlow Serving.

    The REST client needs no packages. The gRPC client needs the protocol buffers of TensorFlow Serving.
    """
    pytest.importorskip("tensorflow_serving")
    request = (signature, request)
    with rest_server(model) as url, grpc_server(model) as host:
        commands = (
            ("zoo,keras", "saved_model.py", model.folder),
            ("zoo,tensorflow,numpy.ma", "serving_rest.py", url),
            ("zoo,keras", "serving_grpc.py", host, MODEL),
        )
        return [
            answer(run_script(sys.executable, SCRIPTS / script, *where, *request, absent=absent))
            for absent, script, *where in commands
        ]


@pytest.mark.slow
def test_tensorflow_and_tensorflow_serving_answer_raw_input(saved, tmp_path):
    preset, folder = saved
    model, (signature, requests) = Model(folder), raw_requests(preset.recipe)
    outputs = model.predict(signature, requests[0])
    for received in ask_all(model, signature, write_request(requests[0], tmp_path)):
        assert received.keys() == outputs.keys()
        for name, expected in outputs.items():
            check_same(received[name], expected)


@pytest.mark.slow
def test_rows_and_columns_of_a_request_give_the_same_answer(saved):
    """TensorFlow Serving batches rows, also of several clients."""
    preset, folder = saved
    model, (signature, (*_, columns)) = Model(folder), raw_requests(preset.recipe)
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    request = {"signature_name": signature}
    outputs = predict_json(model, request | {"inputs": columns})["outputs"]
    predictions = predict_json(model, request | {"instances": rows})["predictions"]
    assert len(predictions) == len(rows) > 1
    for name, expected in outputs.items():
        check_same([row[name] for row in predictions], expected)


def check_same(received: list, expected) -> None:
    """Check that texts are equal, and numbers within rounding."""
    expected = np.asarray(expected)
    if expected.dtype.kind in "OSU":
        text = [each.decode() if isinstance(each, bytes) else each for each in expected.flat]
        assert np.asarray(received).flatten().tolist() == text
    else:
        np.testing.assert_allclose(received, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_tensorflow_serving_gives_the_answer_of_the_zoo(tmp_path):
    preset = zoo.load("speech/tdnn-ctc-an4")
    zoo.export(preset.name, "savedmodel", tmp_path / "exported")
    path = request_to(preset, tmp_path).arguments[0]
    request, expected = json.dumps({"wav": [f"@{path}"]}), next(preset.predict([path]))
    for received in ask_all(Model(tmp_path / "exported" / "1"), "transcribe_wav", request):
        assert received["text"] == [expected["output"]]
        assert received["log_probability"] == pytest.approx([expected["log_probability"]], abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("forecast.py",), "forecast.py: IndexError: list index out of range"),
        (("forecast.py", "nothing", "a.txt", "3"), "No such file or directory: 'nothing"),
        (("transcribe.py", "nothing", "a.wav"), "No such file or directory: 'nothing"),
    ],
)
def test_bad_input_gives_one_line(arguments, reason):
    script, *rest = arguments
    command = [sys.executable, SCRIPTS / script, *rest]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert reason in done.stderr
    assert f"python {script} EXPORT" in done.stderr


def test_the_message_of_a_check_in_a_graph_comes_first(monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    from errors import report

    error = ValueError(
        "Graph execution error:\n\nDetected at node Assert defined at (most recent call last):\n"
        "assertion failed: [series must have 8 time steps. Received:] [3]\n\t [[{{node Assert}}]]"
    )
    report(ValueError, error, None)
    assert ": [series must have 8 time steps. Received:] [3] (" in capsys.readouterr().err
