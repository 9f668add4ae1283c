"""The Online-Handwritten George Washington dataset: words as pen strokes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus, Download, check_folder
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import of_split, parse_json_lines, read_lines, text_field
from zoo.vision_language.handwriting.ink import HandwrittenWord, parse_ink

WORDS_FILE = "words.jsonl.gz"
TEST_PAGES = ("2790279", "3070307", "3090309")


def read_gw_online(folder: Path, split: str) -> list[HandwrittenWord]:
    """Return the words of a split, in the order of the file.

    The three pages `TEST_PAGES` are the split "test", the other fifteen "train". Two files of the
    corpus lack their first line, so that their word is a point such as "162 321 0". They are left out.

    Args:
        folder: the corpus as released, a file `<page>/<file>.txt` for each word: its text, then a line
            "x y pen_up" for each point; or `words.jsonl.gz`, with a line `{"page", "file", "word",
            "points"}` for each word.
        split: "train", "test" or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus.read`.
    """
    check_folder("gw_online", folder)
    path = folder / WORDS_FILE
    if not path.exists() and (files := sorted(folder.glob("[0-9]*/*.txt"))):
        return of_split([word for file in files if (word := _read_word(file))], split, folder)
    return of_split(parse_json_lines(path, _parse), split, path)


def _read_word(path: Path) -> HandwrittenWord | None:
    """Return the word of a file of the release; None if it lacks its first line."""
    (_, word), *lines = read_lines(path)
    try:
        points = [[float(number) for number in line.split()] for _, line in lines]
    except ValueError:
        raise ZooError(f'{path}: a point must be a line "x y pen_up".') from None
    row = {"page": path.parent.name, "file": path.name, "word": word.strip(), "points": points}
    return _parse(row)


def _parse(row: dict[str, Any]) -> HandwrittenWord | None:
    page, file, word = (text_field(row, key) for key in ("page", "file", "word"))
    try:
        points = parse_ink(row)
    except ZooError as error:
        raise ZooError(f"{page}/{file}: {error}") from None
    if " " in word:
        return None
    split = "test" if page in TEST_PAGES else "train"
    return HandwrittenWord(f"{page}/{file.removesuffix('.txt')}", word, points, page, split)


GW_ONLINE = Corpus(
    name="gw_online",
    title="Online-Handwritten George Washington: pen strokes of 4389 words by one writer",
    licence="non-commercial research and education",
    source="https://github.com/cwiep/gw-online-dataset",
    read=read_gw_online,
    restricted=True,
    downloads=(
        Download(
            "https://github.com/cwiep/gw-online-dataset/archive/"
            "c2f3e230260933960d7b5fca9b59da9d68f145b4.zip",
            size=4_000_000,  # approximate
            recorded="the repository itself: the address has a commit; no checksum was found",
            members=("[0-9]*/*.txt", "README.md"),
            strip=1,
        ),
    ),
)
