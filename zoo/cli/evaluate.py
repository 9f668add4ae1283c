"""`zoo evaluate` measures a preset on a split."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.api.display import figures
from zoo.cli.arguments import KERAS, add_backend, add_preset, add_source
from zoo.cli.decoding import accept_options, given_options
from zoo.cli.output import print_answer
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.api.results import EvaluateResult


def evaluation_text(result: EvaluateResult) -> str:
    """Return a result as one line."""
    training = " of its training data" if result.from_training else ""
    return (
        f"{result.preset} on {result.corpus}, {result.split}: {figures(result.metrics)}  "
        f"({result.examples} examples{training}, {result.seconds:.1f} s)"
    )


def print_evaluation(options: argparse.Namespace, result: EvaluateResult) -> None:
    """Print a result with its report."""
    lines = [*result.report, *map(str, result.plots or ()), "", evaluation_text(result)]
    print_answer(options, result.to_dict(), lambda: "\n".join(lines))


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    words = (
        "a split of the corpus, dev or all; default: test; of a manifest all, or dev of a run's own"
    )
    parser.add_argument("--split", help=words)
    words = "write one JSON object per example"
    parser.add_argument("--rows", type=Path, metavar="FILE", help=words)
    parser.add_argument("--plots", type=Path, metavar="DIR", help="plot the evaluation")
    words = (
        "choose --min-confidence of a classifier by its F1 on dev, or --warn-below of a model that "
        "generates texts by its confidence on dev, and store it in the run"
    )
    parser.add_argument("--choose-threshold", action="store_true", help=words)
    add_backend(parser, KERAS)
    accept_options(parser)


@register_verb(
    "evaluate",
    "measure a preset or run on a split",
    "zoo evaluate speech/bilstm-ctc-an4 --data corpora/an4 --split test --json",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.evaluate import evaluate

    result = evaluate(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        runtime=options.backend,
        options=given_options(options),
        rows=options.rows,
        plots=options.plots,
        choose_threshold=options.choose_threshold,
    )
    print_evaluation(options, result)
