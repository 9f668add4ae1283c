"""`zoo mix` and `zoo compare`: mix and compare language models."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.arguments import add_source
from zoo.cli.output import print_answer, table
from zoo.common.core.errors import check_range
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.language.modelling.comparison import ScoredSplits

# The split on which the weights of a mixture are fitted.
FITTED_ON = "dev"
LINES = 4


def mix(
    names: Sequence[str],
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = FITTED_ON,
) -> dict[str, Any]:
    """Interpolate language models with weights fitted on dev by expectation maximization.

    Args:
        names: two or more presets or runs with the same tokens. A registered recipe that is not shipped,
            such as an n-gram, is trained first.
        data: folder of the corpus; None for its folder in ZOO_DATA.
        manifest: a list of texts to use instead of the corpus.
        split: the split on which the mixture is evaluated.

    Returns:
        Weight and perplexity of each model, and the perplexity of the mixture, JSON-ready. States are
        carried over the whole text, and the end of each line counts as a token.

    Raises:
        ZooError: there are fewer than two models, they have other tokens, or there is no such split.
    """
    corpus, scored = score(names, data, manifest, split)
    mixture = scored.mixture(range(len(names)))
    return {
        "corpus": corpus,
        "split": split,
        "fitted_on": FITTED_ON,
        "tokens": len(scored.split.tokens),
        "models": [
            {**alone, "weight": weight}
            for alone, weight in zip(scored.perplexities(), mixture["weights"], strict=True)
        ],
        "perplexity": mixture["perplexity"],
    }


def compare(
    names: Sequence[str],
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = FITTED_ON,
    lines: int = LINES,
    plot: Path | None = None,
) -> dict[str, Any]:
    """Evaluate language models on the same text: each alone, each mixed with the first, and all mixed.

    Args:
        names: as in `mix`.
        data: as in `mix`.
        manifest: as in `mix`.
        split: the split on which the models are evaluated.
        lines: number of lines to show: those on which the first and the last model disagree most.
        plot: a PNG file with these lines.

    Returns:
        `models` with perplexities, `mixtures` with weights and perplexities, and `disagreements`: lines
        with the log-probabilities of their tokens under the first and the last model. JSON-ready.

    Raises:
        ZooError: as `mix`, or `lines` is below 0.
    """
    from zoo.language.modelling.disagreement import strongest_disagreements
    from zoo.language.modelling.plots import plot_disagreements

    check_range("--lines", lines, at_least=1 if plot else 0)
    corpus, scored = score(names, data, manifest, split)
    others = range(1, len(names))
    combined = [(0, other) for other in others] + ([tuple(range(len(names)))] * (len(names) > 2))
    ends = scored.split.log_probs[[0, -1]]
    shown = strongest_disagreements(scored.split.tokens, ends, scored.start, lines)
    answer = {
        "corpus": corpus,
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


def score(
    names: Sequence[str], data: Path | None, manifest: Path | None, split: str
) -> tuple[str, ScoredSplits]:
    """Return the name of the corpus, and its splits with their log-probabilities under models.

    Arguments and errors are those of `mix`.
    """
    from zoo.api.evaluate import find_or_train
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.api.sources import find_source, read_split, say_test_reading, source_name
    from zoo.common.core import registry
    from zoo.common.runtime import KERAS
    from zoo.common.tasks.language_modelling import LanguageModelling
    from zoo.language.modelling.comparison import check_comparable, score_splits

    presets = [find_or_train(name, data) for name in names]
    recipes = [preset_recipe(preset) for preset in presets]
    check_comparable(names, recipes)
    first = recipes[0]
    assert isinstance(first.task, LanguageModelling)
    corpus = registry.entry(first.name).corpus
    source = find_source(data, manifest, corpus)
    say_test_reading(corpus, source, split)
    splits = [read_split(first, corpus, source, part) for part in (FITTED_ON, split)]
    predictors = [
        open_predictor(preset, recipe, KERAS)
        for preset, recipe in zip(presets, recipes, strict=True)
    ]
    return source_name(source, corpus), score_splits(names, predictors, first.task, *splits)


def mixture_text(answer: dict[str, Any]) -> str:
    """Return the answer of `mix` as text."""
    return (
        f"{table(answer['models'])}\n\nthe mixture on {answer['corpus']}, {answer['split']}: "
        f"perplexity {answer['perplexity']:.2f}  ({answer['tokens']} tokens; weights fitted on "
        f"{answer['fitted_on']})"
    )


def comparison_text(answer: dict[str, Any]) -> str:
    """Return the answer of `compare` as text."""
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
            f"log-probabilities in nats under {names[0]} and {names[1]}, where they differ most:"
        )
    for line in answer["disagreements"]:
        rows = [
            f"{a:8.2f} {b:8.2f}  {token['token']!r}"
            for token in line["tokens"]
            for a, b in [token["log_probabilities"]]
        ]
        parts.append("\n".join([f"line {line['line']}", *rows]))
    return "\n\n".join([*parts, *([answer["plot"]] if "plot" in answer else [])])


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", nargs="+", metavar="PRESET|RUN", help="two or more")
    add_source(parser)
    words = "a split of the corpus, dev or all; default: dev"
    parser.add_argument("--split", default=FITTED_ON, help=words)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    _add_models(parser)
    words = f"lines to show, on which the first and the last model disagree most; default: {LINES}"
    parser.add_argument("--lines", type=int, default=LINES, metavar="INT", help=words)
    parser.add_argument("--plot", type=Path, metavar="FILE", help="plot these lines as a PNG file")


@register_verb(
    "mix",
    "interpolate language models, with weights fitted on dev",
    "zoo mix language/kn5-ptb language/lstm-small-ptb --data corpora/ptb",
    _add_models,
)
def run_mix(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = mix(options.preset, data=options.data, manifest=options.manifest, split=options.split)
    print_answer(options, answer, lambda: mixture_text(answer))


@register_verb(
    "compare",
    "evaluate language models on the same text, alone and mixed",
    "zoo compare language/kn5-ptb language/lstm-small-ptb --data corpora/ptb --plot words.png",
    _add_compare,
)
def run_compare(options: argparse.Namespace) -> None:
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
