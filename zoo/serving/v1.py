"""The V1 protocol: TensorFlow Serving's REST interface, which KServe calls V1.

https://www.tensorflow.org/tfx/serving/api_rest
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from zoo.common.core.errors import ZooError
from zoo.serving.graphs import STRING, Graph, TensorSpec, find_graph, graph_names, raw_input_hint
from zoo.serving.http import answer, find_version, limits_of, models_of, read_body
from zoo.serving.inputs import check_keys, decode_base64, parse_object
from zoo.serving.models import Model
from zoo.serving.versions import Version

ROOT = "/v1/models"
# dtypes of TensorFlow by the names of NumPy.
DTYPES = {
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "bool": "DT_BOOL",
    STRING: "DT_STRING",
}


def routes() -> list[BaseRoute]:
    """Return the routes of the protocol."""
    model, of_version = ROOT + "/{name}", "/versions/{version}"
    return [
        Route(ROOT, _list),
        *(
            Route(path + verb, endpoint, methods=[method])
            for path in (model + of_version, model)
            for verb, endpoint, method in (
                (":predict", _predict, "POST"),
                ("/metadata", _metadata, "GET"),
                ("", _status, "GET"),
            )
        ),
    ]


async def _list(request: Request) -> Response:
    return answer({"models": [model.name for model in models_of(request)]})


async def _status(request: Request) -> Response:
    """Return the state of the versions, with the reason why one cannot be loaded."""
    model, version = find_version(request, **request.path_params)
    only = version.number if "version" in request.path_params else None
    states = [
        {
            "version": str(number),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        for number in sorted(model.versions, reverse=True)
        if only in (None, number)
    ]
    broken = {number: text for number, text in model.errors.items() if number is not None}
    states += [
        {
            "version": str(number),
            "state": "END",
            "status": {
                "error_code": "INVALID_ARGUMENT",
                "error_message": text,
            },
        }
        for number, text in broken.items()
        if only is None and number not in model.versions
    ]
    # "name" and "ready" are KServe's form of the same answer.
    return answer({"name": model.name, "ready": True, "model_version_status": states})


async def _metadata(request: Request) -> Response:
    model, version = find_version(request, **request.path_params)
    find_graph(version)  # the version must have one
    signatures = {name: _signature(find_graph(version, name)) for name in graph_names(version)}
    spec = {"name": model.name, "signature_name": "", "version": str(version.number)}
    definitions = {"signature_def": {"signature_def": signatures}}
    return answer({"model_spec": spec, "metadata": definitions})


async def _predict(request: Request) -> Response:
    model, version = find_version(request, **request.path_params)
    body = parse_object(await read_body(request, limits_of(request)))
    return answer(await model.queue.run(predict, model, version, body))


def predict(model: Model, version: Version, body: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request in rows (`instances`) or columns (`inputs`).

    Raises:
        ZooError: the request is invalid.
    """
    check_keys(body, ("instances", "inputs", "signature_name"))
    if ("instances" in body) == ("inputs" in body):
        raise ZooError("The body must have 'instances' (rows) or 'inputs' (columns).")
    graph = find_graph(version, _signature_name(body))
    if "inputs" in body:
        outputs = graph.run(_arrays(graph, body["inputs"]))
        found = {name: _listed(name, value) for name, value in outputs.items()}
        return {"outputs": next(iter(found.values())) if len(found) == 1 else found}
    rows = body["instances"]
    if not isinstance(rows, list) or not rows:
        raise ZooError("instances must be a list with at least one row.")
    outputs = graph.run(_arrays(graph, _columns(graph, rows)))
    if any(value.ndim == 0 or len(value) != len(rows) for value in outputs.values()):
        raise ZooError(f"The outputs of {graph.name} have no rows: use 'inputs'.")
    columns = {name: _listed(name, value) for name, value in outputs.items()}
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    return {
        "predictions": [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
    }


def _signature_name(body: dict[str, Any]) -> str | None:
    name = body.get("signature_name") or None
    if not isinstance(name, str | None):
        raise ZooError("signature_name must be a text.")
    return name


def _columns(graph: Graph, rows: list[Any]) -> dict[str, list[Any]]:
    """Return rows as columns. Rows of a graph with one input may be values without a name."""
    names = set(graph.inputs)
    named = all(isinstance(row, dict) and "b64" not in row for row in rows)
    if not named:
        if len(names) > 1:
            raise _not_named("Each row", graph)
        return {next(iter(names)): rows}
    keys = rows[0].keys()
    if any(row.keys() != keys for row in rows):
        raise ZooError("All rows must have the same names.")
    return {name: [row[name] for row in rows] for name in keys}


def _arrays(graph: Graph, columns: Any) -> dict[str, np.ndarray]:
    if not isinstance(columns, dict) or "b64" in columns:
        if len(graph.inputs) > 1:
            raise _not_named("inputs", graph)
        columns = {next(iter(graph.inputs)): columns}
    return {
        name: _array(graph.inputs[name], value) if name in graph.inputs else np.zeros(0)
        for name, value in columns.items()
    }


def _not_named(what: str, graph: Graph) -> ZooError:
    text = f"{what} must be an object with {', '.join(graph.inputs)}."
    return ZooError(f"{text} {raw_input_hint(graph.version)}".rstrip())


def _array(spec: TensorSpec, value: Any) -> np.ndarray:
    """Return nested lists as an array. Raises `ZooError`."""
    if spec.dtype == STRING:
        return np.array(_strings(spec.name, value), object)
    kinds = {"f": "numbers", "i": "integers", "b": "true or false"}
    kind = np.dtype(spec.dtype).kind
    try:
        array = np.array(value)
        if array.dtype.kind not in {"f": "iuf", "i": "iu", "b": "b"}[kind] and array.size:
            raise ValueError
        return array.astype(spec.dtype) if kind == "f" or not array.size else array
    except (ValueError, TypeError, OverflowError):
        raise ZooError(f"{spec.name} must be {kinds[kind]}, in lists of the same length.") from None


def _strings(name: str, value: Any) -> Any:
    if isinstance(value, list):
        return [_strings(name, each) for each in value]
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return decode_base64(value["b64"])
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise ZooError(f"{name} must be valid Unicode.") from None
    raise ZooError(f'{name} must be texts, or bytes as {{"b64": ...}}.')


def _listed(name: str, value: np.ndarray) -> Any:
    """Return an output as JSON. Bytes are base64 if the name ends with `_bytes`, else UTF-8."""

    def text(each: Any) -> Any:
        if isinstance(each, list):
            return [text(one) for one in each]
        if isinstance(each, bytes):
            if name.endswith("_bytes"):
                return {"b64": base64.b64encode(each).decode()}
            return each.decode(errors="replace")
        return each

    return text(value.tolist())


def _signature(graph: Graph) -> dict[str, Any]:
    """Return the SignatureDef of a graph in the JSON form of protocol buffers."""

    def tensors(specs: dict[str, TensorSpec]) -> dict[str, Any]:
        return {
            spec.name: {
                "dtype": DTYPES[spec.dtype],
                "tensor_shape": {
                    "dim": [
                        {"size": str(-1 if isinstance(size, str) else size), "name": ""}
                        for size in spec.shape
                    ],
                    "unknown_rank": False,
                },
                "name": f"{spec.name}:0",
            }
            for spec in specs.values()
        }

    return {
        "inputs": tensors(graph.inputs),
        "outputs": tensors(graph.outputs),
        "method_name": "tensorflow/serving/predict",
    }
