"""The page in the browser: static files of this package."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).with_name("page")


def routes() -> list[BaseRoute]:
    """Return the route of the page, the last one, if the page is installed."""
    if not FOLDER.is_dir():
        return []
    return [Mount("/", StaticFiles(directory=FOLDER, html=True), name="page")]
