"""Test the V2 protocol over HTTP and gRPC: JSON and binary tensors."""

import asyncio
import json
import socket
from dataclasses import replace

import grpc
import numpy as np
import pytest

import zoo
from tests.serving.conftest import error_of
from zoo.serving import v2_tensors
from zoo.serving.app import create_app
from zoo.serving.open_inference import SERVICE, messages

ROOT = "/v2/models"


@pytest.fixture(scope="module")
def inputs(hello_export) -> dict[str, np.ndarray]:
    recipe = zoo.load(hello_export, "onnx").recipe
    states = {spec.name: np.zeros((1, *spec.shape), np.float32) for spec in recipe.model.states}
    return {"tokens": np.array([[0, 1, 2]], np.int32), **states}


@pytest.fixture(scope="module")
def logits(hello_export, inputs) -> np.ndarray:
    return zoo.load(hello_export, "onnx").graphs["step"](**inputs)["logits"]


def tensor(name: str, array: np.ndarray) -> dict:
    """Return an array as an input of a request in JSON."""
    datatype = v2_tensors.datatype_of(array)
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.tolist()}


def test_json_tensors(client, inputs, logits):
    body = {
        "id": "7",
        "inputs": [tensor(name, array) for name, array in inputs.items()],
        "outputs": [{"name": "logits"}],
    }
    found = client.post(f"{ROOT}/hello/infer", json=body).json()
    (output,) = found.pop("outputs")
    assert found == {"model_name": "hello", "model_version": "1", "id": "7"}
    assert (output["datatype"], output["shape"]) == ("FP32", list(logits.shape))
    assert output["data"] == pytest.approx(logits.ravel().tolist())


def test_binary_tensors(client, inputs, logits):
    described, contents = [], b""
    for name, array in inputs.items():
        row = tensor(name, array)
        del row["data"]
        described.append(row | {"parameters": {"binary_data_size": array.nbytes}})
        contents += array.tobytes()
    header = json.dumps({"inputs": described, "parameters": {"binary_data_output": True}}).encode()
    response = client.post(
        f"{ROOT}/hello.step/versions/1/infer",
        content=header + contents,
        headers={"inference-header-content-length": str(len(header))},
    )
    length = int(response.headers["inference-header-content-length"])
    outputs, at = json.loads(response.content[:length])["outputs"], length
    found = {}
    for output in outputs:
        size = output["parameters"]["binary_data_size"]
        found[output["name"]] = response.content[at : at + size]
        at += size
    assert at == len(response.content)
    assert np.allclose(np.frombuffer(found["logits"], "<f4"), logits.ravel(), atol=1e-5)


def test_metadata_and_health(client):
    assert client.get("/v2").json()["name"] == "zoo"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/health/well").status_code == 404
    assert client.get("/v2/models").json()["models"][:2] == ["hello", "hello.step"]
    found = client.get(f"{ROOT}/hello").json()
    assert found["inputs"][0] == {"name": "tokens", "datatype": "INT32", "shape": [-1, -1]}
    assert client.get(f"{ROOT}/hello/ready").json()["ready"]
    assert client.post("/v2/repository/index").json()[0]["state"] == "READY"


def test_bytes_keep_their_elements():
    array = np.array([[b"a\0b", "\u00e9".encode()]], object)
    content = v2_tensors.to_bytes(array)
    assert v2_tensors.from_bytes("x", "BYTES", [1, 2], content).tolist() == array.tolist()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datatype": "FP31"}, "must be one of"),
        ({"datatype": "FP32"}, "must be int32"),
        ({"datatype": ["INT32"]}, "datatype"),
        ({"shape": [1, 4]}, "must be 4 values"),
        ({"shape": "13"}, "list of integers"),
        ({"shape": [-1, 3]}, "list of integers"),
        ({"data": [[0, 1, "x"]]}, "must be 3 values"),
        ({"data": [[0, 1.5, 2]]}, "must be 3 values"),
        ({"name": "token"}, "Did you mean 'tokens'"),
        ({"name": "h0"}, "name of its own"),
        ({"dat": []}, "Did you mean 'data'"),
        ({"parameters": []}, "must be an object"),
        ({"parameters": {"binary_data_size": 4}}, "'data' or the parameter"),
    ],
)
def test_an_invalid_tensor_is_refused(client, inputs, change, words):
    rows = [tensor(name, array) for name, array in inputs.items()]
    if change == {"name": "h0"}:
        change = {"name": rows[1]["name"]}
    rows[0] |= change
    assert words in error_of(client.post(f"{ROOT}/hello/infer", json={"inputs": rows}), 400)


