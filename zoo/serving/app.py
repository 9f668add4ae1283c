"""The application: all endpoints of a server over HTTP and WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from zoo.serving import openapi, page, presets, streams, v1, v2
from zoo.serving.http import Logged, add_error_handlers
from zoo.serving.metrics import Metrics
from zoo.serving.models import Models
from zoo.serving.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Return the application of a server.

    Args:
        settings: the settings.

    Raises:
        ZooError: a preset cannot be loaded. See `Models`.
    """
    loaded, metrics = Models(settings), Metrics()

    async def show_metrics(_: Request) -> Response:
        return Response(metrics.text(loaded), media_type=CONTENT_TYPE_LATEST)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        watcher, rpc = asyncio.create_task(loaded.watch()), None
        if settings.grpc_port:
            from zoo.serving.rpc import start_server

            rpc = await start_server(settings, loaded, metrics)
        yield
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
        if rpc:
            await rpc.stop(settings.limits.seconds)
        loaded.close()

    app = Starlette(
        routes=[
            Route("/metrics", show_metrics),
            *openapi.routes(),
            *streams.routes(),
            *page.routes(),
            *presets.routes(),
            *v1.routes(),
            *v2.routes(),
            *page.file_routes(),
        ],
        middleware=[Middleware(Logged, metrics=metrics)],
        lifespan=lifespan,
    )
    app.state.models, app.state.limits, app.state.metrics = loaded, settings.limits, metrics
    app.state.streams = 0  # number of open streams
    add_error_handlers(app)
    return app
