"""The V2 protocol over HTTP: the Open Inference Protocol of KServe and Triton, JSON and binary.

https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol

A model is the default graph of a served model; `NAME.GRAPH` is another graph of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

import zoo.serving
from zoo.common.core.errors import ZooError, nearest
from zoo.serving import v2_tensors as tensors
from zoo.serving.graphs import Graph, find_graph, graph_names
from zoo.serving.http import answer, find_version, limits_of, models_of, read_body
from zoo.serving.inputs import check_keys, parse_object
from zoo.serving.models import Model, Models

ROOT = "/v2"
HEADER_LENGTH = "inference-header-content-length"
EXTENSIONS = ("binary_tensor_data", "model_repository")
BINARY, BINARY_SIZE, ALL_BINARY = "binary_data", "binary_data_size", "binary_data_output"


def routes() -> list[BaseRoute]:
    """Return the routes of the protocol."""
    model = ROOT + "/models/{name}"
    return [
        Route(ROOT, _server),
        Route(ROOT + "/health/{state:str}", _health),
        Route(ROOT + "/models", _models),
        Route(ROOT + "/repository/index", _index, methods=["POST"]),
        *(
            Route(path + verb, endpoint, methods=[method])
            for path in (model + "/versions/{version}", model)
            for verb, endpoint, method in (
                ("/infer", _infer, "POST"),
                ("/ready", _ready, "GET"),
                ("", _metadata, "GET"),
            )
        ),
    ]


def server_metadata() -> dict[str, Any]:
    """Return the name and version of the server, and the extensions of the protocol it has."""
    return {"name": "zoo", "version": zoo.__version__, "extensions": list(EXTENSIONS)}


def names_of(models: Models) -> list[str]:
    """Return the names of all models of the protocol: served models and their graphs."""
    return [
        name
        for model in models
        for name in (model.name, *(f"{model.name}.{g}" for g in graph_names(model.version())))
    ]


def split_name(models: Models, name: str) -> tuple[str, str | None]:
    """Return the served model and the graph that a name means; None for the default graph."""
    if any(name in (model.name, model.preset) for model in models):
        return name, None
    model, _, graph = name.rpartition(".")
    return (model, graph) if model else (name, None)


def model_metadata(model: Model, graph: Graph) -> dict[str, Any]:
    """Return the inputs and outputs of a graph."""
    return {
        "name": model.name,
        "versions": [str(number) for number in sorted(model.versions)],
        "platform": f"zoo_{graph.version.graphs.backend}",
        "inputs": [tensors.described(spec) for spec in graph.inputs.values()],
        "outputs": [tensors.described(spec) for spec in graph.outputs.values()],
    }


def _find(request: Request) -> tuple[Model, Graph]:
    name, graph = split_name(models_of(request), request.path_params["name"])
    model, version = find_version(request, name, request.path_params.get("version"))
    return model, find_graph(version, graph)


async def _server(_: Request) -> Response:
    return answer(server_metadata())


async def _health(request: Request) -> Response:
    """Return that the server is live and ready: it does not listen before its models are loaded."""
    state = request.path_params["state"]
    if state not in ("live", "ready"):
        return answer({"error": "Valid: /v2/health/live and /v2/health/ready."}, 404)
    return answer({state: True})


async def _models(request: Request) -> Response:
    return answer({"models": names_of(models_of(request))})


async def _index(request: Request) -> Response:
    return answer(
        [
            {"name": model.name, "version": str(number), "state": "READY", "reason": ""}
            for model in models_of(request)
            for number in sorted(model.versions)
        ]
    )


async def _ready(request: Request) -> Response:
    name, _ = split_name(models_of(request), request.path_params["name"])
    model, _ = find_version(request, name, request.path_params.get("version"))
    return answer({"name": model.name, "ready": True})


async def _metadata(request: Request) -> Response:
    return answer(model_metadata(*_find(request)))


async def _infer(request: Request) -> Response:
    model, graph = _find(request)
    content, length = (
        await read_body(request, limits_of(request)),
        request.headers.get(HEADER_LENGTH),
    )
    if length is not None and not (length.isdecimal() and int(length) <= len(content)):
        raise ZooError(
            f"{HEADER_LENGTH} must be at most the size of the body. Received: {length[:20]}."
        )
    end = len(content) if length is None else int(length)
    body = parse_object(content[:end])
    check_keys(body, ("id", "parameters", "inputs", "outputs"))
    inputs = _inputs(body.get("inputs"), content[end:])
    wanted = _wanted(graph, body)
    outputs = await model.queue.run(graph.run, inputs)
    return _response(model, graph, body, {name: outputs[name] for name in wanted}, wanted)


def _inputs(given: Any, content: bytes) -> dict[str, np.ndarray]:
    """Return the tensors of a request. `content` has the data of those that are binary, in order."""
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ZooError("inputs must be a list of objects.")
    found, at = {}, 0
    for each in given:
        check_keys(each, ("name", "datatype", "shape", "data", "parameters"), "An input")
        name, datatype, shape = each.get("name"), each.get("datatype"), each.get("shape")
        if not isinstance(name, str) or name in found:
            raise ZooError("Each input must have a name of its own.")
        size = _parameters(each).get(BINARY_SIZE)
        if (size is None) == ("data" not in each):
            raise ZooError(f"{name[:80]} must have 'data' or the parameter {BINARY_SIZE!r}.")
        if size is None:
            found[name] = tensors.from_values(name[:80], datatype, shape, each["data"])
            continue
        if type(size) is not int or not 0 <= size <= len(content) - at:
            raise ZooError(f"{BINARY_SIZE} of {name[:80]} must be within the body.")
        found[name] = tensors.from_bytes(name[:80], datatype, shape, content[at : at + size])
        at += size
    if at != len(content):
        raise ZooError(
            f"The body must end after the tensors. Received: {len(content) - at} more bytes."
        )
    return found


def _parameters(of: dict[str, Any]) -> dict[str, Any]:
    found = of.get("parameters", {})
    if not isinstance(found, dict):
        raise ZooError("parameters must be an object.")
    return found


def _wanted(graph: Graph, body: dict[str, Any]) -> dict[str, bool]:
    """Return the requested outputs, and whether each is binary in the response."""
    everything = bool(_parameters(body).get(ALL_BINARY, False))
    given = body.get("outputs") or [{"name": name} for name in graph.outputs]
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ZooError("outputs must be a list of objects.")
    wanted = {}
    for each in given:
        name = str(each.get("name"))
        if name not in graph.outputs:
            hint = nearest(name[:80], graph.outputs)
            raise ZooError(f"{graph.name} has no output {name[:80]!r}. {hint}")
        wanted[name] = bool(_parameters(each).get(BINARY, everything))
    return wanted


def _response(
    model: Model,
    graph: Graph,
    body: dict[str, Any],
    outputs: dict[str, np.ndarray],
    binary: dict[str, bool],
) -> Response:
    listed, contents = [], []
    for name, array in outputs.items():
        tensor: dict[str, Any] = {
            "name": name,
            "datatype": tensors.datatype_of(array),
            "shape": list(array.shape),
        }
        if binary[name]:
            contents.append(tensors.to_bytes(array))
            tensor["parameters"] = {BINARY_SIZE: len(contents[-1])}
        else:
            tensor["data"] = tensors.to_values(array)
        listed.append(tensor)
    found = {
        "model_name": model.name,
        "model_version": str(graph.version.number),
        "outputs": listed,
    }
    if isinstance(body.get("id"), str):
        found["id"] = body["id"]
    header = answer(found)
    if not contents:
        return header
    return Response(
        b"".join([bytes(header.body), *contents]),
        headers={HEADER_LENGTH: str(len(header.body))},
        media_type="application/octet-stream",
    )
