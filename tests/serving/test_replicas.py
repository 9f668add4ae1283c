"""Test the application on Ray Serve: the same answers, and no request lost when replicas die."""

import asyncio
import http.client
import json
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from zoo.serving.app import create_app
from zoo.serving.replicas import call_app

HEADERS = [(b"content-type", b"application/json")]
BODY = json.dumps({"input": "he", "options": {"length": 3, "sampler": "greedy"}}).encode()
PATH = "/v1/presets/hello/predict"
REQUESTS, CLIENTS, KILLS = 1_000, 32, 5


def test_a_replica_has_the_answers_of_the_application(settings, hello_export):
    app = create_app(type(settings)((f"hello={hello_export}",)))

    async def ask(*request):
        return await call_app(app, request)

    status, _, content = asyncio.run(ask("POST", PATH, b"", HEADERS, BODY))
    assert (status, json.loads(content)["predictions"][0]["output"]) == (200, "hello")
    status, _, content = asyncio.run(ask("POST", PATH, b"lenght=1", HEADERS, BODY))
    assert (status, "Did you mean" in json.loads(content)["error"]) == (400, True)


def replicas() -> list[int]:
    """Return the processes of the replicas of the models, by the name that Ray gives them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "cmdline").read_bytes().split(b"\0")[0]
        except OSError:
            continue
        if re.match(rb"ray::ServeReplica:zoo:models", name):
            found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_no_accepted_request_is_lost_when_replicas_are_killed(hello_export):
    pytest.importorskip("ray.serve")
    port = 8791
    command = [sys.executable, "-m", "zoo", "serve", f"hello={hello_export}", "--port", str(port)]
    # On a busy machine a replica takes long to start again, and both may be down at once.
    command += ["--engine", "ray", "--replicas", "2", "--max-seconds", "600"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ)
    try:
        while "Ray Serve" not in (line := server.stderr.readline()):
            assert line, "the server has ended"
        waiting: queue.Queue[int] = queue.Queue()
        for number in range(REQUESTS):
            waiting.put(number)
        statuses: list[int] = []

        def client() -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
            while True:
                try:
                    waiting.get_nowait()
                except queue.Empty:
                    return
                connection.request("POST", PATH, BODY, {"content-type": "application/json"})
                response = connection.getresponse()
                answer = response.read()
                statuses.append(response.status if b"hello" in answer else -response.status)

        clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for each in clients:
            each.start()
        for kill in range(KILLS):
            while len(statuses) < (kill + 1) * REQUESTS // (KILLS + 2):
                time.sleep(0.01)
            victims = replicas()
            while not victims:
                time.sleep(0.1)
                victims = replicas()
            os.kill(victims[0], signal.SIGKILL)
        for each in clients:
            each.join()
        assert Counter(statuses) == {200: REQUESTS}
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
