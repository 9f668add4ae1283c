"""Precisions of the weights of exports, and the runtimes of exports with smaller weights."""

from __future__ import annotations

# See `zoo.common.export.precision`.
FLOAT32, FLOAT16, INT8 = PRECISIONS = ("float32", "float16", "int8")
# Formats with exports of every precision. The others have float32 only.
PRECISE_FORMATS = ("onnx", "litert")
# Format and precision of the runtimes of exports with smaller weights, such as "onnx-int8".
SMALLER = {
    f"{format_}-{precision}": (format_, precision)
    for format_ in PRECISE_FORMATS
    for precision in (FLOAT16, INT8)
}


def runtime_name(format_: str, precision: str) -> str:
    """Return the name of a runtime, such as "onnx-int8"; for float32, the name of the format."""
    return format_ if precision == FLOAT32 else f"{format_}-{precision}"


def format_of(runtime: str) -> tuple[str, str]:
    """Return the format and the precision of a runtime."""
    return SMALLER.get(runtime, (runtime, FLOAT32))


def export_arguments(runtime: str) -> str:
    """Return the arguments of `zoo export` that export to a runtime."""
    format_, precision = format_of(runtime)
    return f"--to {format_}" + (f" --precision {precision}" if precision != FLOAT32 else "")
