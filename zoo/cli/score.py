"""`zoo score`: the log-probability of texts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from zoo.cli.arguments import add_inputs, check_json
from zoo.cli.decoding import open_preset
from zoo.cli.export import fill_cache
from zoo.cli.output import error_line, print_answers, shown
from zoo.common.core.verbs import register_verb
from zoo.common.runtime import AUTO


def score(
    name: str,
    inputs: Sequence[str],
    *,
    backend: str = AUTO,
) -> Iterator[dict[str, Any]]:
    """Return the log-probability of each text, token by token, or an error, as they are made.

    Arguments and errors are those of `zoo.cli.predict.predict`, without options: none bears on a score.
    """
    recipe, graphs = open_preset(name, backend, {})
    return recipe.task.score(graphs, recipe, inputs)


def score_text(score: dict[str, Any]) -> str:
    """Return an answer for a person to read: a line a token, then the total."""
    if "error" in score:
        return error_line(score)
    lines = [f"{t['log_probability']:10.4f}  {t['token']!r}" for t in score["tokens"]]
    total = f"{score['log_probability']:10.4f}  {len(lines)} tokens: {shown(score['input'])}"
    return "\n".join([*lines, total])


@register_verb(
    "score",
    "compute the log-probability of texts, token by token",
    'zoo score language/lstm-small-ptb "the company said it expects a loss"',
    add_inputs,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    check_json(options)
    if options.cache:
        fill_cache(options.preset, options.backend)
    answers = score(options.preset, options.input, backend=options.backend)
    return print_answers(options, "scores", answers, score_text)
