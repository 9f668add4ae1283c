"""From a run to a preset: half-precision weights on disk, measured figures, a card."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from zoo.common import presets, registry, runs
from zoo.common.errors import ZooError
from zoo.common.files import atomic_folder, write_text


@contextmanager
def published(run: Path) -> Iterator[Path]:
    """Yields a folder with a run's best model, to be measured. When the block ends without an error
    it becomes the preset of the recipe's name, in the place of the one that may stand there.

    Raises `ZooError` if the run is incomplete.
    """
    recipe = presets.load_recipe(run)
    about = runs.read_json(run / runs.RUN_FILE)
    try:
        training = {
            key: about[key] for key in ("examples", "left_out", "data_checksum", "versions", "init")
        }
    except (KeyError, TypeError):
        raise ZooError(f"{run / runs.RUN_FILE} is corrupt: it records no run.") from None
    training["history"] = _summary(run)
    files = (presets.MODEL_FILE, presets.RECIPE_FILE, *recipe.task.assets())
    if missing := [name for name in files if not (run / name).exists()]:
        raise ZooError(f"{run / missing[0]} is missing.")
    folder = presets.ROOT / recipe.name
    staged = folder.with_name(f".{folder.name}")
    with atomic_folder(staged) as temporary:
        for name in files:
            shutil.copy(run / name, temporary / name)
        presets.shrink(temporary / presets.MODEL_FILE)
        runs.write_json(temporary / presets.METRICS_FILE, {"training": training, "figures": {}})
        yield temporary
    shutil.rmtree(folder, ignore_errors=True)
    staged.rename(folder)


def measured(folder: Path, evaluation: dict[str, Any], command: str) -> None:
    """Adds the figures of a split to a preset's metrics.json, with command, commit and date."""
    metrics = runs.read_json(folder / presets.METRICS_FILE)
    figures = {key: evaluation[key] for key in ("corpus", "examples", "seconds", "metrics")}
    origin = {key: runs.provenance()[key] for key in ("commit", "date")}
    metrics["figures"][evaluation["split"]] = figures | {"command": command} | origin
    runs.write_json(folder / presets.METRICS_FILE, metrics)


def write_card(folder: Path) -> None:
    """Writes CARD.md from the registry, recipe.json and metrics.json."""
    recipe = presets.load_recipe(folder)
    entry = registry.entry(recipe.name)
    metrics = runs.read_json(folder / presets.METRICS_FILE)
    training = metrics["training"]
    size = (folder / presets.MODEL_FILE).stat().st_size / 1e6
    lines = [
        f"# {entry.name}",
        "",
        entry.summary,
        "",
        " ".join(entry.description.split("\n")).replace("  ", "\n\n"),
        "",
        "## Figures",
        "",
        "| split | examples | " + " | ".join(metrics["figures"]["dev"]["metrics"]) + " | command |",
        "| --- " * (3 + len(metrics["figures"]["dev"]["metrics"])) + "|",
    ]
    for split, row in metrics["figures"].items():
        values = " | ".join(f"{value:.4f}" for value in row["metrics"].values())
        lines.append(f"| {split} | {row['examples']} | {values} | `{row['command']}` |")
    lines += [
        "",
        "Rates are fractions. The dev split chose the epoch; no test example had a part in training or "
        "in any choice.",
        "",
        "## Training",
        "",
        f"`zoo train {entry.name} --data ...`: {training['history']['epochs']} epochs over "
        f"{training['examples']['train']} examples (dev: {training['examples']['dev']}), "
        f"{training['history']['minutes']:.0f} minutes; the model is that of epoch "
        f"{training['history']['best_epoch']}."
        + (f" It began with the weights of `{training['init']}`." if training.get("init") else ""),
        "",
        "## Model, corpus, licence",
        "",
        f"- Paper: {entry.paper}",
        f"- Corpus: {entry.corpus.title}, {entry.corpus.source}. Licence: {entry.corpus.licence}",
        f"- Size: {size:.1f} MB; weights are float16 on disk and float32 when loaded. Plain "
        "`keras.saving.load_model` opens `model.keras`, without the zoo.",
        f"- Exports: `zoo export {entry.name} --to savedmodel,litert,onnx,tensorrt`. Each file is "
        "compared with the Keras model, but for TensorRT's engines: they are built, and were never "
        "run, for want of a GPU.",
    ]
    write_text(folder / presets.CARD_FILE, "\n".join(lines) + "\n")


def _summary(run: Path) -> dict[str, Any]:
    history = runs.read_history(run)
    metric = presets.load_recipe(run).task.metric
    best = min(history, key=lambda row: row[metric])
    return {
        "epochs": len(history),
        "best_epoch": int(best["epoch"]),
        "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
    }
