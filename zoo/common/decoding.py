"""Sequences out of a model that gives one token after another: greedy, sampled, or by beam search.

Each function is written once, over an array namespace `xp`: `numpy`, around a model in any runtime, or
`keras.ops`, inside a graph. A model is a function `step(tokens, states) -> (logits, states)`: int32
[rows] and a list of arrays [rows, ...] to float32 [rows, vocabulary] and the next states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from zoo.common.errors import ZooError

Step = Callable[[Any, list], tuple[Any, list]]

SAMPLERS = ("greedy", "random", "top_k", "top_p")

# Of what cannot be chosen. Minus infinity would give NaN where it is multiplied by 0.
IMPOSSIBLE = -1e30


class Decoded(NamedTuple):
    """What was generated.

    tokens: int32 [rows, max_length]. `end` from the end on.
    lengths: int32 [rows]. Tokens before the end.
    log_probability: float32 [rows], in nats, of the tokens with the end that was reached.
    """

    tokens: Any
    lengths: Any
    log_probability: Any


def log_softmax(logits: Any, xp: Any) -> Any:
    """Logarithms of the softmax over the last axis, float32 [..., vocabulary]."""
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def greedy(logits: Any, xp: Any) -> Any:
    """The likeliest token, int32 [rows], of float32 [rows, vocabulary]."""
    return xp.array(xp.argmax(logits, axis=-1), dtype="int32")


def sampled(
    logits: Any,
    uniform: Any,
    xp: Any,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Any:
    """A token drawn from softmax(logits / temperature), int32 [rows], of float32 [rows, vocabulary].

    uniform: float32 [rows] in [0, 1). What fixes the draw: the inverse of the distribution function
        at this point, the tokens in order of falling probability.
    top_k: int. Draw from so many of the likeliest tokens; 0 from all.
    top_p: float. Draw from the fewest of the likeliest tokens that together have this probability
        (Holtzman et al., "The curious case of neural text degeneration", 2020, section 3.1).
    """
    probabilities = xp.exp(log_softmax(logits / temperature, xp))
    order = xp.argsort(-probabilities, axis=-1)
    ordered = xp.take_along_axis(probabilities, order, axis=-1)
    before = xp.cumsum(ordered, axis=-1) - ordered
    kept = before < top_p
    if top_k:
        kept = kept & (xp.arange(logits.shape[-1]) < top_k)
    # The first is kept whatever rounding makes of it.
    kept = kept | (xp.arange(logits.shape[-1]) == 0)
    ordered = xp.where(kept, ordered, 0.0)
    reached = xp.cumsum(ordered, axis=-1) <= uniform[:, None] * xp.sum(ordered, -1, keepdims=True)
    last = xp.sum(xp.array(kept, dtype="int32"), axis=-1) - 1
    place = xp.minimum(xp.sum(xp.array(reached, dtype="int32"), axis=-1), last)
    return xp.array(xp.take_along_axis(order, place[:, None], axis=-1)[:, 0], dtype="int32")


def chosen(
    sampler: str, logits: Any, uniform: Any, xp: Any, *, temperature: Any, top_k: int, top_p: float
) -> Any:
    """The token that a sampler takes, by its name, one of `SAMPLERS`; arguments as of `sampled`."""
    if sampler == "greedy":
        return greedy(logits, xp)
    limits = {"top_k": {"top_k": top_k}, "top_p": {"top_p": top_p}, "random": {}}
    return sampled(logits, uniform, xp, temperature=temperature, **limits[sampler])


def check_sampling(task: Any) -> None:
    """Raises `ZooError` for what `chosen` cannot take among a task's temperature, top_k and top_p."""
    if not 0 < task.temperature < float("inf"):
        raise ZooError(f"task.temperature is above 0. Received: {task.temperature}.")
    if task.top_k < 1:
        raise ZooError(f"task.top_k is at least 1. Received: {task.top_k}.")
    if not 0 < task.top_p <= 1:
        raise ZooError(f"task.top_p lies in (0, 1]. Received: {task.top_p}.")


