"""`zoo compare`: language models side by side, alone and mixed, and where two of them disagree."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.cli.mix import add_models
from zoo.cli.output import print_answer, table
from zoo.cli.scored import FITTED_ON, score_splits
from zoo.common.core.errors import check_range
from zoo.common.core.verbs import register_verb

LINES = 4


def compare(
    names: Sequence[str],
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = FITTED_ON,
    lines: int = LINES,
    plot: Path | None = None,
) -> dict[str, Any]:
    """Measure language models on the same text: each alone, each mixed with the first, and all mixed.

    Args:
        names, data, manifest, split: as of `zoo.cli.mix.mix`.
        lines: how many lines are shown on which the first model and the last disagree most.
        plot: a PNG file to draw these lines in, word by word.

    Returns:
        The answer, JSON-ready: `models` with their perplexity, `mixtures` with weights and perplexity,
        and `disagreements`, the lines with what the first and the last model give to each token.

    Raises:
        ZooError: as `zoo.cli.scored.score_splits`, or `lines` is below 0.
    """
    from zoo.language.modelling.disagreement import plot_disagreements, strongest_disagreements

    check_range("--lines", lines, at_least=1 if plot else 0)
    scored = score_splits(names, data, manifest, split)
    others = range(1, len(names))
    combined = [(0, other) for other in others] + ([tuple(range(len(names)))] * (len(names) > 2))
    ends = scored.split.log_probs[[0, -1]]
    shown = strongest_disagreements(scored.split.tokens, ends, scored.start, lines)
    answer = {
        "corpus": scored.corpus,
        "split": split,
        "fitted_on": FITTED_ON,
        "tokens": len(scored.split.tokens),
        "models": scored.perplexities(),
        "mixtures": [scored.mixture(models) for models in combined],
        "disagreements": [
            {
                "line": line.number,
                "tokens": [
                    {"token": token, "log_probabilities": log_probs}
                    for token, log_probs in zip(
                        line.tokens, line.log_probs.T.round(4).tolist(), strict=True
                    )
                ],
            }
            for line in shown
        ],
    }
    if plot and shown:
        answer["plot"] = str(plot_disagreements(shown, (names[0], names[-1]), plot))
    return answer


def comparison_text(answer: dict[str, Any]) -> str:
    """Return the answer of `compare` for a person to read."""
    alone = [
        {"model": row["model"], "weights": "1", "perplexity": f"{row['perplexity']:.2f}"}
        for row in answer["models"]
    ]
    mixed = [
        {
            "model": " + ".join(row["models"]),
            "weights": " ".join(f"{weight:.2f}" for weight in row["weights"]),
            "perplexity": f"{row['perplexity']:.2f}",
        }
        for row in answer["mixtures"]
    ]
    parts = [
        f"{answer['corpus']}, {answer['split']}: {answer['tokens']} tokens; weights fitted on "
        f"{answer['fitted_on']}",
        table(alone + mixed),
    ]
    names = answer["models"][0]["model"], answer["models"][-1]["model"]
    if answer["disagreements"]:
        parts.append(
            f"log-probabilities, in nats, by {names[0]} and {names[1]}, where they differ most:"
        )
    for line in answer["disagreements"]:
        rows = [
            f"{a:8.2f} {b:8.2f}  {token['token']!r}"
            for token in line["tokens"]
            for a, b in [token["log_probabilities"]]
        ]
        parts.append("\n".join([f"line {line['line']}", *rows]))
    return "\n\n".join([*parts, *([answer["plot"]] if "plot" in answer else [])])


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_models(parser)
    words = f"lines to show on which the first and the last disagree most; default {LINES}"
    parser.add_argument("--lines", type=int, default=LINES, metavar="INT", help=words)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw these lines, as a PNG")


@register_verb(
    "compare",
    "measure language models side by side, alone and mixed",
    "zoo compare language/kn5-ptb language/lstm-small-ptb --data corpora/ptb --plot words.png",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = compare(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        lines=options.lines,
        plot=options.plot,
    )
    print_answer(options, answer, lambda: comparison_text(answer))
