"""What verbs print: an answer for a script or a person, answers as they are made, tables."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

# Characters of an input that an error shows: more than a path has as a rule.
LONGEST_SHOWN = 300


def print_line(line: str) -> None:
    """Print a line to stdout, at once.

    Raises:
        OSError: it cannot be written.
    """
    try:
        print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or Python fails once more on its way out
        raise


def print_answer(options: argparse.Namespace, value: Any, text: Callable[[], str]) -> None:
    """Print an answer: with `--json` the value, else the text."""
    print_line(json.dumps(value) if options.json else text())


def print_answers(
    options: argparse.Namespace,
    key: str,
    answers: Iterable[dict[str, Any]],
    text: Callable[[dict[str, Any]], str],
) -> int:
    """Print answers as they are made: text, a JSON object a line, or all in one object when done.

    Args:
        options: the arguments of a verb with `add_inputs`.
        key: of the list in the one object.
        answers: each with its `input`, and an `error` where it is a bad one.
        text: of an answer, for a person to read.

    Returns:
        The exit status: 1 if one of the answers is an error.
    """
    done, failed = [], False
    for answer in answers:
        failed |= "error" in answer
        if options.json:
            done.append(answer)
        elif options.jsonl:
            print_line(json.dumps(answer))
        else:
            print_line(text(answer))
    if options.json:
        print_line(json.dumps({"preset": options.preset, key: done}))
    return int(failed)


def error_line(answer: dict[str, Any]) -> str:
    """Return an answer with an `error` as one line."""
    return f"{shown(answer['input']) or repr('')}: error: {one_line(answer['error'])}"


def shown(given: str) -> str:
    """Return an input as a line shows it: of a long one its beginning; see `one_line`."""
    return one_line(given if len(given) <= LONGEST_SHOWN else f"{given[:LONGEST_SHOWN]}...")


def one_line(text: str) -> str:
    """Return a text with its line breaks and other control characters, which a terminal would obey,
    written as Python writes them."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows of equal keys as aligned columns under their names."""
    cells = [list(rows[0])] + [[plain(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def plain(value: Any) -> str:
    """Return a value of a table or list of settings as text."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1000 else f"{value:.1f}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def figures(metrics: dict[str, float]) -> str:
    """Return metrics as text."""
    return "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
