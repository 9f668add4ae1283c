"""`zoo score` computes the log-probability of texts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import Any

from zoo.cli.arguments import add_inputs, check_json
from zoo.cli.output import error_line, print_answers, shown
from zoo.common.core.verbs import register_verb
from zoo.common.decoding.scores import total_perplexity
from zoo.common.utils.progress import say


def score_text(score: dict[str, Any]) -> str:
    """Return an answer as text: one line per token, then the total."""
    if "error" in score:
        return error_line(score)
    lines = [f"{t['log_probability']:10.4f}  {t['token']!r}" for t in score["tokens"]]
    total = f"{score['log_probability']:10.4f}  {len(lines)} tokens: {shown(score['input'])}"
    return "\n".join([*lines, total])


def kept(
    answers: Iterable[dict[str, Any]], scores: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield the answers, and append each to `scores`."""
    for answer in answers:
        scores.append(answer)
        yield answer


@register_verb(
    "score",
    "compute the log-probability of texts, token by token",
    'zoo score language/lstm-small-ptb "the company said it expects a loss"',
    add_inputs,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    from zoo.api.export import fill_cache
    from zoo.api.score import check_scoring, iter_scores

    check_json(options)
    check_scoring(options.preset)
    if options.cache:
        fill_cache(options.preset, options.backend)
    answers = iter_scores(options.preset, options.input, runtime=options.backend)
    scores: list[dict[str, Any]] = []
    status = print_answers(options, "scores", kept(answers, scores), score_text)
    perplexity = total_perplexity(scores)
    if len(scores) > 1 and perplexity is not None:
        say(f"Perplexity of all {len(scores)} texts: {perplexity:.2f}")
    return status