def test_an_invalid_binary_request_is_refused(client):
    row = {"name": "tokens", "datatype": "INT32", "shape": [1, 1]}
    for size, contents, length, words in (
        (4, b"1234", "9999", "at most the size"),
        (4, b"1234", "x", "at most the size"),
        (8, b"1234", None, "within the body"),
        (3, b"123", None, "must have 4 bytes"),
        (4, b"12345", None, "1 more bytes"),
    ):
        header = json.dumps({"inputs": [row | {"parameters": {"binary_data_size": size}}]}).encode()
        headers = {"inference-header-content-length": length or str(len(header))}
        response = client.post(f"{ROOT}/hello/infer", content=header + contents, headers=headers)
        assert words in error_of(response, 400)


def test_unknown_names_are_not_found(client):
    assert "Did you mean 'step'" in error_of(client.get(f"{ROOT}/hello.stop"), 404)
    assert "Did you mean 'hello'" in error_of(client.get(f"{ROOT}/helo"), 404)
    body = {"inputs": [], "outputs": [{"name": "logit"}]}
    assert "Did you mean 'logits'" in error_of(client.post(f"{ROOT}/hello/infer", json=body), 400)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def test_grpc_has_the_same_answers_and_errors(settings, hello_export, inputs, logits):
    port = free_port()
    chosen = replace(settings, presets=(f"hello={hello_export}",), grpc_port=port)
    known = messages()

    async def ask() -> None:
        app = create_app(chosen)
        async with (
            app.router.lifespan_context(app),
            grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        ):

            def call(method, **fields):
                return channel.unary_unary(
                    f"/{SERVICE}/{method}",
                    request_serializer=known[f"{method}Request"].SerializeToString,
                    response_deserializer=known[f"{method}Response"].FromString,
                )(known[f"{method}Request"](**fields))

            assert (await call("ServerLive")).live
            assert (await call("ServerReady")).ready
            assert (await call("ServerMetadata")).name == "zoo"
            assert (await call("ModelReady", name="hello")).ready
            found = await call("ModelMetadata", name="hello")
            assert (found.inputs[0].name, found.inputs[0].datatype) == ("tokens", "INT32")
            described = [
                {"name": name, "datatype": v2_tensors.datatype_of(array), "shape": array.shape}
                for name, array in inputs.items()
            ]
            raw = [array.tobytes() for array in inputs.values()]
            answer = await call(
                "ModelInfer", model_name="hello", inputs=described, raw_input_contents=raw
            )
            place = [output.name for output in answer.outputs].index("logits")
            received = np.frombuffer(answer.raw_output_contents[place], "<f4")
            assert np.allclose(received, logits.ravel(), atol=1e-5)
            fields = {"INT32": "int_contents", "FP32": "fp32_contents"}
            typed = [
                row | {"contents": {fields[row["datatype"]]: array.ravel().tolist()}}
                for row, array in zip(described, inputs.values(), strict=True)
            ]
            answer = await call(
                "ModelInfer", model_name="hello", inputs=typed, outputs=[{"name": "logits"}]
            )
            assert [output.name for output in answer.outputs] == ["logits"]
            for code, changes in (
                ("NOT_FOUND", {"model_name": "helo"}),
                ("NOT_FOUND", {"model_version": "3"}),
                ("INVALID_ARGUMENT", {"model_version": "x"}),
                ("INVALID_ARGUMENT", {"raw_input_contents": raw[:1]}),
                ("INVALID_ARGUMENT", {"inputs": described[:1], "raw_input_contents": raw[:1]}),
                ("INVALID_ARGUMENT", {"outputs": [{"name": "logit"}]}),
            ):
                good = {"model_name": "hello", "inputs": described, "raw_input_contents": raw}
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await call("ModelInfer", **(good | changes))
                assert error.value.code().name == code
                assert "\n" not in error.value.details()

    asyncio.run(ask())
