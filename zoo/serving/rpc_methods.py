"""Common code of the gRPC methods: the model of a request, errors as a status, and a log line."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import grpc

from zoo.common.core.errors import ZooError
from zoo.serving.errors import status_of
from zoo.serving.log import log
from zoo.serving.metrics import Metrics
from zoo.serving.models import Model, Models
from zoo.serving.v2 import split_name
from zoo.serving.versions import Version

CODES = {
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.NOT_IMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT: grpc.StatusCode.DEADLINE_EXCEEDED,
    HTTPStatus.INTERNAL_SERVER_ERROR: grpc.StatusCode.INTERNAL,
}
# Values in the log line of a request besides its method and status.
Notes = dict[str, Any]
# Answers a request, and notes the model and version.
Method = Callable[[Any, Notes], Awaitable[Any]]


def guarded(method: Method, name: str, metrics: Metrics) -> Callable[[Any, Any], Awaitable[Any]]:
    """Return a method whose errors become a status with one line, with a log line per request."""

    async def run(request: Any, context: Any) -> Any:
        notes: Notes = {}
        started, code = time.perf_counter(), grpc.StatusCode.OK
        try:
            return await method(request, notes)
        except ZooError as error:
            code = CODES.get(HTTPStatus(status_of(error)), grpc.StatusCode.INVALID_ARGUMENT)
            await context.abort(code, " ".join(str(error).split()))
        except Exception as error:  # a defect: its details stay on this machine
            code = grpc.StatusCode.INTERNAL
            notes["error"] = f"{type(error).__name__}: {error}"
            await context.abort(code, "Internal error.")
        finally:
            seconds = time.perf_counter() - started
            if "model" in notes:
                metrics.observe(notes["model"], "grpc", code.value[0], seconds)
            log(
                "request",
                method="GRPC",
                path=name,
                status=code.name,
                ms=round(1000 * seconds, 2),
                **notes,
            )

    return run


def find(
    models: Models, name: str, version: str | int | None, notes: Notes
) -> tuple[Model, Version, str | None]:
    """Return a model, a version and the name of a graph, and note them. Raises `RequestError`."""
    short, graph = split_name(models, name)
    model = models[short]
    notes["model"] = model.name
    if isinstance(version, str) and version and not version.isdecimal():
        raise ZooError(f"A version must be a number. Received: {version[:80]!r}.")
    found = model.version(int(version) if version else None)
    notes["version"] = found.number
    return model, found, graph
