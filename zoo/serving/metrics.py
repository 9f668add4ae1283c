"""Metrics of a server for Prometheus."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from zoo.serving.models import Model

# Upper bounds of the classes of durations, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
# Variable with the folder in which the workers of a server share their metrics.
DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"


class Metrics:
    """The metrics of one process, or of all workers if `DIRECTORY` is set."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ["model", "protocol"]
        summed: dict[str, Any] = {"registry": self._registry, "multiprocess_mode": "livesum"}
        highest: dict[str, Any] = {"registry": self._registry, "multiprocess_mode": "livemax"}
        self._requests = Counter(
            "zoo_requests", "Requests by status.", [*labels, "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "zoo_request_seconds",
            "Time from the first byte of a request to the last of its answer.",
            labels,
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._queued = Gauge("zoo_queue_length", "Requests that run or wait.", ["model"], **summed)
        self._version = Gauge("zoo_model_version", "Highest loaded version.", ["model"], **highest)
        self._errors = Gauge(
            "zoo_model_errors", "Versions that cannot be loaded.", ["model"], **highest
        )
        self.streams = Gauge("zoo_streams", "Open streams.", **summed)

    def observe(self, model: str, protocol: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(model, protocol, status).inc()
        self._seconds.labels(model, protocol).observe(seconds)

    def text(self, models: Iterable[Model]) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        for model in models:
            self._queued.labels(model.name).set(model.queue.length)
            self._version.labels(model.name).set(max(model.versions, default=0))
            self._errors.labels(model.name).set(len(model.errors))
        registry = self._registry
        if DIRECTORY in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)
        return generate_latest(registry)
