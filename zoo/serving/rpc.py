"""The gRPC server: the Open Inference Protocol, and on request TensorFlow Serving's interface."""

from __future__ import annotations

from typing import Any

import grpc
import numpy as np

from zoo.common.core.errors import ZooError, nearest
from zoo.serving import v2_tensors as tensors
from zoo.serving.graphs import Graph, find_graph
from zoo.serving.metrics import Metrics
from zoo.serving.models import Model, Models
from zoo.serving.open_inference import METHODS, SERVICE, messages
from zoo.serving.rpc_methods import Method, Notes, find, guarded
from zoo.serving.settings import TENSORFLOW, Settings
from zoo.serving.v2 import model_metadata, server_metadata

# The field with the values of a datatype, for tensors that are not raw bytes.
CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}


async def start_server(settings: Settings, models: Models, metrics: Metrics) -> grpc.aio.Server:
    """Start the gRPC server of the settings, and return it.

    Args:
        settings: the settings.
        models: the models.
        metrics: counts the requests.

    Raises:
        ZooError: the port cannot be opened, or a package is not installed.
    """
    limits = settings.limits
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", limits.body_bytes),
            ("grpc.max_send_message_length", -1),
        ],
        maximum_concurrent_rpcs=limits.connections,
    )
    known = messages()
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            guarded(method, name, metrics),
            request_deserializer=known[f"{name}Request"].FromString,
            response_serializer=known[f"{name}Response"].SerializeToString,
        )
        for name, method in zip(METHODS, OpenInference(models).methods(), strict=True)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if settings.grpc_api == TENSORFLOW:
        from zoo.serving.tensorflow_rpc import add_service

        add_service(server, models, metrics)
    try:
        server.add_insecure_port(f"{settings.host}:{settings.grpc_port}")
    except RuntimeError:
        raise ZooError(
            f"The port {settings.grpc_port} of {settings.host} cannot be opened."
        ) from None
    await server.start()
    return server


class OpenInference:
    """The methods of the Open Inference Protocol.

    Args:
        models: the models.
    """

    def __init__(self, models: Models):
        self._models = models

    def methods(self) -> list[Method]:
        """Return the methods in the order of `METHODS`."""
        return [self._live, self._ready, self._server, self._model_ready, self._model, self._infer]

    async def _live(self, request: Any, notes: Notes) -> Any:
        return messages()["ServerLiveResponse"](live=True)

    async def _ready(self, request: Any, notes: Notes) -> Any:
        return messages()["ServerReadyResponse"](ready=True)

    async def _server(self, request: Any, notes: Notes) -> Any:
        return messages()["ServerMetadataResponse"](**server_metadata())

    async def _model_ready(self, request: Any, notes: Notes) -> Any:
        find(self._models, request.name, request.version, notes)
        return messages()["ModelReadyResponse"](ready=True)

    async def _model(self, request: Any, notes: Notes) -> Any:
        model, version, name = find(self._models, request.name, request.version, notes)
        found = model_metadata(model, find_graph(version, name))
        return messages()["ModelMetadataResponse"](**found)

    async def _infer(self, request: Any, notes: Notes) -> Any:
        model, version, name = find(self._models, request.model_name, request.model_version, notes)
        graph = find_graph(version, name)
        wanted = [each.name for each in request.outputs] or list(graph.outputs)
        for each in wanted:
            if each not in graph.outputs:
                hint = nearest(each[:80], graph.outputs)
                raise ZooError(f"{graph.name} has no output {each[:80]!r}. {hint}")
        outputs = await model.queue.run(graph.run, _inputs(request))
        return _response(request, model, graph, {each: outputs[each] for each in wanted})


def _inputs(request: Any) -> dict[str, np.ndarray]:
    raw = list(request.raw_input_contents)
    if raw and len(raw) != len(request.inputs):
        raise ZooError(
            f"raw_input_contents must have one element per input. Received: {len(raw)} of "
            f"{len(request.inputs)}."
        )
    found = {}
    for i, each in enumerate(request.inputs):
        name, shape = each.name[:80], list(each.shape)
        if raw:
            found[each.name] = tensors.from_bytes(name, each.datatype, shape, raw[i])
        else:
            field = CONTENTS.get(each.datatype)
            values = list(getattr(each.contents, field)) if field else []
            found[each.name] = tensors.from_values(name, each.datatype, shape, values)
    return found


def _response(request: Any, model: Model, graph: Graph, outputs: dict[str, np.ndarray]) -> Any:
    response = messages()["ModelInferResponse"](
        model_name=model.name, model_version=str(graph.version.number), id=request.id
    )
    for name, array in outputs.items():
        response.outputs.add(name=name, datatype=tensors.datatype_of(array), shape=array.shape)
        response.raw_output_contents.append(tensors.to_bytes(array))
    return response
