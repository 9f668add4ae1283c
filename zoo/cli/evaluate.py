"""`zoo evaluate`: the figures of a preset on a split, in any runtime, with any decoder option."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_backend, add_preset, add_source
from zoo.cli.decoding import accept_options, given_options, set_options
from zoo.cli.output import figures, print_answer
from zoo.cli.seen import WARNING, is_from_training
from zoo.cli.sources import find_source, read_split
from zoo.cli.train import default_folder, train
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.core.task import Evaluation, Task
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.runtime import KERAS
from zoo.common.utils.files import atomic_file
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say

# What installs the packages that metrics are computed by.
EXTRA = "evaluate"


def evaluate(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str | None = None,
    backend: str = "keras",
    options: Mapping[str, Any] | None = None,
    rows: Path | None = None,
    plots: Path | None = None,
    retrieval: bool = False,
) -> tuple[dict[str, Any], Evaluation]:
    """Evaluate a preset or run on a split.

    Args:
        name: of a preset, or the folder of a run. A registered recipe whose preset does not travel
            with the zoo is trained first, into its default run folder, where it is not there.
        data, manifest: the folder of the corpus, or a list of examples; None for ZOO_DATA.
        split: None for the test split, or all of a manifest.
        backend, options: as of `zoo.cli.predict.predict`.
        rows: a JSON lines file to write, an object an example. plots: a folder for plots as PNG files.
        retrieval: rank inputs and texts by each other, in place of answers. Nothing is decoded.

    Returns:
        The answer, JSON-ready, and the evaluation it is made of. Where the examples are of the preset's
        own training data, the answer has `from_training`.

    Raises:
        ZooError: no such preset, split, runtime or option; a package of the metrics is not installed;
            or a file cannot be written.

    Example:
        >>> answer, _ = evaluate("speech/bilstm-ctc-an4", data=Path("corpora/an4"))
        >>> answer["metrics"]
        {'wer': 0.071151, 'cer': 0.02924}
    """
    from zoo.common.runtime import open_graphs

    folder = store.find(find_or_train(name, data))
    recipe = set_options(name, store.load_recipe(folder), options or {})
    if retrieval and (plots or options):
        raise ZooError("--retrieval goes with no --plots and no options of the decoder.")
    if plots and type(recipe.task).plot is Task.plot:
        raise ZooError(f"{recipe.name} draws no plots of an evaluation: --plots must be left out.")
    if not retrieval:
        check_packages(recipe.task.packages, EXTRA)
    if plots:
        check_packages(["matplotlib"], EXTRA)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    split = split or ("all" if manifest else corpus.test_split)
    examples = read_split(recipe, corpus, source, split)
    with atomic_file(rows) if rows else nullcontext() as rows_file:
        graphs = open_graphs(backend, folder)
        measure = recipe.task.retrieve if retrieval else recipe.task.evaluate
        evaluation = measure(graphs, recipe, examples)
        if rows_file:
            lines = (json.dumps(row) + "\n" for row in evaluation.rows)
            rows_file.write_text("".join(lines), encoding="utf-8")
    answer = {
        "preset": name,
        "corpus": corpus.name if source.folder else str(manifest),
        "split": split,
        "examples": evaluation.num_examples,
        "seconds": round(evaluation.seconds, 3),
        "metrics": {key: round(value, 6) for key, value in evaluation.metrics.items()},
    }
    if is_from_training(folder, recipe, corpus, source, split, examples):
        answer["from_training"] = True
        say(WARNING.format(name=name))
    if plots:
        answer["plots"] = [str(path) for path in _plot(recipe, evaluation, plots)]
    return answer, evaluation


def evaluation_text(answer: dict[str, Any]) -> str:
    """Return the answer of `evaluate` for a person to read."""
    seen = " of its training data" if answer.get("from_training") else ""
    return (
        f"{answer['preset']} on {answer['corpus']}, {answer['split']}: {figures(answer['metrics'])}  "
        f"({answer['examples']} examples{seen}, {answer['seconds']:.1f} s)"
    )


def find_or_train(name: str, data: Path | None) -> str | Path:
    """Return the preset, or the run of a recipe that is not shipped; trained if it is not there.

    Args:
        name: of a preset or recipe, or the folder of a run. data: the folder of the recipe's corpus.
    """
    entry = next((entry for entry in registry.entries() if entry.name == name), None)
    if entry is None or entry.shipped or name in store.names():
        return name
    folder = default_folder(name)
    if (folder / entry.recipe().model.file).exists():
        say(f"The preset {name} is not shipped. Its run {folder} is evaluated.")
    else:
        say(f"The preset {name} is not shipped. It is trained first, into {folder}.")
        train(name, data=data, out=folder)
    return folder


def _plot(recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return recipe.task.plot(recipe, evaluation, folder)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    parser.add_argument(
        "--split", help="the corpus's own name, dev or all; default test, of a manifest all"
    )
    parser.add_argument(
        "--rows", type=Path, metavar="FILE", help="write a JSON object a line for each example"
    )
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw the evaluation")
    words = "of a captioner: rank images and captions by each other, and give the recall"
    parser.add_argument("--retrieval", action="store_true", help=words)
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
    answer, evaluation = evaluate(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        backend=options.backend,
        options=given_options(options),
        rows=options.rows,
        plots=options.plots,
        retrieval=options.retrieval,
    )
    report = [*evaluation.report, *answer.get("plots", []), "", evaluation_text(answer)]
    print_answer(options, answer, lambda: "\n".join(report))
