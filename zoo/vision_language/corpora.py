"""Corpora of captioned images: where they come from, how they are read and how dev is cut."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.errors import ZooError
from zoo.common.registry import Corpus

RSICD = Corpus(
    name="rsicd",
    title="RSICD: aerial photographs of 30 kinds of places with up to five captions each",
    licence="none stated; research use",
    source="https://github.com/201528014227051/RSICD_optimal",
)

CAPTIONS_FILE, IMAGES_FOLDER = "captions.jsonl", "images"


@dataclass(frozen=True)
class Example:
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
    """The words of a caption: lower case, without punctuation, parted by white space."""
    return re.sub(r"[^\w\s]|_", "", caption.lower()).split()


def read_rsicd(folder: Path, split: str) -> list[Example]:
    """The examples of a split of RSICD, in the order of its list.

    folder: holds `captions.jsonl`, a line `{"split", "filename", "captions"}` for each image, and
        `images/`, where the files are.
    split: "train", "test" or another name of the list; "all" for every one.

    Raises `ZooError` for a folder that is not so laid out, a split that is not there, and for the
    first bad line of the list, by number.
    """
    if not folder.is_dir():
        raise ZooError(f"{folder}: no such folder; the corpus {RSICD.name!r} is looked for there.")
    path = folder / CAPTIONS_FILE

    def parse(row: dict[str, Any]) -> Example:
        name = _text(row, "filename")
        if name != Path(name).name:
            raise ValueError(f"'filename' is a name in {IMAGES_FOLDER}/. Received: {name!r}")
        image = folder / IMAGES_FOLDER / name
        return Example(name, image, _captions(row), _text(row, "split"))

    return _of_split(_read(path, parse), split, path)


def read_manifest(path: Path, split: str) -> list[Example]:
    """Examples listed in a file of one's own, in its order.

    path: JSON lines, each an object with `image`, a path that starts at the manifest's folder unless
        it is absolute, and `caption`, a text, or `captions`, a list of them; `split` if it has any.
        Lines of one image are joined.

    Raises `ZooError` naming the file, the number of the first bad line, what is wrong with it and how
    many more are bad.
    """

    def parse(row: dict[str, Any]) -> Example:
        name = _text(row, "image")
        split = _text(row, "split") if "split" in row else ""
        return Example(name, path.parent / name, _captions(row), split)

    return _of_split(_read(path, parse), split, path)


def cut_by_caption(
    examples: Iterable[Example], fraction: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Cut examples in two, `(train, dev)`, with no caption in both.

    fraction: float in (0, 1). The share of examples meant for dev.
    seed: int. Which ones those are.

    Whoever captioned a corpus wrote the same words under images that are nearly the same. Images that
    share a caption, directly or through others, go to one side together; a cut at random would put
    copies of what was learnt into dev. A group so large that it would be over a twentieth of dev goes
    to train, or dev would be of one kind; so does, while there are others, one with an image of a
    single caption: BLEU and CIDEr judge by several. Neither side depends on the order of `examples`,
    and both are sorted by id.

    Raises `ZooError` for a fraction outside (0, 1), fewer than two examples, and where all of them
    hang together.
    """
    examples = sorted(examples, key=lambda example: example.id)
    if not 0 < fraction < 1:
        raise ZooError(f"A dev fraction lies between 0 and 1. Received: {fraction}.")
    groups = _groups(examples)
    if len(groups) < 2:
        raise ZooError(
            "Two examples without a caption in common are needed to cut a dev split. "
            f"Received: {len(examples)}."
        )

    def rank(group):
        # A hash, not a generator's shuffle: the same groups on every version of every library.
        drawn = hashlib.sha256(f"{seed}:{group[0].id}".encode()).digest()
        return any(len(example.captions) < 2 for example in group), drawn

    order = sorted(groups, key=rank)
    wanted = fraction * len(examples)
    largest = max(wanted / 20, min(map(len, groups)))
    dev: set[str] = set()
    for group in [group for group in order if len(group) <= largest][: len(groups) - 1]:
        if not dev or len(dev) + len(group) / 2 <= wanted:
            dev.update(example.id for example in group)
    return (
        [example for example in examples if example.id not in dev],
        [example for example in examples if example.id in dev],
    )


def checksum(examples: Iterable[Example]) -> str:
    """SHA-256, in hex, of ids, captions and sizes of image files, in whatever order."""
    rows = sorted((e.id, e.captions, e.image.stat().st_size) for e in examples)
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _groups(examples: list[Example]) -> list[list[Example]]:
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
    groups: dict[int, list[Example]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(root(i), []).append(example)
    return list(groups.values())


def _of_split(examples: list[Example], split: str, path: Path) -> list[Example]:
    chosen = [example for example in examples if split in ("all", example.split)]
    if not chosen:
        there = ", ".join(map(repr, [*sorted({e.split for e in examples if e.split}), "all"]))
        raise ZooError(f"{path}: no such split. There are: {there}. Received: {split!r}.")
    return chosen


def _read(path: Path, parse: Callable[[dict[str, Any]], Example]) -> list[Example]:
    """The examples of a file of JSON lines; lines of one image are joined."""
    examples: dict[str, Example] = {}
    bad: list[str] = []
    for number, line in _lines(path):
        try:
            row = json.loads(line)
            if not isinstance(row, dict):
                raise ValueError(f"a line is a JSON object. Received: {line[:80]!r}")
            example = parse(row)
            if not example.image.is_file():
                raise ValueError(f"there is no image {str(example.image)!r}")
        except json.JSONDecodeError as error:
            bad.append(f"line {number}: no JSON: {error.msg}. Received: {line[:80]!r}")
        except (ValueError, OSError, RecursionError) as error:
            bad.append(f"line {number}: {error}")
        else:
            before = examples.get(example.id, example).captions
            captions = dict.fromkeys(before + example.captions)
            examples[example.id] = Example(
                example.id, example.image, tuple(captions), example.split
            )
    if bad:
        more = f" ({len(bad) - 1} more bad lines)" if len(bad) > 1 else ""
        raise ZooError(f"{path}, {bad[0]}.{more}")
    return list(examples.values())


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a UTF-8 file that are not blank, each with its number."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ZooError(f"{path}: cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{path}: not UTF-8 at byte {error.start}.") from None
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise ZooError(f"{path}: empty: at least one captioned image is needed.")
    return lines


def _text(row: dict[str, Any], key: str) -> str:
    if key not in row:
        raise ValueError(f"{key!r} is missing")
    if not isinstance(row[key], str) or not row[key]:
        raise ValueError(f"{key!r} is a text. Received: {row[key]!r}")
    return row[key]


def _captions(row: dict[str, Any]) -> tuple[str, ...]:
    captions = row["captions"] if "captions" in row else [_text(row, "caption")]
    if not isinstance(captions, list) or not captions:
        raise ValueError(f"'captions' is a list of texts. Received: {captions!r}")
    for caption in captions:
        if not isinstance(caption, str):
            raise ValueError(f"a caption is a text. Received: {caption!r}")
    told = tuple(
        caption for caption in captions if words(caption)
    )  # RSICD has a few of a dot alone
    if not told:
        raise ValueError(f"an image has a caption with a word in it. Received: {captions!r}")
    return told
