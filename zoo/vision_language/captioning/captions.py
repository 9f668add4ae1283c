"""Examples of captioning: images with captions, their manifests and dev splits."""

from __future__ import annotations

import os
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import text_field
from zoo.common.data.splits import check_split, draw, separate
from zoo.common.data.tables import parse_rows
from zoo.common.data.text import SPACE, normalize, split_words
from zoo.vision_language.captioning.images import read_image

# Columns or keys of a user's list.
IMAGE, CAPTION, CAPTIONS = "image", "caption", "captions"
# Characters that join letters, such as Persian ones. They are part of a word.
JOINERS = "\u200c\u200d"
_NOT_LETTERS = re.compile(rf"_|(?!{SPACE})\W")


@dataclass(frozen=True)
class CaptionedImage:
    """An image with its captions.

    Args:
        id: name of the image in its corpus.
        image: path of the file.
        captions: one or more captions, each with at least one word.
        split: split of the corpus; empty if the corpus has none.
    """

    id: str
    image: Path
    captions: tuple[str, ...]
    split: str = ""

    def content(self) -> Content:
        """Return the captions and the pixels."""
        return Content(self.captions, (read_image(self.image),))


def words(caption: str) -> list[str]:
    """Return the words of a caption: in NFC and lower case, without punctuation.

    Words have letters, digits, and the marks that belong to them, such as the vowel signs of Hindi.
    """
    return split_words(_NOT_LETTERS.sub(_mark, normalize(caption).lower()))


def _mark(match: re.Match[str]) -> str:
    """Return a character that is not a letter if it is part of a word, else ""."""
    character = match[0]
    is_mark = unicodedata.category(character).startswith("M") or character in JOINERS
    return character if is_mark else ""


def read_manifest(
    path: Path, image_column: str | None = None, caption_column: str | None = None
) -> list[CaptionedImage]:
    """Return the examples of a user's file, in its order.

    Args:
        path: JSON lines, or CSV or TSV with a header. Each row has `image`, a path, absolute or relative
            to the folder of the manifest; `caption`, a text, or in JSON `captions`, a list of texts; and
            optionally `split`. Rows of the same image are joined.
        image_column: column or key of the image; None for `image`.
        caption_column: column or key of the caption; None for `caption` or `captions`.

    Raises:
        ZooError: a line is invalid. The message has the number of the first one and the number of
            others.
    """

    def parse(row: dict[str, Any]) -> CaptionedImage:
        name = text_field(row, image)
        split = text_field(row, "split") if row.get("split") else ""
        return captioned_image(name, path.parent / name, row, split, caption_column)

    image = image_column or IMAGE
    return parse_rows(Path(path), (image, caption_column or CAPTION), parse, join)


def captioned_image(
    id: str, image: Path, row: dict[str, Any], split: str, column: str | None = None
) -> CaptionedImage:
    """Return the example of a row.

    Args:
        id: the id of the example.
        image: path of the image.
        row: has `captions`, a list of texts, or `caption`, a text. Duplicates are removed, and so are
            captions without a word: a few captions of RSICD are only a dot.
        split: the split of the example.
        column: column or key of a caption, or of the list of them, in place of these two.

    Raises:
        ZooError: there is no caption, or the image does not exist.
    """
    key = column or (CAPTIONS if CAPTIONS in row else CAPTION)
    listed = key == CAPTIONS or isinstance(row.get(key), list)
    captions = row[key] if listed else [text_field(row, key)]
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise ZooError(f"{key!r} must be a list of texts. Received: {str(captions)[:80]!r}")
    unique = dict.fromkeys(normalize(caption) for caption in captions if words(caption))
    if not unique:
        raise ZooError("an image must have a caption with at least one word")
    if not os.path.isfile(image):  # unlike Path.is_file, returns False for a name that is too long
        raise ZooError(f"the image {str(image)[:200]!r} does not exist")
    return CaptionedImage(id, image, tuple(unique), split)


def join(first: CaptionedImage, second: CaptionedImage) -> CaptionedImage:
    """Return two examples of the same image as one."""
    return replace(second, captions=tuple(dict.fromkeys(first.captions + second.captions)))


def split_by_caption(
    examples: list[CaptionedImage], fraction: float, seed: int
) -> tuple[list[CaptionedImage], list[CaptionedImage]]:
    """Split examples into `(train, dev)` with no caption in both.

    Near-duplicate images of a corpus often have the same captions. Images that share a caption, directly
    or through other images, are in the same split; in a random split, dev would contain copies of
    training examples. A group larger than a twentieth of dev goes to train, so that dev has many kinds
    of images. A group with an image of a single caption also goes to train if there are other groups,
    because BLEU and CIDEr compare with several captions.

    Args:
        examples: examples with unique ids.
        fraction: float in (0, 1). Approximate share of examples in dev.
        seed: determines the examples in dev.

    Returns:
        Two lists sorted by id. They do not depend on the order of `examples`.

    Raises:
        ZooError: the fraction is outside (0, 1), there are fewer than two examples, or all of them share
            captions.
    """
    examples = check_split(examples, fraction)
    groups = _groups(examples)
    if len(groups) < 2:
        raise ZooError(
            "Two examples without a common caption are needed to split off dev. "
            f"Received: {len(examples)} examples that share captions."
        )

    def rank(group: list[CaptionedImage]) -> tuple[bool, bytes]:
        return any(len(example.captions) < 2 for example in group), draw(group[0].id, seed)

    wanted = fraction * len(examples)
    largest = max(wanted / 20, min(map(len, groups)))
    candidates = [group for group in sorted(groups, key=rank) if len(group) <= largest]
    dev: set[str] = set()
    for group in candidates[: len(groups) - 1]:
        if not dev or len(dev) + len(group) / 2 <= wanted:
            dev.update(example.id for example in group)
    return separate(examples, dev)


def _groups(examples: list[CaptionedImage]) -> list[list[CaptionedImage]]:
    """Return the connected components of the graph in which images with a common caption are linked."""
    parents = list(range(len(examples)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = i = parents[parents[i]]
        return i

    first: dict[tuple[str, ...], int] = {}
    for i, example in enumerate(examples):
        for caption in example.captions:
            parents[root(i)] = root(first.setdefault(tuple(words(caption)), i))
    groups: dict[int, list[CaptionedImage]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(root(i), []).append(example)
    return list(groups.values())
