"""Read manifests of texts with labels, as TSV, CSV or JSON lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import text_field
from zoo.common.data.tables import parse_rows
from zoo.common.data.text import normalize

TEXT, LABEL = "text", "label"


@dataclass(frozen=True)
class LabelledSentence:
    """A text and its class.

    Args:
        id: name of the file or split, and the number of the text in it.
        text: the text, in NFC.
        label: name of its class.
        split: name of the split; None if the file has no splits.
    """

    id: str
    text: str
    label: str
    split: str | None = None

    def content(self) -> Content:
        """Return the text and the label."""
        return Content((self.text, self.label))


def read_manifest(path: Path, text: str = TEXT, label: str = LABEL) -> list[LabelledSentence]:
    """Return the texts of a manifest, in its order.

    Args:
        path: a file in one of three formats, which are detected from the content: CSV or TSV with
            a header that includes the columns of text and label; or JSON lines, each an object with
            these keys, the label a string or an integer. `split` is optional; other columns are ignored.
        text: column or key of the text.
        label: column or key of the label.

    Raises:
        ZooError: a line is invalid: a missing column or key, an empty text or label, or invalid JSON.
            The message has the path, the first invalid line, and the number of others.
    """
    path, read = Path(path), 0

    def parse(row: dict[str, Any]) -> LabelledSentence:
        nonlocal read
        read += 1
        value, split = row.get(label), row.get("split")
        if isinstance(value, int) and not isinstance(value, bool):
            row = row | {label: str(value)}
        return LabelledSentence(
            id=f"{path.name}, {read}",
            text=normalize(text_field(row, text)),
            label=normalize(text_field(row, label).strip()),
            split=str(split) if split else None,
        )

    return parse_rows(path, (text, label), parse)


def labelled_sentence(line: str, id: str, classes: dict[str, str], split: str) -> LabelledSentence:
    """Return the example of a line, which is a text, a tab and a label.

    Args:
        line: the line.
        id: id of the example.
        classes: name of each class by its label in the file.
        split: name of the split.

    Raises:
        ZooError: the line has no tab, no text, or an unknown label.
    """
    text, _, label = line.rpartition("\t")
    if not text.strip() or label not in classes:
        raise ZooError(
            f"a line must be a text, a tab and one of {', '.join(classes)}. Received: {line[:80]!r}"
        )
    return LabelledSentence(id, normalize(text), classes[label], split)
