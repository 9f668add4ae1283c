"""An answer of TensorFlow Serving by REST: python serving_rest.py URL SIGNATURE REQUEST

    python serving_rest.py http://localhost:8501/v1/models/an4 transcribe_wav '{"wav": ["@hello.wav"]}'

The columns of the request are its `inputs`; bytes go as {"b64": ...}. Nothing but Python is needed.
"""

import base64
import json
import sys
import urllib.request

from inputs import read_request


def encode(value):
    """What JSON cannot hold, for TensorFlow Serving."""
    return {"b64": base64.b64encode(value).decode()}


body = {"signature_name": sys.argv[2], "inputs": read_request(sys.argv[3])}
content = json.dumps(body, default=encode).encode()
request = urllib.request.Request(f"{sys.argv[1]}:predict", content)
with urllib.request.urlopen(request) as response:
    print(json.dumps(json.load(response)["outputs"], ensure_ascii=False))
