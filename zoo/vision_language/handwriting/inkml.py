"""Read InkML, the W3C format of pen strokes: https://www.w3.org/TR/InkML (2011)."""

from __future__ import annotations

from xml.etree import ElementTree

from zoo.common.core.errors import ZooError

NAMESPACE = "{http://www.w3.org/2003/InkML}"
XML = "{http://www.w3.org/XML/1998/namespace}"


def parse_inkml(text: str) -> list[list[list[float]]]:
    """Return the strokes [[x, y], ...] of an InkML document, where y grows downwards.

    Each trace is a stroke, in the order of the document; a trace that continues another one is the rest
    of its stroke. Traces of the type "penUp" are left out. Channels are X and Y, or as listed in the
    `traceFormat`. A document type is an error, since the expansion of entities could exhaust the memory.

    Args:
        text: the document.

    Raises:
        ZooError: the document is not valid XML, has a document type, has no traces, has points in
            another form than numbers with a comma between points, or has an element that changes the
            coordinates: a second format, a mapping, traces in definitions, or x and y in two units.
    """
    parser = ElementTree.XMLParser(target=_Builder())
    try:
        parser.feed(text)
        root = parser.close()
    except ElementTree.ParseError as error:
        raise ZooError(f"invalid XML: {error}.") from None
    if root.tag not in (f"{NAMESPACE}ink", "ink"):
        raise ZooError(f"the outermost element must be ink. Received: {root.tag[:80]!r}.")
    space = root.tag.removesuffix("ink")
    _check_elements(root, space)
    columns = _columns(root.find(f".//{space}traceFormat"), space)
    traces = [t for t in root.iter(f"{space}trace") if t.get("type") != "penUp"]
    if not traces:
        raise ZooError("an InkML document must have a trace. Received: none.")
    return _join([(t, _stroke(t, i, columns)) for i, t in enumerate(traces, start=1)])


def _check_elements(root: ElementTree.Element, space: str) -> None:
    """Check that all traces have the same coordinates."""
    forms = {
        tuple(tuple(sorted(channel.attrib.items())) for channel in form.iter(f"{space}channel"))
        for form in root.iter(f"{space}traceFormat")
    }
    if len(forms) > 1:
        raise ZooError(f"an InkML document must have one traceFormat. Received: {len(forms)}.")
    mappings = [m for m in root.iter(f"{space}mapping") if m.get("type") != "identity"]
    if mappings or root.find(f".//{space}canvasTransform") is not None:
        raise ZooError("mappings and canvas transforms of coordinates are not supported.")
    if root.find(f".//{space}definitions//{space}trace") is not None:
        raise ZooError("traces in definitions are not supported.")


def _join(traces: list[tuple[ElementTree.Element, list[list[float]]]]) -> list[list[list[float]]]:
    """Return strokes, each of a trace and those that continue it."""
    strokes: list[list[list[float]]] = []
    by_id: dict[str, list[list[float]]] = {}
    for trace, points in traces:
        if trace.get("continuation") in ("middle", "end"):
            before = trace.get("priorRef", "").removeprefix("#")
            if before not in by_id:
                raise ZooError(f"there is no trace {before[:80]!r} that a trace can continue.")
            stroke = by_id[before]
            stroke += points
        else:
            strokes.append(stroke := points)
        for name in ("id", f"{XML}id"):
            by_id[trace.get(name, "")] = stroke
    return strokes


class _Builder(ElementTree.TreeBuilder):
    """Builder of documents without a document type."""

    def doctype(self, name: str, *_: str | None) -> None:
        raise ZooError(f"InkML must have no document type. Received: <!DOCTYPE {name[:40]} ...>.")


def _columns(form: ElementTree.Element | None, space: str) -> list[tuple[int, int]]:
    """Return (index in the numbers of a point, sign) of x and of y."""
    if form is None:
        return [(0, 1), (1, 1)]
    channels = {c.get("name"): (i, c) for i, c in enumerate(form.iter(f"{space}channel"))}
    if missing := {"X", "Y"} - set(channels):
        raise ZooError(
            f"the traceFormat must have the channels X and Y: {min(missing)} is missing."
        )
    found = [channels[name] for name in "XY"]
    units = [channel.get("units") for _, channel in found]
    if units[0] != units[1]:
        raise ZooError(f"the channels X and Y must have the same units. Received: {units}.")
    return [(i, -1 if channel.get("orientation") == "-ve" else 1) for i, channel in found]


def _stroke(
    trace: ElementTree.Element, number: int, columns: list[tuple[int, int]]
) -> list[list[float]]:
    """Return the points of a trace. A number may have the prefix "!", which marks an absolute value."""
    points = [point.split() for point in (trace.text or "").split(",")]
    try:
        return [
            [sign * float(point[i].removeprefix("!")) for i, sign in columns]
            for point in points
            if point
        ]
    except (ValueError, IndexError):
        raise ZooError(
            f"trace {number} must be points of numbers, such as '3 4, 5 6', without differences. "
            f"Received: {' '.join((trace.text or '').split())[:60]!r}."
        ) from None
