"""The states of a model that steps through time, declared once for all code that steps it.

A graph with states takes each state under its name and returns the next one as `next_<name>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

NEXT = "next_"
# Name of the graph of a model that reads states and returns the next ones.
STEP = "step"


@dataclass(frozen=True)
class StateSpec:
    """A state that a model passes from one step to the next.

    Args:
        name: name of the input; the output is `next_<name>`.
        shape: shape after [batch]; None for an axis with the length of an encoder's input, which is the
            same for all states.
        dtype: dtype of the elements.
        initial: value of all elements at the start of a sequence, unless an encoder provides them.
        constant: whether the state is the same at every step, such as encoder features for attention.
            The step has no next state for it, and a beam search does not reorder it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    initial: float = 0
    constant: bool = False


def initial_states(specs: Iterable[StateSpec], batch_size: int) -> dict[str, np.ndarray]:
    """Return the states at the start of sequences, [batch_size, ...] each, by name."""
    states = {}
    for spec in specs:
        sizes = cast(tuple[int, ...], spec.shape)  # an encoder sets the free axes
        states[spec.name] = np.full((batch_size, *sizes), spec.initial, spec.dtype)
    return states


def next_states(specs: Iterable[StateSpec], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the next states in the outputs of a graph, by the names of their inputs."""
    return {spec.name: outputs[NEXT + spec.name] for spec in specs if not spec.constant}


def as_outputs(states: Mapping[str, Any]) -> dict[str, Any]:
    """Return states by name as outputs of a graph."""
    return {NEXT + name: state for name, state in states.items()}
