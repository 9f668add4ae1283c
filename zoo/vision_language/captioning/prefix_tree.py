"""The probabilities of many texts at once: texts that begin alike share their first steps.

A tree of texts has a node for each beginning, and a model steps through it depth by depth:

    log P(beginning + token) = log P(beginning) + log P(token | state after beginning)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.common.core.states import StateSpec, next_states
from zoo.common.decoding.generation import graph_step, log_softmax


class Level(NamedTuple):
    """The nodes at one depth, as what follows the nodes of the depth before, their parents.

    ended, ended_parents: int [texts]. The texts that end here, and after which parent.
    tokens, parents: int32, int [nodes]. The token of each node that texts go on from, and its parent.
    """

    ended: list[int]
    ended_parents: list[int]
    tokens: np.ndarray
    parents: np.ndarray


def prefix_tree(texts: Sequence[Sequence[int]]) -> list[Level]:
    """Return the levels below the root, which is the token that all texts begin with.

    Args:
        texts: tokens of each, from the start to the end, which stands nowhere else.
    """
    levels, place = [], [0] * len(texts)  # of each text, its node at the depth before
    for depth in range(1, max(map(len, texts))):
        ended = [i for i, text in enumerate(texts) if len(text) == depth + 1]
        ended_parents = [place[i] for i in ended]
        nodes: dict[tuple[int, int], int] = {}
        for i, text in enumerate(texts):
            if len(text) > depth + 1:
                place[i] = nodes.setdefault((place[i], text[depth]), len(nodes))
        parents, tokens = np.array(list(nodes), int).reshape(-1, 2).T
        levels.append(Level(ended, ended_parents, tokens.astype(np.int32), parents))
    return levels


def tree_log_probabilities(
    step: Callable[..., dict[str, Any]],
    specs: Sequence[StateSpec],
    states: dict[str, np.ndarray],
    tree: Sequence[Level],
    start: int,
    end: int,
) -> np.ndarray:
    """Return the log-probability of each text, its end included, in nats, float32 [rows, texts].

    Args:
        step: a model's graph `step`. states: before the first token, by name, [rows, ...].
        tree: as of `prefix_tree`. start, end: the tokens that texts begin and end with.
    """
    rows, one_step = len(states[specs[0].name]), graph_step(step)
    constants = {spec.name: states[spec.name] for spec in specs if spec.constant}
    found = np.empty((rows, sum(len(level.ended) for level in tree)), np.float32)
    tokens, scores = np.full(1, start, np.int32), np.zeros((rows, 1), np.float32)
    for level in tree:
        outputs = one_step(np.tile(tokens, rows), states)
        log_probs = log_softmax(outputs["logits"], np).reshape(rows, len(tokens), -1)
        ended, parents = level.ended_parents, level.parents
        found[:, level.ended] = scores[:, ended] + log_probs[:, ended, end]
        scores = scores[:, parents] + log_probs[:, parents, level.tokens]
        # Row by row of the batch, the nodes of this depth.
        of_parents = (np.arange(rows)[:, None] * len(tokens) + parents).ravel()
        states = {n: state[of_parents] for n, state in next_states(specs, outputs).items()}
        states |= {n: np.repeat(state, len(parents), axis=0) for n, state in constants.items()}
        tokens = level.tokens
    return found
