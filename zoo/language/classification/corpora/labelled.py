"""Texts with labels: the user's own lists of them, as TSV, CSV or JSON lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_json_lines, parse_table, read_lines, text_field

COLUMNS = ("text", "label")


@dataclass(frozen=True)
class LabelledSentence:
    """A text and what it is.

    id: str. The file's name, or the split, and the text's number in it.
    text: str. As it was written.
    transcript: str. The name of its class.
    split: str. None where the text belongs to none.
    """

    id: str
    text: str
    transcript: str
    split: str | None = None


def read_manifest(path: Path) -> list[LabelledSentence]:
    """Return the texts listed in one file, in its order.

    Args:
        path: UTF-8 text of one of three kinds, told by content: CSV or TSV with a header that has the
            columns `text` and `label`; JSON lines, each an object with these keys, the label a text or
            a whole number. `split` is read too; other columns are ignored.

    Raises:
        ZooError: the file, the number of the first bad line, what is wrong with it (a missing column or
            key, an empty text or label, invalid JSON), and how many more are bad.
    """
    path, read = Path(path), 0

    def parse(row: dict[str, Any]) -> LabelledSentence:
        nonlocal read
        read += 1
        label, split = row.get("label"), row.get("split")
        if isinstance(label, int) and not isinstance(label, bool):
            row = row | {"label": str(label)}
        return LabelledSentence(
            id=f"{path.name}, {read}",
            text=text_field(row, "text"),
            transcript=text_field(row, "label").strip(),
            split=str(split) if split else None,
        )

    _, header = read_lines(path)[0]
    if path.suffix.lower() in (".json", ".jsonl") or header.lstrip().startswith(("{", "[")):
        return parse_json_lines(path, parse)
    return parse_table(path, COLUMNS, parse)


def labelled_sentence(line: str, id: str, classes: dict[str, str], split: str) -> LabelledSentence:
    """Return the text of a line that ends with a tab and its label.

    Args:
        classes: the name of each class by the label that stands for it.

    Raises:
        ZooError: there is no tab, no text before it, or another label behind it.
    """
    text, _, label = line.rpartition("\t")
    if not text.strip() or label not in classes:
        raise ZooError(
            f"a line must be a text, a tab and one of {', '.join(classes)}. Received: {line[:80]!r}"
        )
    return LabelledSentence(id, text, classes[label], split)
