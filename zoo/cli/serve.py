"""`zoo serve` answers requests over HTTP, WebSocket and gRPC."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.arguments import add_backend
from zoo.common.core.verbs import register_verb
from zoo.common.utils.progress import say

if TYPE_CHECKING:
    from zoo.serving.settings import Settings


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
    parser.add_argument(
        "--export-page",
        metavar="DIR",
        help="write the page with the presets that run in a browser, for any web host, and exit",
    )
    add_backend(parser)


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
    from zoo.serving.server import serve
    from zoo.serving.settings import Settings

    settings = Settings(tuple(options.presets), options.backend)
    if options.export_page:
        export(settings, options.export_page)
        return
    serve(settings, options.host, options.port)
