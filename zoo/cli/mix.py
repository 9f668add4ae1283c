"""`zoo mix`: language models interpolated, with the weights that suit dev best."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_source
from zoo.cli.output import print_answer, table
from zoo.cli.scored import FITTED_ON, score_splits
from zoo.common.core.verbs import register_verb


def mix(
    names: Sequence[str],
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = FITTED_ON,
) -> dict[str, Any]:
    """Interpolate language models: weights by expectation maximisation on dev, measured on a split.

    Args:
        names: two or more presets or runs, of one tokenization and one vocabulary. A registered recipe
            whose preset does not travel with the zoo, such as an n-gram, is trained first.
        data, manifest: the folder of the corpus, or a list of texts; None for ZOO_DATA.
        split: what the mixture is measured on.

    Returns:
        The answer, JSON-ready: each model with its weight and perplexity, and the mixture's perplexity.
        The state is carried over the whole text, and the end of each line counts as a token.

    Raises:
        ZooError: as `zoo.cli.scored.score_splits`.

    Example:
        >>> mix(["language/kn5-ptb", "language/rnn-ptb"], data=Path("corpora/ptb"))["perplexity"]
    """
    scored = score_splits(names, data, manifest, split)
    mixture = scored.mixture(range(len(names)))
    return {
        "corpus": scored.corpus,
        "split": split,
        "fitted_on": FITTED_ON,
        "tokens": len(scored.split.tokens),
        "models": [
            {**alone, "weight": weight}
            for alone, weight in zip(scored.perplexities(), mixture["weights"], strict=True)
        ],
        "perplexity": mixture["perplexity"],
    }


def mixture_text(answer: dict[str, Any]) -> str:
    """Return the answer of `mix` for a person to read."""
    return (
        f"{table(answer['models'])}\n\nthe mixture on {answer['corpus']}, {answer['split']}: "
        f"perplexity {answer['perplexity']:.2f}  ({answer['tokens']} tokens; weights fitted on "
        f"{answer['fitted_on']})"
    )


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the models of a verb that reads a text with several, and where the text comes from."""
    parser.add_argument("preset", nargs="+", metavar="PRESET|RUN", help="two or more")
    add_source(parser)
    parser.add_argument(
        "--split", default=FITTED_ON, help="the corpus's own name, dev or all; default dev"
    )


@register_verb(
    "mix",
    "interpolate language models, with weights fitted on dev",
    "zoo mix language/kn5-ptb language/lstm-small-ptb --data corpora/ptb",
    add_models,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = mix(options.preset, data=options.data, manifest=options.manifest, split=options.split)
    print_answer(options, answer, lambda: mixture_text(answer))
