"""`zoo predict --stream`: what is heard of a recording while it is read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from zoo.cli.decoding import given_options, open_preset
from zoo.cli.output import print_answers, print_line
from zoo.common.core.errors import ZooError


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--stream`."""
    words = "print partial results as the one input is heard; - is 16-bit PCM at the model's rate"
    parser.add_argument("--stream", action="store_true", help=words)


def run_stream(options: argparse.Namespace, text: Callable[[dict[str, Any]], str]) -> int:
    """Hear one input part by part, and print each new partial result and then the answer.

    Args:
        options: the arguments of `zoo predict`. text: of an answer, for a person to read.

    Returns:
        The exit status.

    Raises:
        ZooError: the preset cannot stream, the input cannot be read, or there are several.
    """
    if len(options.input) > 1 or options.format or options.out:
        raise ZooError("--stream takes one input, and neither --format nor --out.")
    recipe, graphs = open_preset(options.preset, options.backend, given_options(options))
    stream, (source,) = recipe.data.stream(graphs, recipe), options.input
    before = ""
    for block in stream.blocks(source):
        stream.accept(block)
        partial = stream.partial()
        if partial != before and not options.json:
            row = {"input": source, "seconds": round(stream.seconds, 3), "partial": partial}
            print_line(json.dumps(row) if options.jsonl else f"{stream.seconds:6.2f} s  {partial}")
        before = partial
    answer = {"input": source, **stream.finish()}
    return print_answers(options, "predictions", [answer], text)
