"""`zoo serve` answers requests over HTTP, WebSocket and gRPC."""

from __future__ import annotations

import argparse

from zoo.cli.arguments import add_backend
from zoo.common.core.verbs import register_verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    words = (
        "preset by name, run folder, or folder of versions; NAME=PRESET gives it another name in "
        "addresses"
    )
    parser.add_argument("presets", nargs="+", metavar="[NAME=]PRESET|DIR", help=words)
    parser.add_argument("--host", default="127.0.0.1", help="address; default: this machine only")
    parser.add_argument(
        "--port", type=int, default=8500, help="port; 0 for a free one; default: 8500"
    )
    add_backend(parser)


@register_verb(
    "serve",
    "answer requests over HTTP, WebSocket and gRPC",
    "zoo serve speech/bilstm-ctc-an4 language/charlstm-shakespeare --port 8500",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.serving.server import serve
    from zoo.serving.settings import Settings

    settings = Settings(tuple(options.presets), options.backend)
    serve(settings, options.host, options.port)
