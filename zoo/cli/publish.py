"""`zoo publish` publishes a run as a preset, here, on a hub or in an index."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import zoo.cli
from zoo.cli.arguments import add_data
from zoo.cli.evaluate import evaluation_text
from zoo.cli.output import print_answer
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.api.results import EvaluateResult, UploadResult


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN|PRESET", nargs="?")
    add_data(parser)
    words = "split whose metrics the card states next to those of dev; default: test"
    parser.add_argument("--split", help=words)
    words = "publish on a hub, as hf://owner/name; a run is published here first"
    parser.add_argument("--to", metavar="ADDRESS", help=words)
    words = "write an index of all presets, from which installations with ZOO_PRESETS fetch them"
    parser.add_argument("--index", type=Path, metavar="DIR", help=words)


@register_verb(
    "publish",
    "publish a run as a preset: float16 weights, metrics on test, card",
    "zoo publish runs/an4 --data corpora/an4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    if bool(options.run) == bool(options.index) or (options.index and options.to):
        raise ZooError("Give a run or preset, with or without --to; or --index without them.")
    if options.index:
        from zoo.api.sharing import write_index

        index = write_index(options.index, zoo.__version__)
        return print_answer(options, index.to_dict(), lambda: "\n".join(index.lines()))
    from zoo.api.publish import publish

    result = publish(options.run, data=options.data, split=options.split, to=options.to)
    return print_answer(options, result.to_dict(), lambda: _text(result))


def _text(result: EvaluateResult | UploadResult) -> str:
    from zoo.api.results import UploadResult

    if isinstance(result, UploadResult):
        return "\n".join(result.lines())
    return evaluation_text(result)
