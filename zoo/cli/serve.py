"""`zoo serve` answers requests over HTTP, WebSocket and gRPC."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_backend
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.utils.progress import say
from zoo.serving.settings import GRPC_APIS, LOOPBACK, OPEN_INFERENCE, TENSORFLOW, Limits, Settings

EXTRA = "serve"
ENGINES = UVICORN, RAY = "uvicorn", "ray"
PACKAGES = ("starlette", "uvicorn", "websockets", "prometheus_client", "grpc")
LIMITS = {
    "body_megabytes": "maximum size of a request in MB",
    "seconds": "maximum time to receive a request, and to answer it",
    "queue": "maximum number of requests that wait for a model",
    "streams": "maximum number of open streams",
    "connections": "maximum number of open connections",
    "inputs": "maximum number of inputs of a request",
}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    words = (
        "preset by name, run folder, or folder of versions; NAME=PRESET gives it another name in "
        "addresses"
    )
    parser.add_argument("presets", nargs="+", metavar="[NAME=]PRESET|DIR", help=words)
    words = f"address of the interface; default: {LOOPBACK}, this machine only"
    parser.add_argument("--host", default=LOOPBACK, help=words)
    words = "port of HTTP; 0 for a free one; default: 8500"
    parser.add_argument("--port", type=int, default=8500, help=words)
    words = "port of gRPC; default: no gRPC"
    parser.add_argument("--grpc-port", type=int, default=0, metavar="PORT", help=words)
    words = "open-inference (default), or tensorflow for TensorFlow Serving's interface as well"
    parser.add_argument("--grpc-api", choices=GRPC_APIS, default=OPEN_INFERENCE, help=words)
    words = "uvicorn (default), or ray to run replicas on Ray Serve"
    parser.add_argument("--engine", choices=ENGINES, default=UVICORN, help=words)
    words = "number of replicas on Ray Serve; default: 1"
    parser.add_argument("--replicas", type=int, default=1, metavar="INT", help=words)
    words = 'Ray Serve\'s autoscaling_config instead, such as \'{"min_replicas": 1, "max_replicas": 4}\''
    parser.add_argument("--autoscaling", metavar="JSON", help=words.replace("%", "%%"))
    words = "number of processes, each with all models; default: 1"
    parser.add_argument("--workers", type=int, default=1, metavar="INT", help=words)
    words = "write the page with the presets that run in a browser, for any web host, and exit"
    parser.add_argument("--export-page", metavar="DIR", help=words)
    words = "number of threads of ONNX Runtime per model; 0 for one per core; default: 1"
    parser.add_argument("--threads", type=int, default=1, metavar="INT", help=words)
    add_backend(parser)
    words = "export presets to ONNX first, in another process, unless they are exported"
    parser.add_argument("--cache", action="store_true", help=words)
    words = (
        "a default option of a model's decoder, also one that names a file; several may be given"
    )
    parser.add_argument("--set", action="append", metavar="NAME.OPTION=VALUE", help=words)
    words = "maximum number of requests of similar length in a batch; default: 1, one by one"
    parser.add_argument("--batch-size", type=int, default=1, metavar="INT", help=words)
    group = parser.add_argument_group("limits")
    defaults = Limits()
    for field in fields(Limits):
        default = getattr(defaults, field.name)
        group.add_argument(
            "--max-" + field.name.replace("_", "-"),
            type=type(default),
            default=default,
            metavar="NUMBER",
            help=f"{LIMITS[field.name]}; default: {default:g}",
        )


def export(settings: Settings, folder: str) -> None:
    """Write the page as a folder, and print what it contains."""
    from zoo.serving.models import Models
    from zoo.serving.page import export_page

    models = Models(settings)
    left_out = export_page(models, Path(folder))
    models.close()
    if left_out:
        say(f"Left out, because they need the server: {', '.join(left_out)}.")
    print(folder)


@register_verb(
    "serve",
    "answer requests over HTTP, WebSocket and gRPC",
    "zoo serve speech/bilstm-ctc-an4 language/charlstm-shakespeare --port 8500",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.common.core.errors import check_range
    from zoo.common.utils.packages import check_packages

    check_packages(PACKAGES, EXTRA)
    if options.grpc_api == TENSORFLOW:
        check_packages(("tensorflow_serving",), "serving")
    for name in ("workers", "replicas"):
        check_range(name, getattr(options, name), at_least=1, at_most=256)
    if options.engine == RAY and (options.grpc_port or options.workers > 1):
        raise ZooError("--engine ray takes neither --grpc-port nor --workers: use --replicas.")
    autoscaling = _json_object(options.autoscaling) if options.autoscaling else None
    settings = Settings(
        presets=tuple(options.presets),
        backend=options.backend,
        options=_options(options.set or []),
        batch_size=options.batch_size,
        threads=options.threads,
        limits=Limits(**{name: getattr(options, f"max_{name}") for name in LIMITS}),
        host=options.host,
        grpc_port=options.grpc_port,
        grpc_api=options.grpc_api,
    )
    from zoo.serving.cache import export_missing

    if options.cache:
        export_missing(settings)
    if options.export_page:
        export(settings, options.export_page)
        return
    if options.engine == RAY:
        from zoo.serving import replicas

        replicas.serve(settings, options.host, options.port, options.replicas, autoscaling)
    else:
        from zoo.serving.server import serve

        serve(settings, options.host, options.port, options.workers)


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ZooError(f"--autoscaling must be a JSON object. Received: {text[:80]!r}.")
    return found


def _options(given: list[str]) -> dict[str, dict[str, Any]]:
    """Return the options NAME.OPTION=VALUE by name and option.

    Raises:
        ZooError: one has another form.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        name, dot, option = key.rpartition(".")
        if not (equals and dot and name and option):
            raise ZooError(f"--set must be NAME.OPTION=VALUE. Received: {text[:80]!r}.")
        found.setdefault(name, {})[option.replace("-", "_")] = value
    return found
