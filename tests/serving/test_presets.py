"""Test the zoo's own endpoints: the answers are those of `zoo predict`."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.serving.conftest import LASER, SPEECH, error_of

ROOT = "/v1/presets"


def test_a_text_is_answered_as_predict_does(client, hello_export):
    body = {"input": "he", "options": {"length": 7, "sampler": "greedy"}}
    response = client.post(f"{ROOT}/hello/predict", json=body)
    expected = zoo.predict(hello_export, "he", options=body["options"])
    assert response.json() == {
        "preset": "language/charlstm-hello",
        "predictions": list(expected),
    }
    assert response.headers["x-model-version"] == "1"


def test_a_recording_is_answered_as_predict_does(client, clips):
    expected = zoo.predict(SPEECH, clips[0], options={"times": True})[0]
    content = Path(clips[0]).read_bytes()
    raw = client.post(f"{ROOT}/speech/predict?name=clip.flac&times=true", content=content)
    encoded = {"b64": base64.b64encode(content).decode(), "name": "clip.flac"}
    as_json = client.post(
        f"{ROOT}/speech/predict", json={"input": encoded, "options": {"times": True}}
    )
    wanted = expected | {"input": "clip.flac"}
    assert raw.json()["predictions"] == as_json.json()["predictions"] == [wanted]


def test_a_series_is_answered_as_predict_does(client):
    series = [float(x) for x in np.sin(np.arange(40.0))]
    response = client.post(f"{ROOT}/laser/predict?horizon=3", json={"input": series})
    expected = zoo.predict(LASER, np.array(series), options={"horizon": 3})[0]
    (answer,) = response.json()["predictions"]
    assert answer["forecast"] == pytest.approx(expected["forecast"])


def test_of_several_inputs_an_invalid_one_has_an_error(client):
    body = {"inputs": ["he", ""], "options": {"length": 2}}
    good, bad = client.post(f"{ROOT}/hello/predict", json=body).json()["predictions"]
    assert good["input"] == "he"
    assert bad == {"input": "", "error": "The text is empty."}


def test_list_has_inputs_options_and_streams(client):
    hello, speech, laser = client.get(ROOT).json()["presets"]
    assert (hello["name"], hello["backend"], hello["versions"]) == ("hello", "onnx", [1])
    assert hello["input"] == {"text": True, "file": False, "array": False, "example": "he"}
    assert hello["streams"] == ["tokens"]
    assert (speech["input"]["file"], laser["input"]["array"]) == (True, True)
    names = [option["name"] for option in speech["options"]]
    assert {"beam_width", "hot_word"} <= set(names)
    assert "lm" not in names  # a file of the server
    assert client.get(f"{ROOT}/hello").json() == hello


def test_a_text_is_never_a_path(client, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hello")
    error_of(client.post(f"{ROOT}/speech/predict", json={"input": str(secret)}), 400)
    error_of(client.post(f"{ROOT}/laser/predict", json={"input": str(secret)}), 400)
    error_of(client.post(f"{ROOT}/hello/predict", json={"input": str(secret)}), 400)
    error_of(client.post(f"{ROOT}/speech/predict?lm={secret}", content=b"x"), 400)


def test_the_name_of_a_file_is_never_a_path(client):
    response = client.post(f"{ROOT}/speech/predict?name=../../x.wav", content=b"not audio")
    assert error_of(response, 400).startswith("x.wav: not audio")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "must be JSON"),
        (b"[]", "must be a JSON object"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{}", "'input' or 'inputs'"),
        (b'{"input": "he", "inputs": []}', "'input' or 'inputs'"),
        (b'{"inputs": []}', "1 to 128"),
        (b'{"input": "he", "option": {}}', "Did you mean 'options'"),
        (b'{"input": "he", "options": []}', "must be an object"),
        (b'{"input": 3}', "cannot be a number"),
        (b'{"input": {"b64": "aGU="}}', "cannot be an object"),
        (b'{"input": NaN}', "must be finite"),
        (b'{"input": "he", "options": {"lenght": 2}}', "Did you mean 'length'"),
        (b'{"input": "he", "options": {"length": "x"}}', "must be an integer"),
        (b'{"input": "he", "options": {"length": -1}}', "length must be at least 1"),
        (b'{"input": "he", "options": {"sampler": "best"}}', "sampler must be one of"),
        (b'{"input": ""}', "The text is empty"),
        (b'{"input": "\\ud800"}', "not UTF-8"),
    ],
)
def test_an_invalid_body_is_refused(client, body, words):
    headers = {"content-type": "application/json"}
    assert words in error_of(
        client.post(f"{ROOT}/hello/predict", content=body, headers=headers), 400
    )


def test_invalid_arrays_and_files_are_refused(client):
    for value, words in (
        ([[1, 2], [3]], "same length"),
        ([1, "x"], "numbers only"),
        ([], "numbers only"),
        ([1.0, 2.0], "must have at least"),
    ):
        response = client.post(f"{ROOT}/laser/predict", json={"input": value})
        assert words in error_of(response, 400)
    headers = {"content-type": "application/json"}
    response = client.post(f"{ROOT}/laser/predict", content=b'{"input": [1e999]}', headers=headers)
    assert "must be finite" in error_of(response, 400)
    response = client.post(f"{ROOT}/speech/predict", json={"input": {"b64": "?"}})
    assert "base64" in error_of(response, 400)
    assert "0 bytes" in error_of(client.post(f"{ROOT}/speech/predict"), 400)


def test_an_unknown_model_or_version_is_not_found(client):
    body = {"input": "he"}
    error = error_of(client.post(f"{ROOT}/helo/predict", json=body), 404)
    assert "Did you mean 'hello'" in error
    error = error_of(client.post(f"{ROOT}/hello/predict?version=7", json=body), 404)
    assert error == "hello has no version 7. Loaded: 1."
    error_of(client.post(f"{ROOT}/hello/predict?version=x", json=body), 404)
    error_of(client.get("/nothing"), 404)
    for verb in ("predict", "plot", "stream"):
        assert client.get(f"{ROOT}/hello/{verb}").headers["allow"] == "POST"
        error_of(client.get(f"{ROOT}/hello/{verb}"), 405)


def test_a_body_over_the_limit_is_refused(client):
    content = b"x" * (2**20 + 1)
    assert "at most 1 MB" in error_of(client.post(f"{ROOT}/speech/predict", content=content), 413)
    parts = (b"x" * 2**18 for _ in range(5))  # without content-length
    error_of(client.post(f"{ROOT}/speech/predict", content=parts), 413)


def test_a_request_is_one_line_of_the_log_without_contents(client, capfd):
    capfd.readouterr()
    client.post(f"{ROOT}/hello/predict?sampler=greedy", json={"input": "hel"})
    (line,) = capfd.readouterr().err.splitlines()
    found = json.loads(line)
    assert (found["event"], found["model"], found["status"]) == ("request", "hello", 200)
    assert "hel" not in json.dumps({k: v for k, v in found.items() if k not in ("model", "path")})


def test_metrics_count_requests(client):
    client.post(f"{ROOT}/laser/predict", json={"input": []})
    lines = client.get("/metrics").text.splitlines()
    assert any(
        line.startswith('zoo_requests_total{model="laser",protocol="v1",status="400"}')
        for line in lines
    )
    assert 'zoo_model_version{model="hello"} 1.0' in lines