def generate(
    step: Step,
    tokens: Any,
    states: list,
    choose: Callable[[Any, Any], Any],
    max_length: Any,
    xp: Any,
    end: int | None = None,
) -> Decoded:
    """Goes on from `tokens` one chosen token at a time.

    tokens: int32 [rows]. What the first step reads.
    choose: of logits float32 [rows, vocabulary] and the number of the step, the next tokens int32
        [rows], such as `greedy` or `sampled`.
    max_length: int. The most tokens of a row, `end` included.
    end: int. The token that ends a row; without one, every row has `max_length` tokens.
    """
    rows, filler = xp.shape(tokens)[0], end or 0
    places = xp.arange(max_length)

    def unfinished(t, tokens, out, lengths, total, done, *states):
        return (t < max_length) & ~xp.all(done)

    def body(t, tokens, out, lengths, total, done, *states):
        logits, states = step(tokens, list(states))
        tokens = choose(logits, t)
        chosen = xp.take_along_axis(log_softmax(logits, xp), tokens[:, None], axis=-1)[:, 0]
        total = total + xp.where(done, 0.0, chosen)
        if end is not None:
            tokens = xp.where(done, filler, tokens)
            done = done | (tokens == end)
        out = xp.where(places == t, tokens[:, None], out)
        lengths = lengths + xp.array(~done, dtype="int32")
        return (t + 1, tokens, out, lengths, total, done, *states)

    start = (
        0,
        tokens,
        xp.full((rows, max_length), filler, dtype="int32"),
        xp.zeros((rows,), dtype="int32"),
        xp.zeros((rows,), dtype="float32"),
        xp.zeros((rows,), dtype="bool"),
        *states,
    )
    _, _, out, lengths, total, *_ = _while(unfinished, body, start, xp)
    return Decoded(out, lengths, total)


def beam_search(
    step: Step,
    tokens: Any,
    states: list,
    beam_width: int,
    max_length: int,
    end: int,
    xp: Any,
    length_power: float = 1.0,
) -> Decoded:
    """The best row that a beam finds: the highest log-probability / length ** length_power.

    tokens: int32 [rows]. What the first step reads. `max_length`, `end`: as in `generate`.
    beam_width: int. Continuations kept at each step, the ended ones among them; 1 is greedy.
    length_power: float. 0 compares log-probabilities, which favours short rows; 1 their mean over the
        tokens, `end` counted (Wu et al., "Google's neural machine translation system", 2016, section 7).
    """
    rows = xp.shape(tokens)[0]
    width = beam_width
    places = xp.arange(max_length)
    first_row = xp.arange(rows)[:, None] * width
    first_of_beam = xp.arange(width)[None, :] == 0

    def unfinished(t, tokens, out, lengths, total, done, *states):
        return (t < max_length) & ~xp.all(done)

    def body(t, tokens, out, lengths, total, done, *states):
        logits, states = step(xp.reshape(tokens, (-1,)), list(states))
        vocabulary = logits.shape[-1]
        gains = xp.reshape(log_softmax(logits, xp), (-1, width, vocabulary))
        # What has ended goes on in one way only, at no cost.
        ended = xp.where(xp.arange(vocabulary) == end, 0.0, IMPOSSIBLE)
        gains = xp.where(done[:, :, None], xp.array(ended, dtype="float32"), gains)
        totals = total[:, :, None] + gains
        steps = xp.where(done, lengths + 1, t + 1)  # the end counted
        scores = totals / xp.array(steps, dtype="float32")[:, :, None] ** length_power
        best = _best(xp.reshape(scores, (-1, width * vocabulary)), width, xp)
        parents, tokens = best // vocabulary, xp.array(best % vocabulary, dtype="int32")

        total = xp.take_along_axis(xp.reshape(totals, (-1, width * vocabulary)), best, axis=1)
        out = xp.take_along_axis(out, parents[:, :, None], axis=1)
        out = xp.where(places == t, tokens[:, :, None], out)
        done = xp.take_along_axis(done, parents, axis=1) | (tokens == end)
        lengths = xp.take_along_axis(lengths, parents, axis=1) + xp.array(~done, dtype="int32")
        chosen = xp.reshape(first_row + parents, (-1,))
        states = [xp.take(state, chosen, axis=0) for state in states]
        return (t + 1, tokens, out, lengths, total, done, *states)

    beams = xp.repeat(tokens[:, None], width, axis=1)
    start = (
        0,
        beams,
        xp.full((rows, width, max_length), end, dtype="int32"),
        xp.zeros_like(beams),
        # All beams begin alike: the first alone may be continued at the first step.
        xp.where(first_of_beam, xp.zeros_like(beams, dtype="float32"), IMPOSSIBLE),
        xp.zeros_like(beams, dtype="bool"),
        *(xp.repeat(state, width, axis=0) for state in states),
    )
    _, _, out, lengths, total, *_ = _while(unfinished, body, start, xp)
    return Decoded(out[:, 0], lengths[:, 0], total[:, 0])


def _best(scores: Any, count: int, xp: Any) -> Any:
    """Places of the highest scores of each row, the highest first."""
    if hasattr(xp, "top_k"):
        return xp.top_k(scores, count)[1]
    return xp.argsort(-scores, axis=-1, kind="stable")[:, :count]


def _while(condition: Callable, body: Callable, state: tuple, xp: Any) -> tuple:
    """A graph's loop, or Python's."""
    if hasattr(xp, "while_loop"):
        return xp.while_loop(condition, body, state)
    while condition(*state):
        state = body(*state)
    return state
