"""`zoo publish`: a run made a preset: half-precision weights, measured figures, a card."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_data
from zoo.cli.evaluate import evaluate, evaluation_text
from zoo.cli.output import print_answer
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best
from zoo.common.core.recipe import Recipe
from zoo.common.core.verbs import register_verb
from zoo.common.presets import card, store
from zoo.common.utils.files import atomic_folder
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
    recipe = store.load_recipe(store.find(name))
    split = split or registry.entry(recipe.name).corpus.test_split
    start_backend()
    answer: dict[str, Any] = {}
    with _published(store.find(name), recipe) as folder:
        for part in ("dev", split):
            answer, _ = evaluate(str(folder), data=data, split=part)
            command = f"zoo evaluate {recipe.name} --data {data or '...'} --split {part}"
            card.record_evaluation(folder, answer, command)
        card.write_card(folder)
    return answer | {"preset": recipe.name}


@contextmanager
def _published(run: Path, recipe: Recipe) -> Iterator[Path]:
    """Yield a folder with a run's best model, to be measured. When the block ends without an error it
    becomes the preset of the recipe's name, in the place of the one that may stand there."""
    from zoo.common.presets import runs

    record = runs.read_json(run / runs.RUN_FILE)
    try:
        training = {key: record[key] for key in RECORDED}
    except (KeyError, TypeError):
        raise ZooError(f"{run / runs.RUN_FILE} is corrupt: it records no run.") from None
    training["history"] = _summarise(runs.read_history(run), recipe)
    files = (recipe.model.file, store.RECIPE_FILE, *recipe.data.assets())
    if missing := [name for name in files if not (run / name).exists()]:
        raise ZooError(f"{run / missing[0]} is missing.")
    folder = store.destination(recipe.name)
    staged = folder.with_name(f".{folder.name}")
    with atomic_folder(staged) as temporary:
        for name in files:
            shutil.copy(run / name, temporary / name)
        recipe.model.shrink(temporary / recipe.model.file)
        card.begin_metrics(temporary, training, card.read_metrics(folder))
        yield temporary
    shutil.rmtree(folder, ignore_errors=True)
    staged.rename(folder)


def _summarise(history: list[dict[str, float]], recipe: Recipe) -> dict[str, Any]:
    return {
        "epochs": len(history),
        "best_epoch": int(best(history, recipe.task.metric)["epoch"]),
        "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
    }


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
