"""Draw the packages of the zoo and their imports: docs/architecture.svg.

    python tools/architecture.py

A package is above all packages that it imports, and no arrow passes behind a box. An arrow is left out
if other arrows lead to the same package. Modules `commands`, which register commands of a family, are
left out.
"""

import ast
from itertools import permutations
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "docs" / "architecture.svg"
COLORS = {"common": "#d7ecea", "family": "#fde9c9", "use": "#dfe3f5"}
USE = {"api", "cli", "serving", "scaling", "lab"}
WIDTH, BOX, HEIGHT, ROW = 1000, 128, 34, 74

Graph = dict[str, set[str]]
Place = tuple[float, int]


def package(module: str) -> str | None:
    """Return the package of a module, such as "common.data" or "speech"; None for the others."""
    parts = module.split(".")
    if parts[0] != "zoo" or len(parts) < 2 or not (ROOT / "zoo" / parts[1]).is_dir():
        return None
    return ".".join(parts[1 : 3 if parts[1] == "common" and len(parts) > 2 else 2])


def imports() -> Graph:
    """Return the packages that each package imports."""
    graph: Graph = {}
    for path in sorted((ROOT / "zoo").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        one = package(module)
        if one is None or one == "common" or path.stem == "commands":
            continue
        graph.setdefault(one, set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            graph[one] |= {p for p in map(package, names) if p and p not in (one, "common")}
    return graph


def reachable(graph: Graph) -> Graph:
    """Return the packages that each package imports, directly or not."""
    found = {name: set(below) for name, below in graph.items()}
    for through in graph:
        for below in found.values():
            if through in below:
                below |= found[through]
    return found


def arrows(graph: Graph) -> list[tuple[str, str]]:
    """Return the imports that do not follow from others."""
    below = reachable(graph)
    return [
        (a, b)
        for a in graph
        for b in sorted(graph[a])
        if not any(b in below[c] for c in graph[a] - {b})
    ]


def rows(graph: Graph) -> list[list[str]]:
    """Return the packages in rows, each above the packages that it imports."""

    def depth(name: str) -> int:
        return 1 + max(map(depth, graph[name]), default=-1)

    depths = {name: depth(name) for name in graph}
    return [
        [name for name in graph if depths[name] == row]
        for row in range(max(depths.values()), -1, -1)
    ]


def places(levels: list[list[str]]) -> dict[str, Place]:
    """Return the centre of the top of each box, by name."""
    return {
        name: (WIDTH * (j + 0.5) / len(names), 20 + ROW * i)
        for i, names in enumerate(levels)
        for j, name in enumerate(names)
    }


def hidden(graph: Graph, centres: dict[str, Place]) -> list[tuple[str, str, str]]:
    """Return (package, imported package, box) of each arrow that passes behind a box between them."""
    found = []
    for above, below in arrows(graph):
        (x0, y0), (x1, y1) = centres[above], centres[below]
        y0 += HEIGHT
        for name, (x, y) in centres.items():
            if not y0 < y < y1 - HEIGHT:
                continue
            ends = [x0 + (x1 - x0) * (at - y0) / (y1 - y0) for at in (y, y + HEIGHT)]
            if min(ends) < x + BOX / 2 and max(ends) > x - BOX / 2:
                found.append((above, below, name))
    return found


def arranged(graph: Graph) -> dict[str, Place]:
    """Return places with few hidden and short arrows: each row in turn gets its best order."""
    levels = rows(graph)

    def cost(order: tuple[str, ...], i: int) -> tuple[int, float]:
        centres = places([*levels[:i], list(order), *levels[i + 1 :]])
        length = sum(abs(centres[a][0] - centres[b][0]) for a, b in arrows(graph))
        return len(hidden(graph, centres)), length

    before: list[list[str]] = []
    while levels != before:
        before = list(levels)
        for i, names in enumerate(levels):
            levels[i] = list(min(permutations(names), key=lambda order, i=i: cost(order, i)))
    return places(levels)


def draw(graph: Graph) -> str:
    """Return the SVG."""
    lines, boxes, centres = [], [], arranged(graph)
    for name, (x, y) in centres.items():
        kind = "common" if name.startswith("common.") else "use" if name in USE else "family"
        boxes += [
            f'<rect x="{x - BOX / 2:.0f}" y="{y:.0f}" width="{BOX}" height="{HEIGHT}" rx="5" '
            f'fill="{COLORS[kind]}" stroke="#555"/>',
            f'<text x="{x:.0f}" y="{y + 22:.0f}" text-anchor="middle">'
            f"{name.removeprefix('common.')}</text>",
        ]
    for above, below in arrows(graph):
        (x0, y0), (x1, y1) = centres[above], centres[below]
        lines.append(
            f'<path d="M{x0:.0f} {y0 + HEIGHT:.0f} L{x1:.0f} {y1:.0f}" stroke="#777" '
            f'marker-end="url(#arrow)"/>'
        )
    height = ROW + max(y for _, y in centres.values())
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            'font-family="sans-serif" font-size="14">',
            '<rect width="100%" height="100%" fill="white"/>',
            '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#777"/></marker></defs>',
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    PATH.write_text(draw(imports()), "utf-8")
