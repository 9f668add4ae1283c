"""`zoo tune-lm`: the weight of a language model and the bonus of a word, found on dev."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_backend, add_preset, add_source
from zoo.cli.decoding import accept_options, given_options, set_options
from zoo.cli.evaluate import EXTRA
from zoo.cli.output import figures, print_answer, table
from zoo.cli.sources import find_source, read_split
from zoo.common.core import registry
from zoo.common.core.verbs import register_verb
from zoo.common.decoding.decoder_file import write_options
from zoo.common.presets import store
from zoo.common.runtime import KERAS
from zoo.common.utils.packages import check_packages

DEFAULT_OUT = Path("decoder.json")
SHOWN = 8


def tune_lm(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = "dev",
    backend: str = "keras",
    options: Mapping[str, Any] | None = None,
    out: Path = DEFAULT_OUT,
) -> dict[str, Any]:
    """Search for the LM weight and the word bonus of a CTC preset, and write them to a decoder file.

    Args:
        name: of a preset, or the folder of a run.
        data, manifest, backend: as of `zoo.cli.evaluate.evaluate`.
        split: what the error rate is measured on. It should be no part of the language model's text.
        options: of the preset's decoder; `lm` is one of them.
        out: the decoder file, which `predict` and `evaluate` read by `--decoder`.

    Returns:
        The answer, JSON-ready: the file, the options in it, the metrics with and without the search, and
        all trials, the best first.

    Raises:
        ZooError: no such preset, split, runtime or option, or as `zoo.speech.recognition.tuning.tune`.
    """
    from zoo.common.runtime import open_graphs
    from zoo.speech.recognition.tuning import tune

    folder = store.find(name)
    recipe = set_options(name, store.load_recipe(folder), options or {})
    check_packages(recipe.task.packages, EXTRA)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    examples = read_split(recipe, corpus, source, split)
    tuned = tune(open_graphs(backend, folder), recipe, examples)
    names = ("beam_width", "lm_weight", "word_bonus")
    best = {option: getattr(tuned.best, option) for option in names}
    metrics = {key: value for key, value in tuned.trials[0].items() if key not in best}
    about = {
        "preset": name,
        "lm": recipe.decoder.lm.name,
        "corpus": corpus.name if source.folder else str(manifest),
        "split": split,
        "examples": len(examples),
        "greedy": tuned.greedy,
        "metrics": metrics,
    }
    write_options(out, best, about)
    return {"decoder": str(out), "options": best, **about, "trials": tuned.trials}


def tuned_text(answer: dict[str, Any]) -> str:
    """Return the answer of `tune_lm` for a person to read."""
    return (
        f"{table(answer['trials'][:SHOWN])}\n\n{answer['preset']} on {answer['corpus']}, "
        f"{answer['split']}: {figures(answer['metrics'])}, without a search "
        f"{figures(answer['greedy'])}.  Written: {answer['decoder']}"
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    parser.add_argument("--split", default="dev", help="what is measured on; default dev")
    words = f"the decoder file; default: {DEFAULT_OUT}"
    parser.add_argument("--out", type=Path, metavar="FILE", default=DEFAULT_OUT, help=words)
    add_backend(parser, KERAS)
    accept_options(parser)


@register_verb(
    "tune-lm",
    "find the weight of a language model on dev",
    "zoo tune-lm speech/bilstm-ctc-an4 --data corpora/an4 --lm an4.arpa --beam-width 100",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = tune_lm(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        backend=options.backend,
        options=given_options(options),
        out=options.out,
    )
    print_answer(options, answer, lambda: tuned_text(answer))
