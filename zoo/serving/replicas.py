"""The application on Ray Serve: replicas of the models, and an ingress that asks again if one dies."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.utils.packages import import_package
from zoo.common.utils.progress import say
from zoo.serving.settings import Settings

EXTRA = "serve_ray"
NAME = "zoo"
# Time between two attempts, in seconds.
PAUSE = 0.05
# Ray binds its ports to the loopback interface, and waits for its agent on a busy machine.
ENVIRONMENT = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "200",
    "RAY_USAGE_STATS_ENABLED": "0",
}

# Method, path, query, headers and body of a request; status, headers and body of a response.
Headers = list[tuple[bytes, bytes]]
Request = tuple[str, str, bytes, Headers, bytes]
Response = tuple[int, Headers, bytes]


class Replica:
    """The application in a process of Ray, without a port.

    Args:
        settings: the settings.
    """

    def __init__(self, settings: Settings):
        from zoo.serving.app import create_app

        self._app = create_app(settings)
        self._lifespan = self._app.router.lifespan_context(self._app)
        self._started = False

    async def answer(self, request: Request) -> Response:
        """Return the response of the application to a request."""
        if not self._started:
            self._started = True
            await self._lifespan.__aenter__()
        return await call_app(self._app, request)


async def call_app(app: Any, request: Request) -> Response:
    """Return the response of an ASGI application to a request."""
    method, path, query, headers, body = request
    status, sent, content = 500, Headers(), bytearray()
    waiting = [{"type": "http.request", "body": body, "more_body": False}]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": headers,
    }

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status, sent
        if message["type"] == "http.response.start":
            status, sent = message["status"], list(message["headers"])
        else:
            content.extend(message.get("body", b""))

    await app(scope, receive, send)
    return status, sent, bytes(content)


class Ingress:
    """Pass each request to a replica, and to another one if it dies: an answer changes nothing.

    Args:
        replica: the handle of the replicas.
        settings: the settings.
    """

    def __init__(self, replica: Any, settings: Settings):
        self._replica, self._limits = replica, settings.limits

    async def __call__(self, request: Any) -> Any:
        from ray.exceptions import RayActorError
        from ray.serve.exceptions import BackPressureError
        from starlette.responses import Response as HttpResponse

        from zoo.serving.http import answer, on_zoo_error, read_body

        try:
            body = await read_body(request, self._limits)
        except ZooError as error:
            return on_zoo_error(request, error)
        passed = (
            request.method,
            request.url.path,
            request.url.query.encode(),
            request.headers.raw,
            body,
        )
        try:
            async with asyncio.timeout(self._limits.seconds):
                while True:
                    try:
                        status, headers, content = await self._replica.answer.remote(passed)
                        break
                    except RayActorError:
                        await asyncio.sleep(PAUSE)
        except (TimeoutError, BackPressureError):
            return answer(
                {"error": "The models are busy. Try again later."},
                HTTPStatus.SERVICE_UNAVAILABLE,
                {"retry-after": "1"},
            )
        response = HttpResponse(content, status)
        response.raw_headers = headers
        return response


def serve(
    settings: Settings, host: str, port: int, replicas: int, autoscaling: Mapping[str, Any] | None
) -> None:
    """Answer requests until the process is stopped.

    Args:
        settings: the settings. This engine has neither WebSocket nor gRPC, and sends server-sent events
            when the answer is complete.
        host: address of the interface.
        port: number of the port.
        replicas: number of processes with all models.
        autoscaling: Ray Serve's `autoscaling_config` instead of a fixed number.

    Raises:
        ZooError: Ray is not installed.
    """
    start(settings, host, port, replicas, autoscaling)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    say(f"zoo serve: http://{host}:{port}, {replicas} replicas on Ray Serve")
    stopped.wait()
    import ray
    from ray import serve as ray_serve

    ray_serve.shutdown()
    ray.shutdown()


def start(
    settings: Settings, host: str, port: int, replicas: int, autoscaling: Mapping[str, Any] | None
) -> None:
    """Start the application on a new local cluster. Arguments as `serve`."""
    for key, value in ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    import_package("ray.serve", "ray[serve]", EXTRA)
    import ray
    from ray import serve as ray_serve

    ray.init(
        address="local",
        include_dashboard=False,
        log_to_driver=False,
        _node_ip_address="127.0.0.1",
    )
    ray_serve.start(http_options={"host": host, "port": port})
    number: dict[str, Any] = (
        {"autoscaling_config": dict(autoscaling)} if autoscaling else {"num_replicas": replicas}
    )
    limit, shared = settings.limits.queue, {"num_cpus": 0}  # all processes share the cores
    models = ray_serve.deployment(
        name="models",
        max_ongoing_requests=limit,
        max_queued_requests=limit,
        ray_actor_options=shared,
        **number,
    )(Replica)
    ingress = ray_serve.deployment(
        name="ingress",
        max_ongoing_requests=settings.limits.connections,
        ray_actor_options=shared,
    )(Ingress)
    ray_serve.run(ingress.bind(models.bind(settings), settings), name=NAME, route_prefix="/")
