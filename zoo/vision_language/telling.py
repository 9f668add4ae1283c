"""Captions out of a captioner's graphs, in NumPy or inside a graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common import decoding
from zoo.common.vocabulary import END, PAD, START, UNKNOWN

if TYPE_CHECKING:
    from zoo.vision_language.task import Captioning


def tell(
    task: Captioning,
    step: Callable[..., dict[str, Any]],
    states: dict[str, Any],
    xp: Any,
    draw: Callable[[int], Any] | None = None,
) -> decoding.Decoded:
    """The captions that a task's sampler finds. See `zoo.common.decoding`.

    step: the graph, of `tokens` int32 [rows, 1] and states by name. states: what the encoder gave,
        each [rows, ...] as `next_` and its name. xp: the array namespace of both.
    draw: of a number of rows, as many float32 in [0, 1). Only what is drawn needs it, in NumPy.
    """
    names = sorted(name.removeprefix("next_") for name in states)
    index = task.vocabulary.index
    unspoken = np.zeros(len(task.vocabulary), np.float32)
    unspoken[[index(PAD), index(UNKNOWN), index(START)]] = decoding.IMPOSSIBLE

    def one_step(tokens, states):
        answer = step(tokens=tokens[:, None], **dict(zip(names, states, strict=True)))
        return answer["logits"][:, 0] + unspoken, [answer[f"next_{name}"] for name in names]

    def choose(logits, t):
        return decoding.chosen(
            task.sampler,
            logits,
            draw(len(logits)),
            xp,
            temperature=task.temperature,
            top_k=task.top_k,
            top_p=task.top_p,
        )

    first_states = [states[f"next_{name}"] for name in names]
    first = xp.full((xp.shape(first_states[0])[0],), index(START), dtype="int32")
    end, longest = index(END), task.max_length + 1
    widths = {"beam": task.beam_width, "greedy": 1}
    if task.sampler not in widths:
        return decoding.generate(one_step, first, first_states, choose, longest, xp, end)
    return decoding.beam_search(
        one_step, first, first_states, widths[task.sampler], longest, end, xp, task.length_power
    )
