"""Served models for the tests: a generator of text, a recognizer and a forecaster."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import zoo
from zoo.serving.app import create_app
from zoo.serving.settings import Limits, Settings

HELLO = "language/charlstm-hello"
SPEECH = "speech/lstm-ctc-phoneme-an4"
LASER = "timeseries/ar-laser"


@pytest.fixture(scope="session")
def hello_export(tmp_path_factory) -> Path:
    """Return the ONNX export of a small language model: a folder that needs no other file."""
    folder = tmp_path_factory.mktemp("exports") / "hello"
    zoo.export(HELLO, "onnx", folder)
    return folder


@pytest.fixture(scope="session")
def hello_savedmodel(hello_export, tmp_path_factory) -> Path:
    """Return exports of the language model: ONNX and a SavedModel, which takes seconds to write."""
    folder = shutil.copytree(hello_export, tmp_path_factory.mktemp("exports") / "savedmodel")
    zoo.export(HELLO, "savedmodel", folder)
    return folder


def error_of(response, status: int) -> str:
    """Return the error of a response, which must be one line without a path or a stack trace."""
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    error = response.json()["error"]
    assert "\n" not in error
    assert "Traceback" not in error
    assert "/tmp" not in error
    return error


@pytest.fixture(scope="session")
def settings(hello_export) -> Settings:
    """Return the settings of a server with three models."""
    presets = (f"hello={hello_export}", f"speech={SPEECH}", f"laser={LASER}")
    return Settings(presets, limits=Limits(body_megabytes=1, seconds=20, queue=8, streams=2))


@pytest.fixture(scope="session")
def client(settings):
    """Return a client of a server with three models."""
    # A search for versions in the background would log into the output of other tests.
    app = create_app(replace(settings, poll_seconds=86_400))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def serve(settings):
    """Return a function that returns a client of a server with other settings or limits."""
    clients = []

    def start(limits=None, **changed) -> TestClient:
        limits = replace(settings.limits, **(limits or {}))
        app = create_app(replace(settings, limits=limits, **changed))
        clients.append(TestClient(app, raise_server_exceptions=False).__enter__())
        return clients[-1]

    yield start
    for client in clients:
        client.__exit__()
