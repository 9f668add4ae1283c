"""Dev splits of whole groups, such that no group is in both train and dev."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from typing import Any

from zoo.common.core.errors import ZooError


def split_by_group(
    examples: list[Any], group_of: Callable[[Any], Hashable], fraction: float, seed: int
) -> tuple[list[Any], list[Any]]:
    """Split examples into `(train, dev)` with no group in both.

    Args:
        examples: examples with unique attributes `id`.
        group_of: maps an example to its group, such as a speaker, a page or a tape. If all examples are
            in one group, the split is between examples.
        fraction: float in (0, 1). Approximate share of examples in dev, which has whole groups.
        seed: determines the groups in dev.

    Returns:
        Two lists sorted by id, each with at least one group. They do not depend on the order of
        `examples`.

    Raises:
        ZooError: the fraction is outside (0, 1), or there are fewer than two examples.
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
        ZooError: there are fewer than two examples, or the fraction is outside (0, 1).
    """
    if not 0 < fraction < 1:
        raise ZooError(f"A dev fraction must be between 0 and 1. Received: {fraction}.")
    if len(examples) < 2:
        raise ZooError(f"Two examples are needed to split off dev. Received: {len(examples)}.")
    return sorted(examples, key=lambda example: example.id)


def draw(group: Hashable, seed: int) -> bytes:
    """Return the sort key that shuffles groups: a hash that does not depend on library versions."""
    return hashlib.sha256(f"{seed}:{group}".encode()).digest()


def separate(examples: list[Any], dev: set[str]) -> tuple[list[Any], list[Any]]:
    """Return (train, dev), where `dev` is the set of ids in dev."""
    return [e for e in examples if e.id not in dev], [e for e in examples if e.id in dev]
