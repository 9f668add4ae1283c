"""Read InkML, the W3C format of pen strokes: https://www.w3.org/TR/InkML (2011)."""

from __future__ import annotations

from xml.etree import ElementTree

from zoo.common.core.errors import ZooError

NAMESPACE = "{http://www.w3.org/2003/InkML}"


def parse_inkml(text: str) -> list[list[list[float]]]:
    """Return the strokes [[x, y], ...] of an InkML document, where y grows downwards.

    Each trace is a stroke, in the order of the document. Traces of the type "penUp" are left out.
    Channels are X and Y, or as listed in the first `traceFormat`. A document type is an error, since the
    expansion of entities could exhaust the memory.

    Args:
        text: the document.

    Raises:
        ZooError: the document is not valid XML, has a document type, has no traces, or has points in
            another form than numbers with a comma between points.
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
    columns = _columns(root.find(f".//{space}traceFormat"), space)
    traces = [t for t in root.iter(f"{space}trace") if t.get("type") != "penUp"]
    if not traces:
        raise ZooError("an InkML document must have a trace. Received: none.")
    return [_stroke(trace, i, columns) for i, trace in enumerate(traces, start=1)]


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
