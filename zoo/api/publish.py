"""Publish a run as a preset: half-precision weights, measured metrics and a card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from zoo.api.comparison import (
    check_baseline_packages,
    measure,
    record_comparison,
    record_failures,
)
from zoo.api.results import EvaluateResult, UploadResult
from zoo.api.sharing import upload
from zoo.api.sources import find_source
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import card, hub, measurements, runs, store
from zoo.common.presets.corpus_record import read_splits, write_record
from zoo.common.presets.lineage import EARLIER, summarize
from zoo.common.utils.files import atomic_folder, check_file, clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import start_backend

# Keys of run.json that metrics.json of the preset takes over.
RECORDED = ("examples", "left_out", "data_checksum", "versions", "init")


def publish(
    run: str | Path,
    *,
    data: str | Path | None = None,
    split: str | None = None,
    to: str | None = None,
) -> EvaluateResult | UploadResult:
    """Publish a run as the preset of its recipe: float16 weights, measured metrics and a card.

    Args:
        run: the run folder.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        split: split whose metrics the card states next to those of dev; None for the test split.
        to: an address on the hub, such as "hf://owner/name", where the preset is published too. Then
            `run` may be a preset.

    Returns:
        The evaluation on that split; with `to`, the files on the hub.

    Raises:
        ZooError: the run is incomplete or cannot be evaluated. An earlier preset then stays as it is. Or
            the hub refuses the preset.
    """
    if to is None:
        return _publish(run, data, split)
    hub.parse(to)  # before the evaluation
    source = store.find(run)
    if (source / store.CARD_FILE).exists():
        return upload(source, to)
    return upload(_publish(run, data, split).preset, to)


def _publish(run: str | Path, data: str | Path | None, split: str | None) -> EvaluateResult:
    """Publish a run in the folder of presets, and return its evaluation."""
    source = store.find(run)
    recipe = store.load_recipe(source)
    split = split or registry.entry(recipe.name).corpus.test_split
    check_baseline_packages(recipe)
    start_backend()
    with _published(source, recipe) as folder:
        record_failures(folder, measure(folder, data, "dev"))
        result = measure(folder, data, split)
        record_comparison(folder, result, data)
        _record_corpus(folder, recipe, data)
        card.write_card(folder)
    return result


def _record_corpus(folder: Path, recipe: Recipe, data: str | Path | None) -> None:
    """Record the content of the corpus, with which `zoo fetch` compares a user's copy."""
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, None, corpus)
    assert source.folder is not None
    try:
        write_record(folder, corpus, read_splits(corpus, source.folder))
    except ZooError as error:  # such as a split that was not needed for publication
        say(f"The content of the corpus is not recorded: {error}")


@contextmanager
def _published(run: Path, recipe: Recipe) -> Iterator[Path]:
    """Yield a folder with the best model of a run.

    When the block ends without an error, the folder becomes the preset of the recipe's name. It replaces
    an earlier preset atomically.
    """
    folder = store.destination(recipe.name)
    # The run must not continue meanwhile, and no other process may export or publish the preset.
    lock = folder.with_name(f".{folder.name}{LOCK_FILE}")
    with ExitStack() as stack:
        stack.enter_context(locked(run / LOCK_FILE))
        stack.enter_context(locked(lock, folder))
        if folder.is_dir() and not folder.samefile(run):
            stack.enter_context(locked(folder / LOCK_FILE))
        training = _training(run, recipe)
        files = store.files(recipe)
        if missing := [name for name in files if not (run / name).exists()]:
            raise ZooError(f"{run / missing[0]} is missing.")
        runs.check_model(run, run / recipe.model.file)
        before = measurements.read_metrics(store.folder_of(recipe.name))
        clear_parts(folder.parent, folder.name)
        with atomic_folder(folder, replace=True) as temporary:
            for name in files:
                check_file(run / name)
                shutil.copyfile(run / name, temporary / name)
            recipe.model.shrink(temporary / recipe.model.file)
            measurements.begin_metrics(temporary, training, before)
            yield temporary


def _training(run: Path, recipe: Recipe) -> dict[str, Any]:
    """Return what metrics.json states about a run.

    Raises:
        ZooError: the run cannot become the preset of its recipe.
    """
    path = run / runs.RUN_FILE
    record = runs.read_json(path)
    try:
        training = {key: record[key] for key in RECORDED}
        # Runs of earlier versions do not have it.
        training["processors"] = record.get("processors")
        corpus, overfit = record["corpus"], record.get("overfit")
    except (KeyError, TypeError):
        raise ZooError(f"{path} is corrupt: it is not the record of a run.") from None
    expected = registry.entry(recipe.name).corpus.name
    if corpus != expected:
        raise ZooError(
            f"{run} cannot become the preset {recipe.name}: it was not trained on the corpus "
            f"{expected!r}. Received: {record.get('data')!r}."
        )
    if overfit:
        raise ZooError(
            f"{run} cannot become the preset {recipe.name}: it was trained and evaluated on the same "
            f"{overfit} examples (--overfit)."
        )
    earlier = {EARLIER: record[EARLIER]} if EARLIER in record else {}
    return training | earlier | {"history": summarize(run, recipe)}
