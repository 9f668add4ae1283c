"""Write the tables of figures in README and docs from metrics.json files. Run by `make results`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.presets import store
from zoo.common.presets.card import read_metrics
from zoo.common.utils.files import write_text
from zoo.vision_language.captioning import Captioning

REPOSITORY = Path(__file__).resolve().parents[1]
# How many metrics of a preset the table shows; CARD.md has them all.
SHOWN = 3
# What the table of captioners shows; a preset measured before there was one of them has a dash.
CAPTION_METRICS = ("bleu4", "bleu3", "bleu2", "bleu1", "rouge_l", "cider", "copy_rate")
BEGIN, END = "metrics.json -->\n", "<!-- /results -->"


def table() -> str:
    """Return a row for each shipped preset."""
    lines = ["| preset | corpus | test | dev | size | command |", "| --- " * 6 + "|"]
    for path in sorted(store.ROOT.glob(f"*/*/{store.RECIPE_FILE}")):
        folder, name = path.parent, str(path.parent.relative_to(store.ROOT))
        entry, figures = registry.entry(name), read_metrics(folder)["figures"]
        test = figures[entry.corpus.test_split]
        megabytes = (folder / entry.recipe().model.file).stat().st_size / 1e6
        cells = (
            f"`{name}`",
            entry.corpus.title.partition(":")[0],
            _cell(test),
            _cell(figures["dev"]) if "dev" in figures else "",
            f"{megabytes:.1f} MB",
            f"`{test['command'].removesuffix(' --split ' + entry.corpus.test_split)}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any]) -> str:
    """The first metrics of a split, and of how many examples they are."""
    metrics = list(row["metrics"].items())[:SHOWN]
    return ", ".join(f"{key} {value:.4f}" for key, value in metrics) + f" ({row['examples']})"


def captioners() -> str:
    """Return a row for each shipped captioner with its figures on test, the best BLEU-4 first."""
    rows = []
    for name in store.names():
        folder = store.ROOT / name
        if not isinstance(registry.entry(name).recipe().task, Captioning) or not folder.is_dir():
            continue
        metrics = read_metrics(folder)
        test = metrics["figures"]["test"]["metrics"]
        cells = [f"{test[key]:.4f}" if key in test else "-" for key in CAPTION_METRICS]
        minutes = f"{metrics['training']['history']['minutes']:.0f}"
        rows.append((test["bleu4"], [f"`{name}`", *cells, minutes]))
    head = ["preset", *CAPTION_METRICS, "minutes of training"]
    lines = [head, ["---"] * len(head), *(row for _, row in sorted(rows, reverse=True))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


# What stands between the two marks of each file.
TABLES = {
    REPOSITORY / "README.md": table,
    REPOSITORY / "docs" / "captioning.md": captioners,
}


def main() -> None:
    """Replace what is between the two marks of each file."""
    for path, make in TABLES.items():
        before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
        write_text(path, before + BEGIN + make() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
