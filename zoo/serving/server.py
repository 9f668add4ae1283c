"""Run a server: open its port, load the models, answer until a signal arrives."""

from __future__ import annotations

import socket
import sys

from zoo.common.core.errors import ZooError
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say
from zoo.serving.settings import Settings

EXTRA = "serve"
PACKAGES = ("starlette", "uvicorn", "websockets", "prometheus_client")
LOOPBACK = "127.0.0.1"


def serve(settings: Settings, host: str = LOOPBACK, port: int = 8500) -> None:
    """Answer requests until the process is stopped.

    Args:
        settings: the settings.
        host: address of the interface.
        port: number of the port; 0 for a free one.

    Raises:
        ZooError: a package is not installed, the port is taken, or a preset cannot be loaded.
    """
    check_packages(PACKAGES, EXTRA)
    listener = open_port(host, port)
    import uvicorn

    from zoo.serving.app import create_app

    app, limits = create_app(settings), settings.limits
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws_max_size=limits.body_bytes,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=int(limits.seconds) or 1,
    )
    server = uvicorn.Server(config)
    address = "[%s]:%d" if listener.family == socket.AF_INET6 else "%s:%d"
    say(f"zoo serve: http://{address % listener.getsockname()[:2]}")
    server.run(sockets=[listener])


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to a port.

    Raises:
        ZooError: the port is taken or not permitted, or there is no such address.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ZooError(f"The port {port} of {host} cannot be opened: {reason}.") from None
    return listener
