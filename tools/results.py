"""Write the README's table of presets from their metrics.json files. Run by `make results`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core import registry
from zoo.common.presets import store
from zoo.common.presets.card import read_metrics
from zoo.common.utils.files import write_text

README = Path(__file__).resolve().parents[1] / "README.md"
# How many metrics of a preset the table shows; CARD.md has them all.
SHOWN = 3
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


def main() -> None:
    """Replace what is between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    write_text(README, before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
