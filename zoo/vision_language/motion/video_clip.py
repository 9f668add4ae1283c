"""Video clips with their classes, and lists of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_json_lines, text_field


@dataclass(frozen=True)
class VideoClip:
    """A video file with its class.

    id: str. Its path as the list gives it.
    transcript: str. The class.
    path: Path. The file.
    group: str. What belongs together, such as cuts of one film; "" where nothing is said.
    split: str. "" where there are no splits.
    """

    id: str
    transcript: str
    path: Path
    group: str = ""
    split: str = ""


def read_clips(path: Path) -> list[VideoClip]:
    """Return the clips of JSON lines with `video`, a path from the list's folder, and `label`.

    Each may have `group` and `split`.

    Raises:
        ZooError: there is no such list, or a line is bad or names a file that is not there, by number.
    """

    def parse(row: dict[str, Any]) -> VideoClip:
        given = {key: text_field(row, key) for key in ("group", "split") if key in row}
        name = text_field(row, "video")
        file = path.parent / name
        if not os.path.isfile(file):
            raise ZooError(f"there is no file {name[:200]!r}")
        return VideoClip(name, text_field(row, "label").strip(), file, **given)

    return parse_json_lines(path, parse)
