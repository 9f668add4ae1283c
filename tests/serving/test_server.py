"""Test the command: a process that serves, and stops."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from zoo.serving.server import open_port


@contextmanager
def server(*arguments):
    """Yield the process of `zoo serve` on a free port, and its address."""
    command = [sys.executable, "-m", "zoo", "serve", *map(str, arguments), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        address = None
        while not address:
            line = process.stderr.readline()
            assert line, "the server has ended"
            address = re.search(r"zoo serve: http://127.0.0.1:(\d+)", line)
        yield process, int(address[1])
    finally:
        process.kill()
        process.communicate()


def ask(port: int, path: str, body: dict | None = None) -> dict:
    """Return the answer of a server, waiting for its start."""
    content = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", content, {"content-type": "application/json"}
    )
    for _ in range(300):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            return json.load(error)
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_a_server_answers_and_ends_gracefully(hello_export):
    with server(f"hello={hello_export}") as (process, port):
        body = {"input": "he", "options": {"length": 3, "sampler": "greedy"}}
        path = "/v1/presets/hello/predict"
        assert ask(port, path, body)["predictions"][0]["output"] == "hello"
        assert "tensorflow" not in Path(f"/proc/{process.pid}/maps").read_text()
        with socket.create_connection(("127.0.0.1", port)) as slow:  # a request that has begun
            content = json.dumps(body).encode()
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(content)}\r\n"
            slow.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + content[:5])
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            slow.sendall(content[5:])
            answer = b""
            while chunk := slow.recv(4096):
                answer += chunk
        assert b"hello" in answer
        assert process.wait(20) == -signal.SIGTERM  # raised again after the last answer


def test_a_taken_port_is_refused(refused, hello_export):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        error = refused("serve", f"hello={hello_export}", "--port", port)
        assert error.startswith(f"zoo: The port {port} of 127.0.0.1 cannot be opened")
        error = refused("serve", f"hello={hello_export}", "--port", 0, "--grpc-port", port)
        assert f"The port {port}" in error


def test_invalid_arguments_are_refused(refused, hello_export, monkeypatch):
    for arguments, words in (
        (["language/charlstm-helo"], "Did you mean"),
        ([hello_export, "--port", "70000"], "port must be"),
        ([hello_export, "--port", "0", "--host", "nowhere.invalid"], "cannot be opened"),
        ([hello_export, "--port", "0", "--set", "length=3"], "NAME.OPTION=VALUE"),
        ([hello_export, "--port", "0", "--set", "hello.lenght=3"], "no option"),
        ([hello_export, "--port", "0", "--backend", "litert"], "Export the preset first"),
        ([hello_export, "--workers", "0"], "workers must be"),
        ([hello_export, "--max-queue", "0"], "queue must be"),
        ([hello_export, "--autoscaling", "x"], "must be a JSON object"),
        ([hello_export, "--engine", "ray", "--workers", "2"], "use --replicas"),
    ):
        assert words in refused("serve", *arguments)
    monkeypatch.setattr("zoo.cli.serve.PACKAGES", ("no_such_package",))
    assert "recurrent-zoo[serve]" in refused("serve", hello_export)


def test_a_port_is_on_the_loopback_interface_unless_stated():
    with open_port("127.0.0.1", 0) as found:
        assert found.getsockname()[0] == "127.0.0.1"


@pytest.mark.slow
def test_workers_share_a_port_and_metrics(hello_export):
    with server(f"hello={hello_export}", "--workers", "2") as (process, port):
        for _ in range(20):
            assert "predictions" in ask(port, "/v1/presets/hello/predict", {"input": "he"})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            text = response.read().decode()
        assert 'zoo_requests_total{model="hello",protocol="v1",status="200"} 20.0' in text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


@pytest.mark.slow
def test_slow_and_silent_clients_do_not_block_others(hello_export):
    with server(f"hello={hello_export}", "--max-seconds", "2") as (_, port):
        ask(port, "/v2/health/ready")
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
        slow = socket.create_connection(("127.0.0.1", port))
        slow.sendall(
            b"POST /v1/presets/hello/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{"
        )
        assert "predictions" in ask(port, "/v1/presets/hello/predict", {"input": "he"})
        slow.settimeout(20)
        assert slow.recv(4096).startswith(b"HTTP/1.1 408")
        for each in silent:
            each.settimeout(20)
            assert each.recv(1) == b""  # closed by the server


@pytest.mark.slow
def test_a_thousand_connections(hello_export):
    with server(f"hello={hello_export}") as (_, port):
        ask(port, "/v2/health/ready")
        held = []
        for _ in range(10):
            held += [socket.create_connection(("127.0.0.1", port)) for _ in range(100)]
            assert "predictions" in ask(port, "/v1/presets/hello/predict", {"input": "he"})
        for each in held:
            each.close()
        assert "predictions" in ask(port, "/v1/presets/hello/predict", {"input": "he"})


@pytest.mark.slow
def test_a_worker_that_cannot_start_ends_the_server(hello_export):
    command = [sys.executable, "-m", "zoo", "serve", f"hello={hello_export}", "--port", "0"]
    command += ["--workers", "2", "--set", "hello.lenght=3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 1
    assert "A worker could not start" in done.stderr
    assert "Traceback" not in done.stderr
