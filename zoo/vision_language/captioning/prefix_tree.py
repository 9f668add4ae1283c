"""The probabilities of many texts at once. Texts with a common beginning share its steps.

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
    """The nodes at one depth. Their parents are the nodes at the depth before.

    Args:
        ended: indices of the texts that end at this depth.
        ended_parents: the parent of the end of each of those texts.
        tokens: int32 [nodes], the token of each node that has a continuation.
        parents: int [nodes], the parent of each node.
    """

    ended: list[int]
    ended_parents: list[int]
    tokens: np.ndarray
    parents: np.ndarray


def prefix_tree(texts: Sequence[Sequence[int]]) -> list[Level]:
    """Return the levels below the root, which is the start token of all texts.

    Args:
        texts: tokens of each text, including the start and end tokens.
    """
    levels, node = [], [0] * len(texts)  # the node of each text at the depth before
    for depth in range(1, max(map(len, texts))):
        ended = [i for i, text in enumerate(texts) if len(text) == depth + 1]
        ended_parents = [node[i] for i in ended]
        nodes: dict[tuple[int, int], int] = {}
        for i, text in enumerate(texts):
            if len(text) > depth + 1:
                node[i] = nodes.setdefault((node[i], text[depth]), len(nodes))
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
    """Return the log-probability of each text including its end, in nats, float32 [rows, texts].

    Args:
        step: the graph `step` of a model.
        specs: the states of the model.
        states: states before the first token by name, each [rows, ...].
        tree: result of `prefix_tree`.
        start: the start token.
        end: the end token.
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
        # For each row of the batch, the nodes at this depth.
        of_parents = (np.arange(rows)[:, None] * len(tokens) + parents).ravel()
        states = {n: state[of_parents] for n, state in next_states(specs, outputs).items()}
        states |= {n: np.repeat(state, len(parents), axis=0) for n, state in constants.items()}
        tokens = level.tokens
    return found
