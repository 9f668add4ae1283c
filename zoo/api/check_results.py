"""Evaluate presets again, and compare the metrics with those in metrics.json."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zoo.api.doctor import DISTRIBUTION, version
from zoo.api.evaluate import evaluate
from zoo.api.listing import list_rows
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.presets.integrity import preset_digests
from zoo.common.presets.measurements import read_metrics
from zoo.common.presets.runs import read_json, write_json
from zoo.common.utils.progress import say

# A metric is equal if it differs by at most this share of the recorded one, or by this much: float32
# has other last digits on another processor.
RELATIVE, ABSOLUTE = 2e-3, 2e-4
EQUAL, DIFFERENT, NOT_MEASURED = "equal", "different", "not measured"


def check_results(data: str | Path, pattern: str = "*") -> Iterator[dict[str, Any]]:
    """Evaluate presets on each split of their metrics.json.

    Results are kept in the cache, and are used again while the files of the preset, the folder and the
    version of the zoo are the same: the same command continues an interrupted check.

    Args:
        data: folder with a folder of each corpus, as `ZOO_DATA`.
        pattern: names of presets, such as "speech/*".

    Yields:
        A row per preset, split and metric: `name`, `split`, `metric`, `recorded`, `now`, `state`, and
        `error` if the preset cannot be evaluated.

    Raises:
        ZooError: no shipped preset matches, or the folder does not exist.
    """
    root = Path(data)
    if not root.is_dir():
        raise ZooError(f"The folder of the corpora must exist. Received: {data}.")
    names = [row["name"] for row in list_rows(pattern) if row["preset"] in store.HERE]
    if not names:
        raise ZooError(f"No preset that matches {pattern!r} is installed.")
    for name in names:
        yield from _check_preset(name, root)


def _check_preset(name: str, root: Path) -> Iterator[dict[str, Any]]:
    folder, kept = store.folder_of(name), store.cache() / "checks" / f"{name}.json"
    metric, corpus = registry.entry(name).metric, registry.entry(name).corpus
    data = None if corpus.folder else root / corpus.name
    try:
        state = {
            "version": version(DISTRIBUTION),
            "data": str(data and data.resolve()),
            "files": preset_digests(folder, store.load_recipe(folder)),
        }
        figures = read_metrics(folder)["figures"]
    except (ZooError, KeyError) as error:
        yield _row(name, "", metric, None, None, error=str(error))
        return
    before = read_json(kept) if kept.exists() else {}
    measured = before.get("metrics", {}) if before.get("state") == state else {}
    for split, figure in figures.items():
        if split not in measured:
            say(f"{name} on {split}")
            try:
                result = evaluate(name, data=data, split=split)
            except ZooError as error:
                yield _row(name, split, metric, figure["metrics"][metric], None, error=str(error))
                continue
            measured[split] = result.metrics
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_json(kept, {"state": state, "metrics": measured})
        for key, recorded in figure["metrics"].items():
            yield _row(name, split, key, recorded, measured[split].get(key))


def _row(
    name: str,
    split: str,
    metric: str,
    recorded: float | None,
    now: float | None,
    error: str | None = None,
) -> dict[str, Any]:
    state = NOT_MEASURED
    if recorded is not None and now is not None:
        near = abs(now - recorded) <= max(RELATIVE * abs(recorded), ABSOLUTE)
        state = EQUAL if near else DIFFERENT
    row = {"name": name, "split": split, "metric": metric, "recorded": recorded, "now": now}
    return {**row, "state": state, **({"error": error} if error else {})}
