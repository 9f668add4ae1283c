"""Send a request to TensorFlow Serving over REST: python serving_rest.py URL SIGNATURE REQUEST

    python serving_rest.py http://localhost:8501/v1/models/an4 transcribe_wav '{"wav": ["@hello.wav"]}'

The columns of the request are sent as `inputs`, and bytes as {"b64": ...}. The script needs no packages.
"""

import base64
import json
import sys
import urllib.request

from inputs import read_request


def encode(value):
    """Return bytes in the form that TensorFlow Serving reads."""
    return {"b64": base64.b64encode(value).decode()}


body = {"signature_name": sys.argv[2], "inputs": read_request(sys.argv[3])}
content = json.dumps(body, default=encode).encode()
request = urllib.request.Request(f"{sys.argv[1]}:predict", content)
with urllib.request.urlopen(request) as response:
    print(json.dumps(json.load(response)["outputs"], ensure_ascii=False))
