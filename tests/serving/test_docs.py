"""Test the examples of docs/serving.md on a server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving.test_server import ask, server
from tests.serving.test_v2 import free_port

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
CLIP = Path(__file__).parents[2] / "zoo" / "speech" / "samples" / "cen8-fcaw-b.flac"
EXAMPLE = re.compile(r"<!-- example: (\w+) -->\n```\w+\n(.*?)```", re.DOTALL)
COMMANDS = {
    "bash": ["bash", "-euc"],
    "python": [sys.executable, "-c"],
    "javascript": ["node", "--input-type=module", "-e"],
}


@pytest.mark.slow
def test_examples_of_the_page(tmp_path):
    shutil.copy(CLIP, tmp_path / "hello.flac")
    grpc_port, examples = free_port(), EXAMPLE.findall(PAGE.read_text("utf-8"))
    assert {kind for kind, _ in examples} == set(COMMANDS)
    presets = ("speech/bilstm-ctc-an4", "language/charlstm-hello")
    with server(*presets, "--cache", "--grpc-port", grpc_port) as (_, port):
        ask(port, "/v2/health/ready")
        address = {"ADDRESS": f"http://127.0.0.1:{port}", "GRPC": f"127.0.0.1:{grpc_port}"}
        for kind, code in examples:
            if shutil.which(COMMANDS[kind][0]) is None:
                continue
            done = subprocess.run(
                [*COMMANDS[kind], code.replace("curl ", "curl --fail -s ")],
                cwd=tmp_path,
                env=os.environ | address,
                capture_output=True,
                text=True,
                timeout=120,
            )
            assert done.returncode == 0, done.stderr
            words = ("hello", "logits", "tokens INT32 [-1, -1]")
            assert any(word in done.stdout for word in words), done.stdout
