"""Read lists of video files with their classes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import check_whole, parse_json_lines, text_field


@dataclass(frozen=True)
class VideoClip:
    """A video file with its class.

    Args:
        id: the path in the list.
        label: the class.
        path: the file.
        group: clips of one group are not divided between train and dev; "" without groups.
        split: name of the split; "" without splits.
    """

    id: str
    label: str
    path: Path
    group: str = ""
    split: str = ""

    def content(self) -> Content:
        """Return the class. The pixels of a decoded video depend on the version of the decoder."""
        return Content((self.label,))


def read_clips(path: Path) -> list[VideoClip]:
    """Return the clips of JSON lines with `video`, a path relative to the list's folder, and `label`.

    A line may have `group` and `split`. A part of a video is rejected.

    Raises:
        ZooError: the list is missing, or a line is invalid or names a missing file. The message has the
            number of the line.
    """

    def parse(row: dict[str, Any]) -> VideoClip:
        check_whole(row)
        given = {key: text_field(row, key) for key in ("group", "split") if key in row}
        name = text_field(row, "video")
        file = path.parent / name
        if not os.path.isfile(file):
            raise ZooError(f"the file {name[:200]!r} is missing")
        return VideoClip(name, text_field(row, "label").strip(), file, **given)

    return parse_json_lines(path, parse)
