"""Test TensorFlow Serving's clients of `examples/deploy` with `zoo serve`, unchanged."""

import json
import subprocess
import sys

import pytest

from tests.deploying import SCRIPTS
from tests.serving.test_server import ask, server
from tests.serving.test_v2 import free_port

REQUEST = {"prompt": ["he"], "length": [3], "temperature": [0.0], "seed": [0]}


@pytest.mark.slow
def test_clients_of_tensorflow_serving(hello_export):
    pytest.importorskip("tensorflow_serving")
    grpc_port = free_port()
    flags = ["--backend", "savedmodel", "--grpc-port", grpc_port, "--grpc-api", "tensorflow"]
    with server(f"hello={hello_export}", *flags) as (_, port):
        ask(port, "/v2/health/ready")

        def run(script, *arguments):
            command = [sys.executable, str(SCRIPTS / script), *arguments, json.dumps(REQUEST)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        address = f"http://127.0.0.1:{port}/v1/models/hello"
        assert run("serving_rest.py", address, "serving_default") == ["hello"]
        address = f"127.0.0.1:{grpc_port}"
        found = run("serving_grpc.py", address, "hello", "serving_default")
        assert found == {"text": ["hello"]}
