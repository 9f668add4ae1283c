"""Dev splits: whole groups of examples, so that dev is of what the model has not met."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any

from zoo.common.core.errors import ZooError


def split_by_group(
    examples: list[Any], group_of: Callable[[Any], Hashable], fraction: float, seed: int
) -> tuple[list[Any], list[Any]]:
    """Split examples in two, `(train, dev)`, with no group in both.

    Args:
        examples: each with an `id`, unique among them.
        group_of: of an example, to its group, such as a speaker, a page or a tape. Where all are of one
            group, the split is between examples.
        fraction: float in (0, 1). The share of examples meant for dev; whole groups make it inexact.
        seed: which groups those are.

    Returns:
        Two lists sorted by id, each of at least one group; neither depends on the order of `examples`.

    Raises:
        ZooError: a fraction outside (0, 1), or fewer than two examples.
    """
    examples = check_split(examples, fraction)
    several = len({group_of(example) for example in examples}) > 1
    groups: dict[Hashable, list[Any]] = {}
    for example in examples:
        groups.setdefault(group_of(example) if several else example.id, []).append(example)
    wanted = fraction * len(examples)
    dev: list[Any] = []
    for group in sorted(groups, key=lambda group: draw(group, seed))[:-1]:
        if dev and len(dev) + len(groups[group]) / 2 > wanted:
            break
        dev += groups[group]
    return separate(examples, {example.id for example in dev})


def check_split(examples: list[Any], fraction: float) -> list[Any]:
    """Return examples sorted by id.

    Raises:
        ZooError: they cannot be split, or not by that fraction.
    """
    if not 0 < fraction < 1:
        raise ZooError(f"A dev fraction must be between 0 and 1. Received: {fraction}.")
    if len(examples) < 2:
        raise ZooError(f"Two examples are needed to split off dev. Received: {len(examples)}.")
    return sorted(examples, key=lambda example: example.id)


def draw(group: Hashable, seed: int) -> bytes:
    """Return what groups are shuffled by: a hash, the same on every version of every library."""
    return hashlib.sha256(f"{seed}:{group}".encode()).digest()


def separate(examples: list[Any], dev: set[str]) -> tuple[list[Any], list[Any]]:
    """Return (train, dev) by the ids of dev."""
    return [e for e in examples if e.id not in dev], [e for e in examples if e.id in dev]
