"""Print answers as JSON, text or tables."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

from zoo.api.display import plain
from zoo.common.utils.progress import say

# Maximum number of characters of an input in a line. Most paths are shorter.
MAX_CHARACTERS = 300


def print_line(line: str) -> None:
    """Print a line to stdout and flush it.

    Raises:
        OSError: it cannot be written.
    """
    try:
        print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # otherwise Python fails again when it exits
        raise


def print_answer(options: argparse.Namespace, value: Any, text: Callable[[], str]) -> None:
    """Print an answer.

    Args:
        options: the parsed arguments.
        value: the answer for `--json`.
        text: returns the answer as text.
    """
    print_line(json.dumps(value) if options.json else text())


def print_answers(
    options: argparse.Namespace,
    key: str,
    answers: Iterable[dict[str, Any]],
    text: Callable[[dict[str, Any]], str],
) -> int:
    """Print each answer when it is available; with `--json`, all in one object at the end.

    Args:
        options: the parsed arguments of a verb with `add_inputs`.
        key: key of the list in the JSON object.
        answers: dicts with `input`, and with `error` if the input is invalid.
        text: returns an answer as text.

    Returns:
        The exit status: 1 if an answer is an error.
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
            if answer.get("unknown"):
                unknown, given = answer["unknown"], shown(answer["input"])
                say(f"Tokens outside the vocabulary: {unknown}, in {given}")
            if answer.get("warning"):
                say(f"{shown(answer['input'])}: {answer['warning']}")
    if options.json:
        print_line(json.dumps({"preset": options.preset, key: done}))
    return int(failed)


def error_line(answer: dict[str, Any]) -> str:
    """Return an answer with an `error` as one line."""
    return f"{shown(answer['input']) or repr('')}: error: {one_line(answer['error'])}"


def shown(given: str) -> str:
    """Return an input as one line, without the end of a long one."""
    return one_line(given if len(given) <= MAX_CHARACTERS else f"{given[:MAX_CHARACTERS]}...")


def one_line(text: str) -> str:
    """Return a text with line breaks and control characters, which a terminal would obey, escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def table(rows: list[dict[str, Any]]) -> str:
    """Return rows with equal keys as aligned columns with a header."""
    cells = [list(rows[0])] + [[plain(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )
