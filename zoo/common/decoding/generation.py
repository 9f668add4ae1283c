"""Sequences from a model that gives one token after another: greedy, sampled, or by beam search.

Each function is written once, over an array namespace `xp`: `numpy`, around a model in any runtime, or
`keras.ops`, inside a graph.

A model is a function `step(tokens, states)` of int32 [rows] and a dict of arrays [rows, ...] by the
names of their `StateSpec`s. It returns a dict: `logits` float32 [rows, vocabulary], `next_<name>` for
each state that is not constant, and what else the model gives, such as attention weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.common.core.states import NEXT, StateSpec, next_states

if TYPE_CHECKING:
    from zoo.common.decoding.decoders import Sampling

States = dict[str, Any]
Step = Callable[[Any, States], dict[str, Any]]

# The log-probability of what cannot be. Minus infinity would give NaN where it is multiplied by 0.
NEG_INF = -1e30


class Decoded(NamedTuple):
    """What was generated. `beam_search` has an axis more: [rows, n_best, ...], the best first.

    tokens: int32 [rows, max_length]. `end` from the end on.
    lengths: int32 [rows]. Tokens before the end.
    log_probability: float32 [rows], in nats, of the tokens with the end that was reached. Where a beam
        is wider than there are sequences, those that are none have `NEG_INF` or less.
    extras: dict of arrays [rows, max_length, ...], by name: the extra outputs of the step that gave
        each token; the initial value of their `StateSpec` beyond the end.
    """

    tokens: Any
    lengths: Any
    log_probability: Any
    extras: dict[str, Any]


def graph_step(graph: Callable[..., dict[str, Any]]) -> Step:
    """Return a model's graph `step` as a step of one token.

    Args:
        graph: of `tokens` int32 [rows, time] and the states, by name, to `logits` float32 [rows, time,
            vocabulary], the next states, and other outputs [rows, time, ...].
    """

    def step(tokens, states):
        outputs = graph(tokens=tokens[:, None], **states)
        return {
            name: output if name.startswith(NEXT) else output[:, 0]
            for name, output in outputs.items()
        }

    return step


def log_softmax(logits: Any, xp: Any) -> Any:
    """Return the logarithms of the softmax over the last axis, float32 [..., vocabulary]."""
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def greedy_token(logits: Any, xp: Any) -> Any:
    """Return the likeliest token, int32 [rows], of float32 [rows, vocabulary]."""
    return xp.array(xp.argmax(logits, axis=-1), dtype="int32")


def sample_token(
    logits: Any,
    uniform: Any,
    xp: Any,
    *,
    temperature: Any = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
) -> Any:
    """Return a token drawn from softmax(logits / temperature).

    Args:
        logits: float32 [rows, vocabulary].
        uniform: float32 [rows] in [0, 1). It fixes the draw: the inverse of the distribution function
            at this point, the tokens in order of falling probability.
        top_k: draw from so many of the likeliest tokens; 0 from all.
        top_p: draw from the fewest of the likeliest tokens that together have this probability
            (Holtzman et al., "The curious case of neural text degeneration", 2020, section 3.1).

    Returns:
        int32 [rows].
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
    index = xp.minimum(xp.sum(xp.array(reached, dtype="int32"), axis=-1), last)
    return xp.array(xp.take_along_axis(order, index[:, None], axis=-1)[:, 0], dtype="int32")


def select_token(
    decoder: Sampling, logits: Any, uniform: Any, xp: Any, temperature: Any = None
) -> Any:
    """Return the token that a decoder's sampler takes. Arguments and result as of `sample_token`.

    Args:
        temperature: instead of the decoder's, such as a tensor inside a graph.
    """
    if decoder.sampler == "greedy":
        return greedy_token(logits, xp)
    limits = {"top_k": {"top_k": decoder.top_k}, "top_p": {"top_p": decoder.top_p}, "random": {}}
    temperature = decoder.temperature if temperature is None else temperature
    return sample_token(logits, uniform, xp, temperature=temperature, **limits[decoder.sampler])


