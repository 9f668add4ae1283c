"""Streams: speech that is recognized while it arrives, and texts that are sent token by token.

WebSocket /v1/presets/NAME/stream   speech: the messages of Vosk's server; texts: one JSON object
                                    per request, one per token, and one with the whole answer
POST      /v1/presets/NAME/stream   texts: server-sent events
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import numpy as np
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from zoo.api.options import set_options
from zoo.common.core.errors import ZooError
from zoo.common.runtime.preset import check_stream
from zoo.serving import inputs
from zoo.serving.errors import RequestError, status_of
from zoo.serving.http import answer, find_version, limits_of
from zoo.serving.models import Model
from zoo.serving.presets import AUDIO, ROOT, TOKENS, post_routes, read_request, streams_of
from zoo.serving.versions import Version

# Close codes of WebSocket.
NORMAL, INVALID, TRY_LATER = 1000, 1008, 1013
MAX_SECONDS = 3600.0
PCM = np.dtype("<i2")


def routes() -> list[BaseRoute]:
    """Return the routes of streams."""
    path = ROOT + "/{name:path}/stream"
    return [WebSocketRoute(path, _socket), *post_routes("stream", _events)]


@contextmanager
def _place(connection: HTTPConnection) -> Iterator[None]:
    """Take one of the places for streams. Raises `RequestError` if all are taken."""
    state, limit = connection.app.state, limits_of(connection).streams
    if state.streams >= limit:
        raise RequestError(
            HTTPStatus.SERVICE_UNAVAILABLE, f"{limit} streams are open. Try again later."
        )
    state.streams += 1
    state.metrics.streams.set(state.streams)
    try:
        yield
    finally:
        state.streams -= 1
        state.metrics.streams.set(state.streams)


# Speech and texts over WebSocket


async def _socket(socket: WebSocket) -> None:
    """Answer a WebSocket. An error is sent as `{"error": ...}` before the socket is closed."""
    try:
        with _place(socket):
            query = dict(socket.query_params)
            number = query.pop("version", None)
            model, version = find_version(socket, socket.path_params["name"], number)
            kinds = streams_of(version)
            if not kinds:
                check_stream(version.recipe.name, version.recipe)
            await socket.accept()
            run = _speech if AUDIO in kinds else _texts
            async with asyncio.timeout(MAX_SECONDS):
                await run(socket, model, version, query)
            await socket.close(NORMAL)
    except WebSocketDisconnect:
        pass
    except TimeoutError:
        await _end(socket, ZooError("The stream was silent, or open, for too long."))
    except ZooError as error:
        await _end(socket, error)


async def _end(socket: WebSocket, error: ZooError) -> None:
    """Send an error and close: as an HTTP response if the socket is not yet accepted."""
    content = {"error": " ".join(str(error).split())}
    if socket.client_state == WebSocketState.CONNECTING:
        await socket.send_denial_response(answer(content, status_of(error)))
        return
    busy = status_of(error) == HTTPStatus.SERVICE_UNAVAILABLE
    try:
        await socket.send_json(content)
        await socket.close(TRY_LATER if busy else INVALID)
    except (WebSocketDisconnect, RuntimeError):  # the client has closed it
        pass


async def _receive(socket: WebSocket) -> dict[str, Any] | bytes:
    """Return the next message: a JSON object, or bytes."""
    async with asyncio.timeout(limits_of(socket).seconds):
        message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", NORMAL))
    text = message.get("text")
    return (
        message["bytes"] if text is None else inputs.parse_object(text.encode("utf-8", "replace"))
    )


async def _speech(
    socket: WebSocket, model: Model, version: Version, options: dict[str, Any]
) -> None:
    """Recognize signed 16-bit little-endian PCM of one channel.

    The client may first send `{"config": {"sample_rate": 8000}}`, with `endpoints` and options of the
    decoder. It then sends bytes, and `{"eof": 1}` at the end. The server answers each message of bytes
    with `{"text": ..., ...}` for each utterance that has ended, else with `{"partial": ...}`, and the
    end with the answer of the last utterance.
    """
    stream: Any = None
    config: dict[str, Any] = dict(options)
    rest = b""
    while True:
        message = await _receive(socket)
        if isinstance(message, dict) and "config" in message and stream is None:
            config |= _config(message["config"])
            continue
        if stream is None:
            stream = await model.queue.run(_open, model.name, version, config)
        if isinstance(message, bytes):
            rest += message
            whole = len(rest) // PCM.itemsize * PCM.itemsize
            samples = np.frombuffer(rest[:whole], PCM).astype(np.float32) / 2**15
            rest = rest[whole:]
            events = await model.queue.run(stream.accept, samples)
            finals = [event for event in events if event["event"] == "final"]
            for final in finals:
                await socket.send_json({"text": final["output"], **final})
            if not finals:
                await socket.send_json({"partial": stream.partial()})
        elif "eof" in message:
            found = await model.queue.run(stream.finish)
            await socket.send_json({"text": found["output"], **found})
            return
        else:
            raise ZooError('A message must be bytes, {"eof": 1}, or first {"config": {...}}.')


def _config(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ZooError("config must be an object.")
    return given


def _open(name: str, version: Version, config: dict[str, Any]) -> Any:
    options = dict(config)
    rate = options.pop("sample_rate", None)
    if rate is not None:
        try:
            rate = int(rate)
        except (TypeError, ValueError):
            raise ZooError(f"sample_rate must be an integer. Received: {str(rate)[:40]}.") from None
    rules = {"endpoints": options.pop("endpoints")} if "endpoints" in options else {}
    recipe = _recipe(name, version, options)
    data: Any = recipe.data
    predictor = recipe.predictor(version.graphs)
    return data.open_stream(predictor, recipe.task, sample_rate=rate, **rules)


def _recipe(name: str, version: Version, options: dict[str, Any]) -> Any:
    inputs.check_options(name, version.recipe, options)
    return set_options(name, version.recipe, options)


async def _texts(
    socket: WebSocket, model: Model, version: Version, options: dict[str, Any]
) -> None:
    """Answer requests `{"input": ..., "options": {...}}` until the client closes the socket."""
    while True:
        message = await _receive(socket)
        if isinstance(message, bytes):
            raise ZooError("A message must be a JSON object. Received: bytes.")
        asked = inputs.json_request(json.dumps(message).encode(), version.recipe.data, 1)
        async for row in _tokens(model, version, asked, options):
            await socket.send_json(row)


# Texts


async def _tokens(
    model: Model, version: Version, asked: inputs.Request, options: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    """Yield each token as soon as it is generated, and then the answer. Other requests run between."""

    def start() -> Iterator[dict[str, Any]]:
        recipe = _recipe(model.name, version, options | asked.options)
        predictor = recipe.predictor(version.graphs)
        (text,) = asked.inputs
        item = recipe.data.read_input(text, recipe.model)
        task: Any = recipe.task
        return task.iter_answer(predictor, item)

    rows = await model.queue.run(start)
    while (row := await model.queue.run(next, rows, None)) is not None:
        yield row


async def _events(request: Request) -> Response:
    """Answer a request with server-sent events: one for each token, and one with the answer."""
    query = dict(request.query_params)
    model, version = find_version(request, request.path_params["name"], query.pop("version", None))
    if TOKENS not in streams_of(version):
        raise ZooError(f"{model.name} does not generate texts. Speech streams over WebSocket.")
    asked = await read_request(request, version, query)
    if len(asked.inputs) != 1:
        raise ZooError(f"A stream takes one input. Received: {len(asked.inputs)}.")
    rows = _tokens(model, version, asked, {})
    first = await anext(rows)  # errors of the request have a status

    async def events() -> AsyncIterator[bytes]:
        with _place(request):
            yield _event(first)
            try:
                async for row in rows:
                    yield _event(row)
            except ZooError as error:
                yield _event({"error": " ".join(str(error).split())})

    if request.app.state.streams >= limits_of(request).streams:
        with _place(request):  # raises
            pass
    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"cache-control": "no-store"}
    )


def _event(row: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(row, ensure_ascii=False)}\n\n".encode()
