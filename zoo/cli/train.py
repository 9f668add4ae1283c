"""`zoo train` trains a recipe into a run folder."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.display import plural
from zoo.cli.arguments import add_data
from zoo.cli.decoding import accept_data_options, given_data_settings
from zoo.cli.output import print_answer, table
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.api.results import TrainResult
    from zoo.api.seeds import SeedsResult


def train_text(result: TrainResult) -> str:
    """Return a result as text."""
    best_row = "  ".join(f"{key} {value:.4g}" for key, value in result.best.items())
    return f"{result.run}: {plural(len(result.history), 'epoch')}. Best: {best_row}"


def seeds_text(result: SeedsResult) -> str:
    """Return the result of several seeds as text."""
    return "\n".join([table(result.table()), *result.lines()])


def parse_settings(settings: list[str]) -> dict[str, str]:
    """Return settings KEY=VALUE as a dict.

    Raises:
        ZooError: a setting has no "=", or a key is given twice.
    """
    overrides: dict[str, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise ZooError(f"--set must be KEY=VALUE. Received: {setting!r}.")
        if key in overrides:
            raise ZooError(f"{key} must be set once. Received: {overrides[key]!r} and {value!r}.")
        overrides[key] = value
    return overrides


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("recipe")
    add_data(parser)
    words = "lists of your own examples; see docs/own-data.md"
    parser.add_argument("--manifest", type=Path, nargs="+", metavar="FILE", help=words)
    words = "how often the examples of each manifest are used in an epoch; default: once"
    parser.add_argument("--weights", type=int, nargs="+", metavar="N", help=words)
    words = "examples that choose the best epoch; default: a part of the manifest"
    parser.add_argument("--dev-manifest", type=Path, metavar="FILE", help=words)
    words = "start from the weights and the vocabulary of a preset"
    parser.add_argument("--init", metavar="PRESET|RUN", help=words)
    words = (
        "start a text classifier from the embedding and the recurrent layers of a language model"
    )
    parser.add_argument("--init-encoder", metavar="PRESET|RUN", help=words)
    words = "the run folder; default: runs/RECIPE"
    parser.add_argument("--out", type=Path, metavar="RUN", help=words)
    words = "a setting; zoo show lists the keys"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=words)
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    words = "overfit N examples to check that the model can learn"
    parser.add_argument("--overfit", type=int, metavar="N", help=words)
    accept_data_options(parser)
    words = "train with N seeds, and report the mean and the spread of the best metric"
    parser.add_argument("--seeds", type=int, metavar="N", help=words)


@register_verb(
    "train",
    "train a recipe",
    "zoo train speech/bilstm-ctc-an4 --data corpora/an4 --set optimizer.learning_rate=3e-4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.seeds import train_seeds
    from zoo.api.train import train

    arguments: dict[str, Any] = {
        "data": options.data,
        "manifest": options.manifest,
        "weights": options.weights,
        "dev_manifest": options.dev_manifest,
        "init": options.init,
        "init_encoder": options.init_encoder,
        "out": options.out,
        "overrides": parse_settings([*options.set, *given_data_settings(options)]),
        "resume": options.resume,
        "overfit": options.overfit,
    }
    if options.seeds is None:
        result = train(options.recipe, **arguments)
        print_answer(options, result.to_dict(), lambda: train_text(result))
    else:
        several = train_seeds(options.recipe, options.seeds, **arguments)
        print_answer(options, several.to_dict(), lambda: seeds_text(several))
