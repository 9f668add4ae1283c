"""Run a signature of a SavedModel with TensorFlow: python saved_model.py EXPORT SIGNATURE REQUEST

python saved_model.py exported/1 transcribe_wav '{"wav": ["@hello.wav"]}'
"""

import json
import sys

import tensorflow as tf
from inputs import read_request

loaded = tf.saved_model.load(sys.argv[1])
answer = loaded.signatures[sys.argv[2]]
spec = answer.structured_input_signature[1]
inputs = {n: tf.constant(v, spec[n].dtype) for n, v in read_request(sys.argv[3]).items()}
outputs = {name: output.numpy().tolist() for name, output in answer(**inputs).items()}
print(json.dumps(outputs, default=bytes.decode, ensure_ascii=False))
