"""Write the README's table of presets from their metrics.json files. Run by `make results`."""

from __future__ import annotations

from pathlib import Path

from zoo.common.core import registry
from zoo.common.presets import store
from zoo.common.presets.card import read_metrics
from zoo.common.utils.files import write_text

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "metrics.json -->\n", "<!-- /results -->"


def table() -> str:
    """Return a row for each figure of each shipped preset."""
    lines = ["| preset | corpus | split | result | size | command |", "| --- " * 6 + "|"]
    for name in store.names():
        folder, entry = store.ROOT / name, registry.entry(name)
        megabytes = (folder / entry.recipe().model.file).stat().st_size / 1e6
        for split, row in read_metrics(folder)["figures"].items():
            figures = ", ".join(f"{key} {value:.4f}" for key, value in row["metrics"].items())
            corpus = entry.corpus.title.partition(":")[0]
            lines.append(
                f"| `{name}` | {corpus} | {split}, {row['examples']} | {figures} | {megabytes:.1f} MB "
                f"| `{row['command']}` |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replace what is between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    write_text(README, before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
