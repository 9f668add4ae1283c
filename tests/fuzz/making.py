"""Define kinds with one file, and write small valid files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.fuzz.kinds import Kind
from zoo.common.core.registry import entry

AN4 = Path(__file__).parents[1] / "data" / "an4"
CLIP = AN4 / "test" / "fcaw" / "an409-fcaw-b.flac"


def write_text(text: str, path: Path) -> None:
    path.write_text(text, "utf-8")


def json_lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def of(read: Callable[[Path], Any], name: str) -> Callable[[Path], Any]:
    """Return a function that applies `read` to the file of a name in a folder."""
    return lambda folder: read(folder / name)


def kind(name: str, file: str, make: Callable[[Path], Any], read: Callable[[Path], Any], **more):
    """Return a kind with one file. Its path is the argument of `make` and `read`."""
    return Kind(name, lambda folder: make(folder / file), file, of(read, file), **more)


def manifest(recipe: str) -> Callable[[Path], Any]:
    """Return the function by which a recipe reads a list of examples."""
    return lambda path: entry(recipe).recipe().data.read_manifest(path)


def picture(path: Path) -> None:
    y, x = np.mgrid[:40, :60]
    pixels = np.stack([4 * x, 6 * y, 200 - 2 * x - y], axis=2).astype(np.uint8)
    image = Image.fromarray(pixels)
    image.save(path, **({"compression": "tiff_lzw"} if path.suffix == ".tiff" else {}))
