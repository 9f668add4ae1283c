"""Send a request to TensorFlow Serving: python serving_grpc.py HOST:PORT MODEL SIGNATURE REQUEST

    python serving_grpc.py localhost:8500 an4 transcribe_wav '{"wav": ["@hello.wav"]}'

The script needs `pip install tensorflow-serving-api`.
"""

import json
import sys

import grpc
import tensorflow as tf
from inputs import read_request
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

host, model, signature, text = sys.argv[1:]
stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(host))
asked = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
asked.model_spec.name = model
found = get_model_metadata_pb2.SignatureDefMap()
stub.GetModelMetadata(asked).metadata["signature_def"].Unpack(found)
spec = found.signature_def[signature].inputs  # the types of the inputs
request = predict_pb2.PredictRequest()
request.model_spec.name, request.model_spec.signature_name = model, signature
for name, value in read_request(text).items():
    request.inputs[name].CopyFrom(tf.make_tensor_proto(value, spec[name].dtype))
outputs = stub.Predict(request, timeout=60).outputs
answer = {name: tf.make_ndarray(output).tolist() for name, output in outputs.items()}
print(json.dumps(answer, default=bytes.decode, ensure_ascii=False))
