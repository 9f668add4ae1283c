"""Test the V1 protocol: TensorFlow Serving's REST interface."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from tests.serving.conftest import error_of
from zoo.serving.errors import RequestError
from zoo.serving.graphs import Graph, TensorSpec, find_graph

ROOT = "/v1/models"


@pytest.fixture(scope="module")
def graph(hello_export):
    return zoo.load(hello_export, "onnx").graphs["step"]


@pytest.fixture(scope="module")
def states(hello_export):
    """Return the initial states of the graph `step`, one row, as JSON."""
    recipe = zoo.load(hello_export, "onnx").recipe
    return {spec.name: [[0.0] * spec.shape[0]] for spec in recipe.model.states}


def test_columns_and_rows_have_the_outputs_of_the_graph(client, graph, states):
    inputs = {"tokens": [[0, 1, 2]], **states}
    expected = graph(**inputs)["logits"]
    columns = client.post(f"{ROOT}/hello:predict", json={"inputs": inputs})
    assert columns.json()["outputs"]["logits"][0][2] == pytest.approx(expected[0, 2].tolist())
    row = {name: value[0] for name, value in inputs.items()}
    body = {"instances": [row, row], "signature_name": "step"}
    answers = client.post(f"{ROOT}/hello/versions/1:predict", json=body).json()["predictions"]
    assert len(answers) == 2
    assert answers[1]["logits"][2] == pytest.approx(expected[0, 2].tolist())


@pytest.mark.slow
def test_a_saved_model_answers_raw_texts(serve, hello_savedmodel):
    client = serve(presets=(f"hello={hello_savedmodel}",), backend="savedmodel")
    row = {"prompt": "he", "length": 3, "temperature": 0.0, "seed": 0}
    answers = client.post(f"{ROOT}/hello:predict", json={"instances": [row]}).json()
    assert answers == {"predictions": ["hello"]}
    body = {"inputs": {"text": ["hello", {"b64": "aGU="}]}, "signature_name": "score"}
    scores = client.post(f"{ROOT}/hello:predict", json=body).json()["outputs"]
    assert scores["lengths"] == [5, 2]
    expected = zoo.score(hello_savedmodel, "hello", runtime="onnx")[0]["log_probability"]
    assert scores["log_probability"][0] == pytest.approx(expected, abs=1e-4)
    row["prompt"] = ""
    assert "empty" in error_of(client.post(f"{ROOT}/hello:predict", json={"instances": [row]}), 400)


def test_status_and_metadata(client):
    assert client.get(ROOT).json() == {"models": ["hello", "speech", "laser"]}
    status = client.get(f"{ROOT}/hello").json()
    assert status["model_version_status"][0]["state"] == "AVAILABLE"
    found = client.get(f"{ROOT}/hello/metadata").json()
    signature = found["metadata"]["signature_def"]["signature_def"]["step"]
    assert signature["inputs"]["tokens"]["dtype"] == "DT_INT32"
    sizes = [axis["size"] for axis in signature["inputs"]["tokens"]["tensor_shape"]["dim"]]
    assert sizes == ["-1", "-1"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inputs": None}, "'instances' (rows) or 'inputs' (columns)"),
        ({"input": {}}, "Did you mean 'inputs'"),
        ({"signature_name": "steps"}, "Did you mean 'step'"),
        ({"signature_name": "serving_default"}, "here with --backend savedmodel"),
        ({"signature_name": 3}, "must be a text"),
        ({"inputs": {"tokens": [[0]]}}, "Missing: "),
        ({"inputs": {"token": [[0]]}}, "Did you mean 'tokens'"),
        ({"inputs": {"prompt": ["he"]}}, "texts are inputs of /v1/presets"),
        ({"inputs": [1]}, "must be an object"),
        ({"inputs": {"b64": "aGU="}}, "texts are inputs of /v1/presets"),
        ({"tokens": [[0], [1, 2]]}, "lists of the same length"),
        ({"tokens": [["a"]]}, "must be integers"),
        ({"tokens": [[0.5]]}, "must be integers"),
        ({"tokens": [[2**40]]}, "larger number"),
        ({"tokens": [0]}, "must have the shape"),
        ({"tokens": [[0], [0]]}, "same number of rows"),
        ({"tokens": [[10**6]]}, "cannot run it"),
        ({"instances": []}, "'instances' (rows) or 'inputs' (columns)"),
    ],
)
def test_an_invalid_request_is_refused(client, states, changes, words):
    body = {"inputs": {"tokens": [[0]], **states}}
    if "tokens" in changes:
        body["inputs"] |= changes
    else:
        body |= changes
    body = {name: value for name, value in body.items() if value is not None}
    status = 404 if isinstance(changes.get("signature_name"), str) else 400
    assert words in error_of(client.post(f"{ROOT}/hello:predict", json=body), status)


def test_invalid_rows_are_refused(client):
    for rows, words in (
        ([], "at least one row"),
        ([1], "must be an object"),
        ([{}, {"a": 1}], "same names"),
    ):
        body = {"instances": rows}
        assert words in error_of(client.post(f"{ROOT}/hello:predict", json=body), 400)


@pytest.mark.parametrize("length", [-1, 0, 5])
def test_lengths_outside_the_rows_are_refused(length):
    inputs = {
        "waveform": TensorSpec("waveform", "float32", ("batch", "samples")),
        "lengths": TensorSpec("lengths", "int32", ("batch",)),
    }
    version = SimpleNamespace(graphs={"model": lambda **given: given}, without_paths=str)
    graph = Graph("model", inputs, inputs, version)
    waveform = np.zeros((2, 4))
    graph.run({"waveform": waveform, "lengths": np.array([1, 4])})
    with pytest.raises(RequestError, match="lengths must be at least 1 and at most 4"):
        graph.run({"waveform": waveform, "lengths": np.array([1, length])})


def test_nan_is_refused(client, states):
    states = {name: [[float("nan")] * len(value[0])] for name, value in states.items()}
    content = json.dumps({"inputs": {"tokens": [[0]], **states}})
    assert "finite" in error_of(client.post(f"{ROOT}/hello:predict", content=content), 400)


def test_a_model_without_an_export_says_so(client):
    version = replace(client.app.state.models["laser"].version(), signature={})
    with pytest.raises(RequestError, match="zoo export PRESET --to onnx") as error:
        find_graph(version)
    assert error.value.status == 501
