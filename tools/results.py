"""Writes the README's table of presets from their metrics.json files. Run by `make results`."""

from __future__ import annotations

from pathlib import Path

from zoo.common import presets, registry
from zoo.common.utils.files import write_text
from zoo.common.presets.runs import read_json

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "metrics.json -->\n", "<!-- /results -->"


def table() -> str:
    """A row for each figure of each shipped preset."""
    lines = ["| preset | corpus | split | result | size | command |", "| --- " * 6 + "|"]
    for name in presets.names():
        folder = presets.ROOT / name
        megabytes = (folder / presets.MODEL_FILE).stat().st_size / 1e6
        for split, row in read_json(folder / presets.METRICS_FILE)["figures"].items():
            figures = ", ".join(f"{key} {value:.4f}" for key, value in row["metrics"].items())
            corpus = registry.entry(name).corpus.title.partition(":")[0]
            lines.append(
                f"| `{name}` | {corpus} | {split}, {row['examples']} | {figures} | {megabytes:.1f} MB "
                f"| `{row['command']}` |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Replaces what stands between the two marks."""
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    write_text(README, before + BEGIN + table() + END + rest.partition(END)[2])


if __name__ == "__main__":
    main()
