"""The Online-Handwritten George Washington dataset: words as pen strokes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import of_split, parse_json_lines, text_field
from zoo.vision_language.handwriting.ink import HandwrittenWord, parse_ink

WORDS_FILE = "words.jsonl.gz"
TEST_PAGES = ("2790279", "3070307", "3090309")


def read_gw_online(folder: Path, split: str) -> list[HandwrittenWord]:
    """Return the words of a split, in the order of the file.

    The three pages `TEST_PAGES` are the split "test", the other fifteen "train". Two files of the
    corpus lack their first line, so that their word is a point such as "162 321 0". They are left out.

    Args:
        folder: contains `words.jsonl.gz`, with a line `{"page", "file", "word", "points"}` for each
            word.
        split: "train", "test" or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus.read`.
    """
    check_folder("gw_online", folder)
    path = folder / WORDS_FILE
    return of_split(parse_json_lines(path, _parse), split, path)


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
)