def generate(
    step: Step,
    specs: Sequence[StateSpec],
    tokens: Any,
    states: States,
    select: Callable[[Any, Any], Any],
    max_length: Any,
    xp: Any,
    end: int | None = None,
    extras: Sequence[StateSpec] = (),
) -> Decoded:
    """Go on from `tokens` one selected token at a time.

    Args:
        step: the model. specs: what its states are.
        tokens: int32 [rows]. What the first step reads.
        states: arrays [rows, ...] by name. Those before the first step.
        select: of logits float32 [rows, vocabulary] and the number of the step, to the next tokens
            int32 [rows], such as `greedy_token` or `select_token`.
        max_length: the most tokens of a row, `end` included.
        end: the token that ends a row; without one, every row has `max_length` tokens.
        extras: outputs of the step that are kept, with their shape after [rows].
    """
    rows, filler = xp.shape(tokens)[0], end or 0
    constants, states = _divide(specs, states)

    def unfinished(t, tokens, done, *others):
        return (t < max_length) & ~xp.all(done)

    def body(t, tokens, done, total, lengths, out, kept, states):
        outputs = step(tokens, constants | states)
        tokens = select(outputs["logits"], t)
        log_probs = log_softmax(outputs["logits"], xp)
        log_probs = xp.take_along_axis(log_probs, tokens[:, None], axis=-1)[:, 0]
        total = total + xp.where(done, 0.0, log_probs)
        open_rows = ~done
        if end is not None:
            tokens = xp.where(done, filler, tokens)
            done = done | (tokens == end)
        out = write_at(out, tokens, t, open_rows, xp)
        kept = {name: write_at(kept[name], outputs[name], t, open_rows, xp) for name in kept}
        lengths = lengths + xp.array(~done, dtype="int32")
        return t + 1, tokens, done, total, lengths, out, kept, next_states(specs, outputs)

    start = (
        0,
        tokens,
        xp.zeros((rows,), dtype="bool"),
        xp.zeros((rows,), dtype="float32"),
        xp.zeros((rows,), dtype="int32"),
        xp.full((rows, max_length), filler, dtype="int32"),
        _buffers(extras, rows, max_length, xp),
        states,
    )
    _, _, _, total, lengths, out, kept, _ = while_loop(unfinished, body, start, xp)
    return Decoded(out, lengths, total, kept)


