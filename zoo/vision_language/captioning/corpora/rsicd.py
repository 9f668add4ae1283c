"""RSICD: aerial photographs with captions.

Lu, Wang, Zheng & Li, "Exploring models and data for remote sensing image caption generation" (2017).
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import of_split, parse_json_lines, read_file, text_field
from zoo.vision_language.captioning.captions import CaptionedImage, captioned_image, join

CAPTIONS_FILE, IMAGES_FOLDER = "captions.jsonl", "images"
RELEASED_CAPTIONS, RELEASED_IMAGES = "dataset_rsicd.json", "RSICD_images"


def read(folder: Path, split: str) -> list[CaptionedImage]:
    """Return the examples of a split, in the order of its list.

    Args:
        folder: the corpus as released, `dataset_rsicd.json` and the files in `RSICD_images/`; or
            `captions.jsonl`, one line `{"split", "filename", "captions"}` per image, and the files in
            `images/`.
        split: "train", "test" or another split of the list; "all" for all of them.

    Raises:
        ZooError: the folder has another layout, the split does not exist, or a line of the list is
            invalid.
    """
    check_folder(RSICD.name, folder)
    path, released = folder / CAPTIONS_FILE, folder / RELEASED_CAPTIONS
    if not path.exists() and released.exists():
        images = folder / RELEASED_IMAGES
        return of_split([_captioned(images, row) for row in _rows(released)], split, released)
    parse = partial(_captioned, folder / IMAGES_FOLDER)
    return of_split(parse_json_lines(path, parse, join), split, path)


def _captioned(images: Path, row: dict[str, Any]) -> CaptionedImage:
    name = text_field(row, "filename")
    if name != Path(name).name:
        raise ZooError(
            f"'filename' must be the name of a file in {images.name}/. Received: {name!r}"
        )
    return captioned_image(name, images / name, row, text_field(row, "split"))


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the images of the released list as `{"split", "filename", "captions"}`."""
    try:
        return [
            {
                "split": image["split"],
                "filename": image["filename"],
                "captions": [sentence["raw"] for sentence in image["sentences"]],
            }
            for image in json.loads(read_file(path))["images"]
        ]
    except ZooError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ZooError(f"{path} is not the list of the release: {error!r}.") from None


RSICD = Corpus(
    name="rsicd",
    title="RSICD: aerial photographs of 30 kinds of places with up to five captions each",
    licence="none stated; research use",
    source="https://github.com/201528014227051/RSICD_optimal",
    read=read,
    restricted=True,
    instructions=(
        "The authors publish RSICD through Google Drive and Baidu, see "
        "https://github.com/201528014227051/RSICD_optimal. Put dataset_rsicd.json and the folder "
        "RSICD_images with the JPEG files there."
    ),
)
