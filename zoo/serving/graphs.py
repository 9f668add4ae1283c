"""The graphs of a version as functions of checked tensors, for the standard protocols."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import numpy as np

from zoo.common.core.errors import ExportError, ZooError, check_range, nearest
from zoo.serving.batching import LENGTHS
from zoo.serving.errors import RequestError, not_found
from zoo.serving.versions import SAVEDMODEL, Version

# The graph that a request without the name of a graph means: the first that the export has.
DEFAULTS = ("serving_default", "model", "step")
STRING = "string"


@dataclass(frozen=True)
class TensorSpec:
    """A tensor of a graph.

    Args:
        name: its name.
        dtype: name of the NumPy dtype, or `STRING`.
        shape: sizes of the axes, with names in place of free ones. The first is the batch.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...]

    def check(self, array: np.ndarray) -> np.ndarray:
        """Return an array with the dtype of the tensor.

        Raises:
            ZooError: it has another shape, another kind of elements, or a NaN or infinite number.
        """
        expected, received = self.shape, array.shape
        fits = len(expected) == len(received) and all(
            isinstance(size, str) or size == given
            for size, given in zip(expected, received, strict=False)
        )
        if not fits:
            raise ZooError(
                f"{self.name} must have the shape {list(expected)}. Received: {list(received)}."
            )
        if self.dtype == STRING:
            if array.dtype.kind not in "OSU":
                raise ZooError(f"{self.name} must be texts or bytes. Received: {array.dtype}.")
            return array
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ZooError(f"{self.name} must have finite numbers only.")
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise ZooError(f"{self.name} must be {self.dtype}. Received: {array.dtype}.")
        with np.errstate(over="ignore"):
            cast = array.astype(self.dtype)
        if not np.array_equal(cast, array) and cast.dtype.kind in "iu":
            raise ZooError(f"{self.name} must be {self.dtype}. Received: a larger number.")
        return cast


@dataclass(frozen=True)
class Graph:
    """A graph of a version.

    Args:
        name: its name.
        inputs: its inputs by name.
        outputs: its outputs by name.
        version: the version.
    """

    name: str
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    version: Version

    def run(self, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs for named inputs.

        Raises:
            RequestError: an input is missing, unknown or invalid, or the graph refuses it.
            ExportError: the export is damaged.
        """
        try:
            return self.version.graphs[self.name](**self._checked(given))
        except ExportError:
            raise
        except ZooError as error:
            message = self.version.without_paths(str(error))
            raise RequestError(HTTPStatus.BAD_REQUEST, message) from None

    def _checked(self, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        for name in given:
            if name not in self.inputs:
                raise ZooError(
                    f"{self.name} has no input {name[:80]!r}. {nearest(name[:80], self.inputs)} "
                    f"{raw_input_hint(self.version)}".rstrip()
                )
        missing = ", ".join(name for name in self.inputs if name not in given)
        if missing:
            raise ZooError(
                f"{self.name} needs the inputs {', '.join(self.inputs)}. Missing: {missing}."
            )
        arrays = {name: spec.check(given[name]) for name, spec in self.inputs.items()}
        rows = {len(array) for array in arrays.values()}
        if len(rows) != 1 or 0 in rows:
            raise ZooError(
                f"The inputs must have the same number of rows, at least 1. Received: {sorted(rows)}."
            )
        if LENGTHS in arrays:
            longest = max(array.shape[1] for array in arrays.values() if array.ndim > 1)
            for length in arrays[LENGTHS].tolist():
                check_range(LENGTHS, length, at_least=1, at_most=longest)
        return arrays


def find_graph(version: Version, name: str | None = None) -> Graph:
    """Return a graph of a version.

    Args:
        version: the version.
        name: name of the graph; None for the default one.

    Raises:
        RequestError: there is no such graph, or the version runs without an export.
    """
    graphs: dict[str, Any] = version.signature.get("graphs", {})
    if not graphs:
        raise RequestError(
            HTTPStatus.NOT_IMPLEMENTED,
            f"{version.recipe.name} runs on {version.graphs.backend}, without a description of its "
            "graphs. Export the preset first: zoo export PRESET --to onnx.",
        )
    if name is None:
        name = next((each for each in DEFAULTS if each in graphs), next(iter(graphs)))
    if name not in graphs:
        raise not_found(
            f"{version.recipe.name} has no graph {name[:80]!r}. {nearest(name[:80], graphs)} "
            f"{raw_input_hint(version)}".rstrip()
        )
    inputs, outputs = (_specs(graphs[name][side]) for side in ("inputs", "outputs"))
    return Graph(name, inputs, outputs, version)


def raw_input_hint(version: Version) -> str:
    """Return where raw inputs are answered; empty for a SavedModel, whose signatures take them."""
    if version.graphs.backend == SAVEDMODEL:
        return ""
    return "Files and texts are inputs of /v1/presets, and here with --backend savedmodel."


def graph_names(version: Version) -> list[str]:
    """Return the names of the graphs that the standard protocols serve."""
    return list(version.signature.get("graphs", {}))


def _specs(tensors: dict[str, Any]) -> dict[str, TensorSpec]:
    return {
        name: TensorSpec(name, tensor["dtype"], tuple(tensor["shape"]))
        for name, tensor in tensors.items()
    }
