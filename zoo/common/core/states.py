"""The states of a model that steps through time: declared once, read by all that step it.

A graph with states takes each under its name and gives the next one as `next_<name>`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

NEXT = "next_"


@dataclass(frozen=True)
class StateSpec:
    """What a model hands from one step to the next.

    name: str. The input; the output is `next_<name>`.
    shape: tuple of int. The shape after [batch]; None for an axis that is as long as the input of an
        encoder, the same for all that have one.
    dtype: str. Of its elements.
    initial: float. What every element is where a sequence begins; an encoder may give other states.
    constant: bool. The same at every step, such as an encoder's features that attention reads: the
        step takes it and gives no next one. A beam search does not reorder it.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"
    initial: float = 0
    constant: bool = False


def initial_states(specs: Iterable[StateSpec], batch_size: int) -> dict[str, np.ndarray]:
    """Return the states of sequences that begin, [batch_size, ...] each, by name."""
    states = {}
    for spec in specs:
        shape = (
            batch_size,
            *cast(tuple[int, ...], spec.shape),
        )  # free axes are an encoder's to fill
        states[spec.name] = np.full(shape, spec.initial, spec.dtype)
    return states


def next_states(specs: Iterable[StateSpec], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states in a graph's outputs, by the names of the inputs they are for."""
    return {spec.name: outputs[NEXT + spec.name] for spec in specs if not spec.constant}


def as_outputs(states: Mapping[str, Any]) -> dict[str, Any]:
    """Return states, by name, as the outputs of a graph."""
    return {NEXT + name: state for name, state in states.items()}
