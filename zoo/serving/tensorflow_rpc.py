"""TensorFlow Serving's gRPC interface, `PredictionService`. Its stubs import TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.packages import import_package
from zoo.common.utils.quiet import import_tensorflow
from zoo.serving.graphs import STRING, Graph, TensorSpec, find_graph, graph_names
from zoo.serving.metrics import Metrics
from zoo.serving.models import Models
from zoo.serving.rpc_methods import find, guarded

EXTRA = "serving"
METADATA = "signature_def"


def add_service(server: Any, models: Models, metrics: Metrics) -> None:
    """Add the methods `Predict` and `GetModelMetadata` to a gRPC server.

    Raises:
        ZooError: tensorflow-serving-api is not installed.
    """
    import_tensorflow()
    package = "tensorflow_serving.apis"
    services: Any = import_package(
        f"{package}.prediction_service_pb2_grpc", "tensorflow-serving-api", EXTRA
    )
    import tensorflow as tf
    from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

    async def predict(request: Any, notes: dict[str, Any]) -> Any:
        spec = request.model_spec
        model, version, name = find(models, spec.name, spec.version.value, notes)
        graph = find_graph(version, spec.signature_name or name)
        arrays = {key: _array(key, value) for key, value in request.inputs.items()}
        outputs = await model.queue.run(graph.run, arrays)
        response = predict_pb2.PredictResponse()
        response.model_spec.name, response.model_spec.version.value = model.name, version.number
        response.model_spec.signature_name = graph.name
        for key, value in outputs.items():
            if not request.output_filter or key in request.output_filter:
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return response

    async def metadata(request: Any, notes: dict[str, Any]) -> Any:
        spec = request.model_spec
        model, version, _ = find(models, spec.name, spec.version.value, notes)
        if list(request.metadata_field) != [METADATA]:
            raise ZooError(f"metadata_field must be {METADATA!r}.")
        find_graph(version)  # the version must have one
        found = get_model_metadata_pb2.SignatureDefMap()
        for name in graph_names(version):
            _describe(found.signature_def[name], find_graph(version, name))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name, response.model_spec.version.value = model.name, version.number
        response.metadata[METADATA].Pack(found)
        return response

    servicer = services.PredictionServiceServicer()
    servicer.Predict = guarded(predict, "Predict", metrics)
    servicer.GetModelMetadata = guarded(metadata, "GetModelMetadata", metrics)
    services.add_PredictionServiceServicer_to_server(servicer, server)


def _array(name: str, value: Any) -> np.ndarray:
    import tensorflow as tf

    try:
        return tf.make_ndarray(value)
    except (TypeError, ValueError):
        raise ZooError(f"{name[:80]} is not a valid tensor.") from None


def _describe(definition: Any, graph: Graph) -> None:
    """Fill the SignatureDef of a graph."""
    import tensorflow as tf

    def fill(target: Any, specs: dict[str, TensorSpec]) -> None:
        for spec in specs.values():
            dtype = tf.string if spec.dtype == STRING else tf.as_dtype(spec.dtype)
            target[spec.name].dtype, target[spec.name].name = (
                dtype.as_datatype_enum,
                f"{spec.name}:0",
            )
            for size in spec.shape:
                target[spec.name].tensor_shape.dim.add(size=-1 if isinstance(size, str) else size)

    fill(definition.inputs, graph.inputs)
    fill(definition.outputs, graph.outputs)
    definition.method_name = "tensorflow/serving/predict"
