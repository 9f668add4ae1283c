"""Show results as short texts, HTML tables and pictures."""

from __future__ import annotations

import base64
import html
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError

# Rows and characters that a text or table of a result shows at most.
MAX_ROWS, MAX_CHARACTERS = 5, 80


def to_pandas(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return rows as a `pandas.DataFrame`.

    Raises:
        ZooError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise ZooError("to_pandas needs the package pandas: pip install pandas") from None
    return pandas.DataFrame(list(rows))


def read_pictures(paths: Iterable[Path]) -> list[bytes]:
    """Return the content of the files that exist."""
    return [path.read_bytes() for path in paths if path.is_file()]


def figures(metrics: Mapping[str, float]) -> str:
    """Return metrics as text."""
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())


def plain(value: Any) -> str:
    """Return a value of a table or of a list of settings as text."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def short(text: str) -> str:
    """Return a text as one printable line of limited length."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 3]}..."


def html_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the first rows as an HTML table; empty without rows."""
    columns = list(dict.fromkeys(itertools.chain.from_iterable(rows[:MAX_ROWS])))
    if not columns:
        return ""

    def line(tag: str, cells: Iterable[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = [line("td", (short(plain(row.get(c))) for c in columns)) for row in rows[:MAX_ROWS]]
    more = len(rows) - MAX_ROWS
    note = f"<p>{more} more rows</p>" if more > 0 else ""
    return f"<table>{line('th', columns)}{''.join(body)}</table>{note}"


def html_picture(png: bytes) -> str:
    """Return a PNG as an HTML image."""
    return f'<img src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 file" and "2 files"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