def beam_search(
    step: Step,
    specs: Sequence[StateSpec],
    tokens: Any,
    states: States,
    beam_width: int,
    max_length: int,
    end: int,
    xp: Any,
    length_penalty: float = 1.0,
    n_best: int = 1,
    extras: Sequence[StateSpec] = (),
) -> Decoded:
    """Return the best rows a beam finds: the highest log-probability / length ** length_penalty.

    Args:
        step, specs, tokens, states, max_length, end, extras: as of `generate`. A constant state is
            spread to the beams once, and stays as it is.
        beam_width: continuations kept at each step, the ended ones among them; 1 is greedy.
        length_penalty: 0 compares log-probabilities, which favours short rows; 1 their mean over the
            tokens, `end` counted (Wu et al., "Google's neural machine translation system", 2016,
            section 7).
        n_best: how many rows are returned, at most `beam_width`.

    Returns:
        `Decoded` with an axis of `n_best` after that of the rows.
    """
    rows, width = xp.shape(tokens)[0], beam_width
    first_beams = xp.arange(rows)[:, None] * width
    states = {name: xp.repeat(state, width, axis=0) for name, state in states.items()}
    constants, states = _divide(specs, states)

    def unfinished(t, tokens, done, *others):
        return (t < max_length) & ~xp.all(done)

    # `done`, `total` and `lengths` are [rows, width]; all else has its beams as rows.
    def body(t, tokens, done, total, lengths, out, kept, states):
        outputs = step(tokens, constants | states)
        vocabulary = outputs["logits"].shape[-1]
        log_probs = xp.reshape(log_softmax(outputs["logits"], xp), (-1, width, vocabulary))
        # What has ended goes on in one way only, at no cost.
        ended = xp.where(xp.arange(vocabulary) == end, 0.0, NEG_INF)
        log_probs = xp.where(done[:, :, None], xp.array(ended, dtype="float32"), log_probs)
        totals = total[:, :, None] + log_probs
        steps = xp.where(done, lengths + 1, t + 1)  # the end counted
        scores = totals / xp.array(steps, dtype="float32")[:, :, None] ** length_penalty
        best = _best(xp.reshape(scores, (-1, width * vocabulary)), width, xp)
        parents, following = best // vocabulary, xp.array(best % vocabulary, dtype="int32")

        total = xp.take_along_axis(xp.reshape(totals, (-1, width * vocabulary)), best, axis=1)
        done = xp.take_along_axis(done, parents, axis=1)
        lengths = xp.take_along_axis(lengths, parents, axis=1)
        indices = xp.reshape(first_beams + parents, (-1,))
        open_rows, tokens = xp.reshape(~done, (-1,)), xp.reshape(following, (-1,))
        done = done | (following == end)
        lengths = lengths + xp.array(~done, dtype="int32")

        def of_parents(array):
            return xp.take(array, indices, axis=0)

        out = write_at(of_parents(out), tokens, t, open_rows, xp)
        kept = {
            name: write_at(of_parents(kept[name]), of_parents(outputs[name]), t, open_rows, xp)
            for name in kept
        }
        states = {name: of_parents(state) for name, state in next_states(specs, outputs).items()}
        return t + 1, tokens, done, total, lengths, out, kept, states

    beams = xp.repeat(tokens[:, None], width, axis=1)
    first_of_beam = xp.arange(width)[None, :] == 0
    start = (
        0,
        xp.reshape(beams, (-1,)),
        xp.zeros_like(beams, dtype="bool"),
        # All beams begin alike: the first alone may be continued at the first step.
        xp.where(first_of_beam, xp.zeros_like(beams, dtype="float32"), NEG_INF),
        xp.zeros_like(beams),
        xp.full((rows * width, max_length), end, dtype="int32"),
        _buffers(extras, rows * width, max_length, xp),
        states,
    )
    _, _, _, total, lengths, out, kept, _ = while_loop(unfinished, body, start, xp)

    def n_first(array):
        return xp.reshape(array, (-1, width, *xp.shape(array)[1:]))[:, :n_best]

    kept = {name: n_first(array) for name, array in kept.items()}
    return Decoded(n_first(out), lengths[:, :n_best], total[:, :n_best], kept)


def _divide(specs: Sequence[StateSpec], states: States) -> tuple[States, States]:
    """(the constant states, those that each step gives anew)."""
    return (
        {spec.name: states[spec.name] for spec in specs if spec.constant},
        {spec.name: states[spec.name] for spec in specs if not spec.constant},
    )


def _buffers(extras: Sequence[StateSpec], rows: Any, max_length: Any, xp: Any) -> States:
    return {
        spec.name: xp.full((rows, max_length, *spec.shape), spec.initial, dtype=spec.dtype)
        for spec in extras
    }


def write_at(buffer: Any, value: Any, t: Any, open_rows: Any, xp: Any) -> Any:
    """Return `buffer` [rows, max_length, ...] with `value` [rows, ...] at index t of the open rows."""
    here = (xp.arange(xp.shape(buffer)[1]) == t)[None, :] & open_rows[:, None]
    for _ in buffer.shape[2:]:
        here = here[..., None]
    return xp.where(here, value[:, None], buffer)


def _best(scores: Any, count: int, xp: Any) -> Any:
    """The indices of the highest scores of each row, the highest first, of equals the first."""
    if xp is not np:
        return xp.top_k(scores, count)[1]
    scores, best = scores.copy(), []
    for _ in range(count):  # much faster than to sort them all
        best.append(scores.argmax(axis=-1))
        np.put_along_axis(scores, best[-1][:, None], -np.inf, axis=-1)
    return np.stack(best, axis=1)


def while_loop(condition: Callable, body: Callable, state: tuple, xp: Any) -> tuple:
    """Return the last state of a loop: a graph's, or Python's."""
    if xp is not np:
        return xp.while_loop(condition, body, state)
    while condition(*state):
        state = body(*state)
    return state
