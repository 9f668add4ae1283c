"""Run a server: open its port, load the models, answer until a signal arrives."""

from __future__ import annotations

import functools
import os
import socket
import sys
import tempfile
from typing import TYPE_CHECKING

from uvicorn import Config, Server
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.auto import AutoHTTPProtocol
from uvicorn.supervisors import Multiprocess

from zoo.common.core.errors import ZooError, check_range
from zoo.common.utils.progress import say
from zoo.serving.app import create_app
from zoo.serving.metrics import DIRECTORY
from zoo.serving.settings import Settings

if TYPE_CHECKING:
    import asyncio

    from starlette.applications import Starlette


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Answer requests until the process is stopped. Requests that have begun are then answered.

    Args:
        settings: the settings.
        host: address of the interface.
        port: number of the port; 0 for a free one.
        workers: number of processes. Each has all models, and limits of its own.

    Raises:
        ZooError: a port is taken, or a preset cannot be loaded.
    """
    listener = open_port(host, port)
    if settings.grpc_port:
        open_port(host, settings.grpc_port).close()
    limits = settings.limits
    config = Config(
        functools.partial(worker_app, settings) if workers > 1 else create_app(settings),
        factory=workers > 1,
        workers=workers,
        http=PatientProtocol,
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=limits.body_bytes,
        limit_concurrency=limits.connections,
        timeout_keep_alive=max(1, int(limits.seconds)),
        timeout_graceful_shutdown=max(1, int(limits.seconds)),
    )
    address = "http://[%s]:%d" if listener.family == socket.AF_INET6 else "http://%s:%d"
    say(f"zoo serve: {address % listener.getsockname()[:2]}")
    if workers == 1:
        Server(config).run(sockets=[listener])
        return
    with tempfile.TemporaryDirectory(prefix="zoo-metrics-") as folder:
        os.environ[DIRECTORY] = folder  # of all workers
        listener.set_inheritable(True)
        supervisor = Multiprocess(config, sockets=[listener])
        supervisor.run()
        if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
            raise ZooError("A worker could not start.")


def worker_app(settings: Settings) -> Starlette:
    """Return the application in a worker. An error ends all workers: a new one would fail too."""
    try:
        return create_app(settings)
    except ZooError as error:
        say(f"zoo: {' '.join(str(error).split())}")
        sys.exit(STARTUP_FAILURE)


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """HTTP whose first request must have its headers within the keep-alive time."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self.loop.call_later(self.timeout_keep_alive, self._close_silent)

    def _close_silent(self) -> None:
        is_own = self.transport.get_protocol() is self  # not a WebSocket
        if is_own and self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to a port.

    Raises:
        ZooError: the port is taken or not permitted, or there is no such address.
    """
    check_range("port", port, at_least=0, at_most=65_535)
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise ZooError(f"The port {port} of {host} cannot be opened: {error.strerror}.") from None
    return listener
