"""Test streams: recognition of speech over WebSocket, and texts token by token."""

import json

import numpy as np
import pytest
import soundfile
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

import zoo
from tests.serving.conftest import error_of

ROOT = "/v1/presets"


def refusal(client, address: str) -> tuple[int, str]:
    """Return status and error of a WebSocket that is refused."""
    with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect(address):
        pass
    return refused.value.status_code, refused.value.json()["error"]


def test_speech_has_partial_results_and_the_answer_of_predict(client, clips):
    samples, rate = soundfile.read(clips[0], dtype="int16")
    version = client.app.state.models["speech"].version()
    recipe, predictor = version.recipe, version.recipe.predictor(version.graphs)
    stream = recipe.data.open_stream(predictor, recipe.task, sample_rate=rate)
    content = samples.astype("<i2").tobytes()
    partials = []
    with client.websocket_connect(f"{ROOT}/speech/stream") as socket:
        socket.send_json({"config": {"sample_rate": rate}})
        for at in range(0, len(content), 6401):  # an odd number of bytes
            socket.send_bytes(content[at : at + 6401])
            partials.append(socket.receive_json()["partial"])
        socket.send_json({"eof": 1})
        final = socket.receive_json()
    stream.accept(samples.astype(np.float32) / 2**15)
    expected = stream.finish()
    assert final == {"text": expected["output"], **expected}
    assert partials[0] != partials[-1]


def test_utterances_end_at_pauses(client, clips):
    samples, rate = soundfile.read(clips[0], dtype="int16")
    content = samples.astype("<i2").tobytes()
    pause = b"\0" * (2 * rate)
    with client.websocket_connect(f"{ROOT}/speech/stream") as socket:
        socket.send_json({"config": {"sample_rate": rate, "endpoints": {"silence": 0.8}}})
        socket.send_bytes(content)
        partial = socket.receive_json()["partial"]
        socket.send_bytes(pause)
        final = socket.receive_json()
        socket.send_json({"eof": 1})
        last = socket.receive_json()
    assert final["event"] == "final"
    assert final["text"] == final["output"]
    assert final["text"].startswith(partial)
    assert [word["word"] for word in final["words"]] == final["text"].split()
    assert last["text"] == ""


def test_tokens_come_one_by_one_over_websocket_and_events(client, hello_export):
    options = {"length": 4, "sampler": "greedy"}
    body = {"input": "he", "options": options}
    expected = zoo.predict(hello_export, "he", options=options)[0]["output"]
    with client.websocket_connect(f"{ROOT}/hello/stream") as socket:
        for _ in range(2):  # several requests, one after another
            socket.send_json(body)
            rows = [socket.receive_json() for _ in range(5)]
            assert "".join(["he", *(row["text"] for row in rows[:4])]) == rows[4]["output"]
            assert all(0 < row["probability"] <= 1 for row in rows[:4])
            assert rows[4] == {"output": expected}
    response = client.post(f"{ROOT}/hello/stream", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in response.text.splitlines() if line]
    assert events == rows


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "must be JSON"),
        ("{}", "'input' or 'inputs'"),
        ('{"input": "he", "options": {"lenght": 1}}', "Did you mean 'length'"),
        ('{"input": ""}', "The text is empty"),
        ('{"inputs": ["he", "he"]}', "1 to 1"),
    ],
)
def test_an_invalid_message_closes_the_socket_with_an_error(client, message, words):
    with client.websocket_connect(f"{ROOT}/hello/stream") as socket:
        socket.send_text(message)
        assert words in socket.receive_json()["error"]
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 1008


def test_invalid_speech_closes_the_socket_with_an_error(client):
    for messages, words in (
        ([{"config": {"sample_rate": "x"}}, b""], "must be an integer"),
        ([{"config": {"sample_rate": 1}}, b""], "must be at least"),
        ([{"config": []}], "must be an object"),
        ([{"config": {"beam": 2}}, b""], "has no option 'beam'"),
        ([b"", {"config": {}}], "must be bytes"),
        ([b"\0\0", {"eof": 1}], "must last at least"),
        ([{"config": {"endpoints": {"silent": 1}}}, b""], "endpoints has no rule 'silent'"),
        ([{"config": {"endpoints": {"silence": -1}}}, b""], "silence must be above 0"),
        ([{"config": {"endpoints": 3}}, b""], "endpoints must be an object or null"),
    ):
        with client.websocket_connect(f"{ROOT}/speech/stream") as socket:
            for message in messages:
                send = socket.send_bytes if isinstance(message, bytes) else socket.send_json
                send(message)
            answers = [socket.receive_json()]
            while "error" not in answers[-1]:
                answers.append(socket.receive_json())
        assert words in answers[-1]["error"]


def test_a_socket_that_is_closed_early_frees_its_place(client, clips):
    samples, _ = soundfile.read(clips[0], dtype="int16")
    for _ in range(4):  # the limit is 2
        with client.websocket_connect(f"{ROOT}/speech/stream") as socket:
            socket.send_bytes(samples.astype("<i2").tobytes())
            socket.receive_json()
    assert client.app.state.streams == 0


def test_streams_have_a_limit(client):
    address = f"{ROOT}/hello/stream"
    with client.websocket_connect(address), client.websocket_connect(address):
        status, error = refusal(client, address)
        assert (status, error) == (503, "2 streams are open. Try again later.")
        error_of(client.post(address, json={"input": "he"}), 503)


def test_models_without_streams_refuse_them(client):
    status, error = refusal(client, f"{ROOT}/laser/stream")
    assert (status, "does not support streaming" in error) == (400, True)
    assert refusal(client, f"{ROOT}/nothing/stream")[0] == 404
    error_of(client.post(f"{ROOT}/speech/stream", content=b"x"), 400)
    error_of(client.post(f"{ROOT}/hello/stream", json={"inputs": ["he", "he"]}), 400)
