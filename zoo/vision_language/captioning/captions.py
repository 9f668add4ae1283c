"""Images with captions: what an example is, lists of them, and dev splits without copies."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_json_lines, text_field
from zoo.common.data.splits import check_split, draw, separate


@dataclass(frozen=True)
class CaptionedImage:
    """An image with its captions.

    id: str. The image's name in its corpus.
    image: Path. The file.
    captions: tuple of str. One or more, each with a word in it.
    split: str. The corpus's own; empty where it has none.
    """

    id: str
    image: Path
    captions: tuple[str, ...]
    split: str = ""


def words(caption: str) -> list[str]:
    """Return the words of a caption: lower case, without punctuation, split at white space."""
    return re.sub(r"[^\w\s]|_", "", caption.lower()).split()


def read_manifest(path: Path) -> list[CaptionedImage]:
    """Return the examples of a user's own file, in its order.

    Args:
        path: JSON lines, each an object with `image`, a path that starts at the manifest's folder
            unless it is absolute, and `caption`, a text, or `captions`, a list of them; `split` if it
            has any. Lines of one image are joined.

    Raises:
        ZooError: the number of the first bad line, what is wrong with it and how many more are bad.
    """

    def parse(row: dict[str, Any]) -> CaptionedImage:
        name = text_field(row, "image")
        split = text_field(row, "split") if "split" in row else ""
        return captioned_image(name, path.parent / name, row, split)

    return parse_json_lines(path, parse, join)


def captioned_image(id: str, image: Path, row: dict[str, Any], split: str) -> CaptionedImage:
    """Return the example of a JSON line.

    Args:
        row: with `captions`, a list of texts, or `caption`, a text. Each caption is taken once, and
            not at all where it has no word: a few of RSICD's are a dot alone.

    Raises:
        ZooError: it has no caption, or there is no such image.
    """
    captions = row["captions"] if "captions" in row else [text_field(row, "caption")]
    if not isinstance(captions, list) or not all(isinstance(text, str) for text in captions):
        raise ZooError(f"'captions' must be a list of texts. Received: {str(captions)[:80]!r}")
    captions = dict.fromkeys(caption for caption in captions if words(caption))
    if not captions:
        raise ZooError("an image must have a caption with a word in it")
    if not os.path.isfile(image):  # unlike Path.is_file, not an error for a name too long
        raise ZooError(f"there is no image {str(image)[:200]!r}")
    return CaptionedImage(id, image, tuple(captions), split)


def join(first: CaptionedImage, second: CaptionedImage) -> CaptionedImage:
    """Return one example of two of the same image."""
    return replace(second, captions=tuple(dict.fromkeys(first.captions + second.captions)))


def split_by_caption(
    examples: list[CaptionedImage], fraction: float, seed: int
) -> tuple[list[CaptionedImage], list[CaptionedImage]]:
    """Split examples in two, `(train, dev)`, with no caption in both.

    In a corpus, images that are nearly the same often have the same captions. Images that share a
    caption, directly or through others, go to one side together; with a split at random, dev would
    have copies of what was learnt. A group over a twentieth of dev goes to train, or dev would be of
    one kind. So does, while there are others, a group with an image of a single caption: BLEU and
    CIDEr compare with several.

    Args:
        fraction: float in (0, 1). The share of examples meant for dev.
        seed: which ones those are.

    Returns:
        Two lists sorted by id; neither depends on the order of `examples`.

    Raises:
        ZooError: a fraction outside (0, 1), fewer than two examples, or all of them share captions.
    """
    examples = check_split(examples, fraction)
    groups = _groups(examples)
    if len(groups) < 2:
        raise ZooError(
            "Two examples without a common caption are needed to split off dev. "
            f"Received: {len(examples)} that share captions."
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
    """Examples that share captions, together: the connected parts of the graph of shared captions."""
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
