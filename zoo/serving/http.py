"""Common code of the HTTP endpoints: bodies with limits, answers, errors, and a log line per request."""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zoo.common.core.errors import ZooError
from zoo.serving.errors import RequestError, status_of
from zoo.serving.log import log
from zoo.serving.metrics import Metrics
from zoo.serving.models import Model, Models
from zoo.serving.settings import Limits
from zoo.serving.versions import Version

# Key of a scope with what the log line of a request has besides path and status.
NOTES = "zoo.notes"
# Maximum number of characters of a path in a log line.
MAX_PATH = 200


def models_of(connection: HTTPConnection) -> Models:
    """Return the models of the server."""
    return connection.app.state.models


def limits_of(connection: HTTPConnection) -> Limits:
    """Return the limits of the server."""
    return connection.app.state.limits


def find_version(
    connection: HTTPConnection, name: str, version: str | None = None
) -> tuple[Model, Version]:
    """Return a model and a version of it, and note both for the log.

    Args:
        connection: the request or WebSocket.
        name: name of the model.
        version: number of the version; None for the newest.

    Raises:
        RequestError: there is no such model or version.
    """
    model = models_of(connection)[name]
    note(connection, model=model.name)
    if version is not None and not version.isdecimal():
        raise RequestError(
            HTTPStatus.NOT_FOUND, f"A version must be a number. Received: {version[:80]!r}."
        )
    found = model.version(None if version is None else int(version[:18]))
    note(connection, version=found.number)
    return model, found


def note(connection: HTTPConnection, **fields: Any) -> None:
    """Add fields to the log line of a request."""
    connection.scope.setdefault(NOTES, {}).update(fields)


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Args:
        request: the request.
        limits: the limits of the server.

    Raises:
        RequestError: the body is too large, or does not arrive in time.
    """
    content = bytearray()
    too_large = RequestError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body must have at most {limits.body_megabytes:g} MB.",
    )
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.body_bytes:
        raise too_large
    try:
        async with asyncio.timeout(limits.seconds):
            async for chunk in request.stream():
                content += chunk
                if len(content) > limits.body_bytes:
                    raise too_large
    except TimeoutError:
        raise RequestError(
            HTTPStatus.REQUEST_TIMEOUT, f"The body did not arrive within {limits.seconds:g} s."
        ) from None
    note(request, received=len(content))
    return bytes(content)


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return JSON. NaN and infinite numbers, which JSON does not have, become null."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(_finite(content), ensure_ascii=False, separators=(",", ":"))
    return Response(text.encode("utf-8", "replace"), status, headers, "application/json")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value


def on_zoo_error(_: Request, error: Exception) -> Response:
    """Return an error that a client can correct as one line of JSON."""
    assert isinstance(error, ZooError)
    status = status_of(error)
    headers = {"retry-after": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or status == HTTPStatus.REQUEST_TIMEOUT:
        headers = {"connection": "close"}  # the rest of the body is not read
    return answer({"error": " ".join(str(error).split())}, status, headers)


def on_http_exception(_: Request, error: Exception) -> Response:
    """Return an error of the router, such as an unknown path, as JSON."""
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def on_disconnect(_: Request, error: Exception) -> Response:
    """Return an answer that nobody reads: the client has closed the connection."""
    return Response(status_code=499)


class Logged:
    """Write a log line and metrics for each request, and answer defects with status 500.

    Args:
        app: the application.
        metrics: counts the requests.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics):
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        started, status, sent, notes = time.perf_counter(), 0, 0, scope.setdefault(NOTES, {})

        async def observed(message: Message) -> None:
            nonlocal status, sent
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                status = message["status"]
            elif kind == "websocket.accept":
                status = 101
            sent += len(message.get("body") or message.get("text") or message.get("bytes") or b"")
            await send(message)

        try:
            await self._app(scope, receive, observed)
        except Exception as error:  # a defect: its details stay on this machine
            notes["error"] = f"{type(error).__name__}: {error}"
            if status:
                raise
            if scope["type"] == "websocket":
                await observed({"type": "websocket.close", "code": 1011})
            else:
                await answer({"error": "Internal error."}, 500)(scope, receive, observed)
        finally:
            seconds = time.perf_counter() - started
            protocol = scope["path"].split("/")[1] or "page"
            if "model" in notes:
                self._metrics.observe(notes["model"], protocol, status, seconds)
            log(
                "request",
                method=scope.get("method", "WEBSOCKET"),
                path=scope["path"][:MAX_PATH],
                status=status,
                ms=round(1000 * seconds, 2),
                sent=sent,
                **notes,
            )


def add_error_handlers(app: Starlette) -> None:
    """Let an application answer errors as one line of JSON."""
    app.add_exception_handler(ZooError, on_zoo_error)
    app.add_exception_handler(HTTPException, on_http_exception)
    app.add_exception_handler(ClientDisconnect, on_disconnect)
