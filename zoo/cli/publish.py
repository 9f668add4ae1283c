"""`zoo publish` publishes a run as a preset."""

from __future__ import annotations

import argparse

from zoo.cli.arguments import add_data
from zoo.cli.evaluate import evaluation_text
from zoo.cli.output import print_answer
from zoo.common.core.verbs import register_verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN")
    add_data(parser)
    words = "split whose metrics the card states next to those of dev; default: test"
    parser.add_argument("--split", help=words)


@register_verb(
    "publish",
    "publish a run as a preset: float16 weights, metrics on test, card",
    "zoo publish runs/an4 --data corpora/an4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.publish import publish

    result = publish(options.run, data=options.data, split=options.split)
    print_answer(options, result.to_dict(), lambda: evaluation_text(result))
