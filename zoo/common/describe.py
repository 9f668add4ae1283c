"""What `zoo list` and `zoo show` tell, without loading TensorFlow."""

from __future__ import annotations

from typing import Any

from zoo.common import presets, registry
from zoo.common.errors import ZooError
from zoo.common.recipe import settings
from zoo.common.runs import read_json


def list_rows(pattern: str) -> list[dict[str, Any]]:
    """A row for each recipe whose name matches. Raises `ZooError` if none does."""
    found = registry.entries(pattern)
    if not found:
        raise ZooError(
            f"No recipe matches {pattern!r}. Valid: "
            + ", ".join(entry.name for entry in registry.entries())
        )
    return [
        {
            "name": entry.name,
            "corpus": entry.corpus.name,
            "metric": entry.metric,
            "test": _figures(entry.name).get("test", {}).get("metrics", {}).get(entry.metric),
            "summary": entry.summary,
        }
        for entry in found
    ]


def describe(name: str) -> dict[str, Any]:
    """Everything known of a recipe and its preset. Raises `ZooError` for an unknown name."""
    entry = registry.entry(name)
    return {
        "name": entry.name,
        "summary": entry.summary,
        "paper": entry.paper,
        "corpus": {
            "name": entry.corpus.name,
            "title": entry.corpus.title,
            "licence": entry.corpus.licence,
            "source": entry.corpus.source,
        },
        "metric": entry.metric,
        "shipped": name in presets.names(),
        "figures": _figures(name),
        "settings": settings(entry.recipe()),
    }


def describe_text(about: dict[str, Any]) -> str:
    """`describe` for a person to read."""
    corpus = about["corpus"]
    lines = [
        about["name"],
        f"  {about['summary']}",
        f"  paper    {about['paper']}",
        f"  corpus   {corpus['title']} ({corpus['name']})",
        f"  licence  {corpus['licence']}",
        f"  from     {corpus['source']}",
        f"  preset   {'shipped' if about['shipped'] else 'not shipped: train it'}",
    ]
    for split, figures in about["figures"].items():
        values = "  ".join(f"{key} {value:.4f}" for key, value in figures["metrics"].items())
        lines.append(f"  {split:8} {values}")
    lines.append("  settings, for --set")
    width = max(map(len, about["settings"]))
    lines += [f"    {key:{width}}  {_plain(value)}" for key, value in about["settings"].items()]
    return "\n".join(lines)


def table(rows: list[dict[str, Any]]) -> str:
    """Rows of equal keys as aligned columns under their names."""
    cells = [list(rows[0])] + [[_plain(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def _plain(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _figures(name: str) -> dict[str, Any]:
    path = presets.ROOT / name / presets.METRICS_FILE
    return read_json(path)["figures"] if path.exists() else {}
