"""`zoo baseline` fits a simple model on the examples of a recipe and evaluates it."""

from __future__ import annotations

import argparse

from zoo.cli.arguments import add_source
from zoo.cli.decoding import accept_data_options, given_data_settings
from zoo.cli.output import print_answer
from zoo.cli.train import parse_settings
from zoo.common.core.verbs import register_verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")
    add_source(parser)
    words = "a split of the corpus or manifest, or dev; default: test, or dev for a manifest"
    parser.add_argument("--split", help=words)
    words = "a setting, as for zoo train; may be given several times"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=words)
    words = "seed of the model and of the resamples; default: 0"
    parser.add_argument("--seed", type=int, default=0, metavar="N", help=words)
    accept_data_options(parser)


@register_verb(
    "baseline",
    "fit and measure a simple model on the data of a recipe",
    "zoo baseline language/bilstm-sst2 --data corpora/sst2 --json",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.baseline import baseline

    result = baseline(
        options.recipe,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        overrides=parse_settings([*options.set, *given_data_settings(options)]),
        seed=options.seed,
    )
    print_answer(options, result.to_dict(), lambda: "\n".join(result.lines()))
