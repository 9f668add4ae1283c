"""RSICD: aerial photographs with captions.

Lu, Wang, Zheng & Li, "Exploring models and data for remote sensing image caption generation" (2017).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import of_split, parse_json_lines, text_field
from zoo.vision_language.captioning.captions import CaptionedImage, captioned_image, join

CAPTIONS_FILE, IMAGES_FOLDER = "captions.jsonl", "images"


def read(folder: Path, split: str) -> list[CaptionedImage]:
    """Return the examples of a split, in the order of its list.

    Args:
        folder: has `captions.jsonl`, one line `{"split", "filename", "captions"}` per image, and the
            files in `images/`.
        split: "train", "test" or another split of the list; "all" for all of them.

    Raises:
        ZooError: the folder has another layout, the split does not exist, or a line of the list is
            invalid.
    """
    check_folder(RSICD.name, folder)
    path = folder / CAPTIONS_FILE

    def parse(row: dict[str, Any]) -> CaptionedImage:
        name = text_field(row, "filename")
        if name != Path(name).name:
            raise ZooError(
                f"'filename' must be the name of a file in {IMAGES_FOLDER}/. Received: {name!r}"
            )
        return captioned_image(name, folder / IMAGES_FOLDER / name, row, text_field(row, "split"))

    return of_split(parse_json_lines(path, parse, join), split, path)


RSICD = Corpus(
    name="rsicd",
    title="RSICD: aerial photographs of 30 kinds of places with up to five captions each",
    licence="none stated; research use",
    source="https://github.com/201528014227051/RSICD_optimal",
    read=read,
)
