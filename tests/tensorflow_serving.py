"""A replacement of TensorFlow Serving for tests, because no package index has its binary.

It follows the documentation of TensorFlow Serving: `:predict` over REST with columns (`inputs`) or rows
(`instances`) and bytes as {"b64": ...}; `Predict` and `GetModelMetadata` over gRPC with the original
protocol buffers. TensorFlow runs the SavedModel.
"""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import tensorflow as tf

MODEL = "stand_in"


class Model:
    """A SavedModel as TensorFlow Serving loads it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._loaded = tf.saved_model.load(str(folder))

    def predict(self, signature: str, inputs: dict) -> dict[str, np.ndarray]:
        """Return the outputs of a signature. The inputs are converted to its dtypes."""
        function = self._loaded.signatures[signature]
        spec = function.structured_input_signature[1]
        if set(inputs) != set(spec):
            raise ValueError(f"input keys {sorted(inputs)} are not those of the signature")
        tensors = {name: tf.constant(value, spec[name].dtype) for name, value in inputs.items()}
        return {name: output.numpy() for name, output in function(**tensors).items()}


def predict_json(model: Model, body: dict) -> dict:
    """Return the answer of `:predict` over REST, as `serving/api_rest.md` describes it."""
    signature = body.get("signature_name", "serving_default")
    if "inputs" in body:
        outputs = model.predict(signature, _decoded(body["inputs"]))
        return {"outputs": _encoded({name: value.tolist() for name, value in outputs.items()})}
    instances = _decoded(body["instances"])
    names = instances[0].keys()
    columns = {name: [row[name] for row in instances] for name in names}
    outputs = model.predict(signature, columns)
    if any(len(value) != len(instances) for value in outputs.values()):
        raise ValueError("the outputs must have as many rows as the inputs")
    rows = [
        {
            name: value[i].tolist() if value.ndim > 1 else value.tolist()[i]
            for name, value in outputs.items()
        }
        for i in range(len(instances))
    ]
    return {"predictions": _encoded(rows)}


def _decoded(value):
    if isinstance(value, dict) and value.keys() == {"b64"}:
        return base64.b64decode(value["b64"])
    if isinstance(value, dict):
        return {name: _decoded(each) for name, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list) else value


def _encoded(value):
    """Convert bytes to text, as TensorFlow Serving does for outputs without the suffix `_bytes`."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {name: _encoded(each) for name, each in value.items()}
    return [_encoded(each) for each in value] if isinstance(value, list) else value


@contextmanager
def rest_server(model: Model):
    """Yield the address of a REST server for a model."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == f"/v1/models/{MODEL}:predict"
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                status, answer = 200, predict_json(model, body)
            except (ValueError, tf.errors.OpError) as error:
                status, answer = 400, {"error": str(error)}
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/v1/models/{MODEL}"
    server.shutdown()


@contextmanager
def grpc_server(model: Model):
    """Yield the address of a gRPC server for a model."""
    import grpc
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import (
        get_model_metadata_pb2,
        predict_pb2,
        prediction_service_pb2_grpc,
    )

    content = (model.folder / "saved_model.pb").read_bytes()
    signatures = saved_model_pb2.SavedModel.FromString(content).meta_graphs[0].signature_def

    class Servicer(prediction_service_pb2_grpc.PredictionServiceServicer):
        def GetModelMetadata(self, request, context):
            assert list(request.metadata_field) == ["signature_def"]
            found = get_model_metadata_pb2.SignatureDefMap()
            for name, definition in signatures.items():
                found.signature_def[name].CopyFrom(definition)
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.metadata["signature_def"].Pack(found)
            return response

        def Predict(self, request, context):
            assert request.model_spec.name == MODEL
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            response = predict_pb2.PredictResponse()
            for name, value in model.predict(request.model_spec.signature_name, inputs).items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    server = grpc.server(ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Servicer(), server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    yield f"localhost:{port}"
    server.stop(0)
