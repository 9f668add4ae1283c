"""Settings of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zoo.common.core.errors import ZooError, check_choice, check_range

MEGABYTE = 2**20
LOOPBACK = "127.0.0.1"
# Interfaces of gRPC. The second adds that of TensorFlow Serving, whose stubs import TensorFlow.
GRPC_APIS = OPEN_INFERENCE, TENSORFLOW = "open-inference", "tensorflow"


@dataclass(frozen=True)
class Limits:
    """Limits of one client, and of all clients together.

    Args:
        body_megabytes: maximum size of the body of a request.
        seconds: maximum time to receive a request, and maximum time to answer it.
        queue: maximum number of requests that wait for a model.
        streams: maximum number of open streams.
        connections: maximum number of open connections.
        inputs: maximum number of inputs of a request.
    """

    body_megabytes: float = 64.0
    seconds: float = 60.0
    queue: int = 64
    streams: int = 32
    connections: int = 2_000
    inputs: int = 128

    def __post_init__(self):
        check_range("body_megabytes", self.body_megabytes, above=0, at_most=4_096)
        check_range("seconds", self.seconds, above=0, at_most=86_400)
        for name in ("queue", "streams", "connections", "inputs"):
            check_range(name, getattr(self, name), at_least=1, at_most=1_000_000)

    @property
    def body_bytes(self) -> int:
        """The maximum size of a body in bytes."""
        return int(self.body_megabytes * MEGABYTE)


@dataclass(frozen=True)
class Settings:
    """The models of a server, and how they run.

    Args:
        presets: presets by name, run folders, or folders of versions, each as PRESET or NAME=PRESET.
        backend: the runtime of all models; "auto" is a valid ONNX export, else the library of the model.
        options: default options of a model's decoder, by the name of the model and of the option.
        batch_size: maximum number of requests in a batch; 1 runs requests one by one.
        threads: number of threads of ONNX Runtime per model; 0 for one per core.
        poll_seconds: time between two searches for new versions.
        limits: the limits.
        host: address of the interface of gRPC.
        grpc_port: port of gRPC; 0 for no gRPC.
        grpc_api: one of `GRPC_APIS`.
    """

    presets: tuple[str, ...]
    backend: str = "auto"
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    batch_size: int = 1
    threads: int = 1
    poll_seconds: float = 2.0
    limits: Limits = field(default_factory=Limits)
    host: str = LOOPBACK
    grpc_port: int = 0
    grpc_api: str = OPEN_INFERENCE

    def __post_init__(self):
        if not self.presets:
            raise ZooError("zoo serve needs at least one preset.")
        check_range("batch_size", self.batch_size, at_least=1, at_most=1_024)
        check_range("threads", self.threads, at_least=0, at_most=1_024)
        check_choice("grpc_api", self.grpc_api, GRPC_APIS)
        check_range("poll_seconds", self.poll_seconds, above=0, at_most=86_400)
