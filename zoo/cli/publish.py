"""`zoo publish`: a run made a preset: half-precision weights, measured figures, a card."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_data
from zoo.cli.evaluate import evaluate, evaluation_text
from zoo.cli.output import print_answer
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.core.verbs import register_verb
from zoo.common.presets import card, runs, store
from zoo.common.presets.lineage import EARLIER, summarise
from zoo.common.utils.files import atomic_folder, check_file, clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.quiet import start_backend

# What a preset's metrics.json keeps of its run.json.
RECORDED = ("examples", "left_out", "data_checksum", "versions", "init")


def publish(name: str, *, data: Path | None = None, split: str | None = None) -> dict[str, Any]:
    """Make a run the preset of its recipe's name, measured as it is shipped.

    Args:
        name: the folder of a run.
        data: the folder of the corpus; None for ZOO_DATA.
        split: whose figures the card states beside those of dev; None for the test split.

    Returns:
        The answer of `zoo.cli.evaluate.evaluate` on that split.

    Raises:
        ZooError: the run is incomplete or cannot be measured; the preset is then what it was.
    """
    run = store.find(name)
    recipe = store.load_recipe(run)
    split = split or registry.entry(recipe.name).corpus.test_split
    start_backend()
    answer: dict[str, Any] = {}
    with _published(run, recipe) as folder:
        for part in ("dev", split):
            answer, _ = evaluate(str(folder), data=data, split=part)
            source = f" --data {data}" if data else ""
            command = f"zoo evaluate {recipe.name}{source} --split {part}"
            card.record_evaluation(folder, answer, command)
        card.write_card(folder)
    return answer | {"preset": recipe.name}


@contextmanager
def _published(run: Path, recipe: Recipe) -> Iterator[Path]:
    """Yield a folder with a run's best model, to be measured. When the block ends without an error it
    becomes the preset of the recipe's name, in the place of the one that may stand there; readers
    meet the one or the other at every moment."""
    folder = store.destination(recipe.name)
    # The run must not go on meanwhile, nor may the preset be exported or published by another process.
    beside = folder.with_name(f".{folder.name}{LOCK_FILE}")
    with ExitStack() as stack:
        stack.enter_context(locked(run / LOCK_FILE))
        stack.enter_context(locked(beside, folder))
        if folder.is_dir() and not folder.samefile(run):
            stack.enter_context(locked(folder / LOCK_FILE))
        training = _training(run, recipe)
        files = store.files(recipe)
        if missing := [name for name in files if not (run / name).exists()]:
            raise ZooError(f"{run / missing[0]} is missing.")
        runs.check_model(run, run / recipe.model.file)
        before = card.read_metrics(store.folder_of(recipe.name))
        clear_parts(folder.parent, folder.name)
        with atomic_folder(folder, replace=True) as temporary:
            for name in files:
                check_file(run / name)
                shutil.copyfile(run / name, temporary / name)
            recipe.model.shrink(temporary / recipe.model.file)
            card.begin_metrics(temporary, training, before)
            yield temporary


def _training(run: Path, recipe: Recipe) -> dict[str, Any]:
    """What metrics.json tells of a run. Raises `ZooError` for one that cannot be a corpus's preset."""
    path = run / runs.RUN_FILE
    record = runs.read_json(path)
    try:
        training = {key: record[key] for key in RECORDED}
        corpus, overfit = record["corpus"], record.get("overfit")
    except (KeyError, TypeError):
        raise ZooError(f"{path} is corrupt: it records no run.") from None
    expected = registry.entry(recipe.name).corpus.name
    if corpus != expected:
        raise ZooError(
            f"{run} cannot become the preset {recipe.name}: it was not trained on the corpus "
            f"{expected!r} but on {record.get('data')!r}."
        )
    if overfit:
        raise ZooError(
            f"{run} cannot become the preset {recipe.name}: it learnt {overfit} examples by heart "
            "(--overfit), and was measured on the same."
        )
    earlier = {EARLIER: record[EARLIER]} if EARLIER in record else {}
    return training | earlier | {"history": summarise(run, recipe)}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN")
    add_data(parser)
    words = "the split whose figures the card states; default test"
    parser.add_argument("--split", help=words)


@register_verb(
    "publish",
    "make a run a preset: float16 weights, test figures, card",
    "zoo publish runs/an4 --data corpora/an4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = publish(options.run, data=options.data, split=options.split)
    print_answer(options, answer, lambda: evaluation_text(answer))
