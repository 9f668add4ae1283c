"""Generate sequences of tokens with a model: greedy, by sampling, or by beam search.

Each function takes an array namespace `xp`: `numpy` for a model in any runtime, or `keras.ops` inside a
graph.

A model is a function `step(tokens, states)`. Its arguments are int32 [rows] and a dict of arrays
[rows, ...] by the names of their `StateSpec`s. It returns a dict with `logits` float32
[rows, vocabulary], `next_<name>` for each state that is not constant, and other outputs of the model,
such as attention weights.
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

# Finite logarithm of a probability of 0. Minus infinity multiplied by 0 would be NaN.
NEG_INF = -1e30


class Decoded(NamedTuple):
    """Generated sequences.

    Arrays of `beam_search` have one more axis: [rows, n_best, ...], the best sequence first.

    Args:
        tokens: int32 [rows, max_length], filled with `end` after the end of a sequence.
        lengths: int32 [rows], the number of tokens before the end.
        log_probability: float32 [rows], the log-probability in nats of the tokens, with the end token
            if it was generated. If fewer sequences exist than the beam is wide, the rows without a
            sequence have `NEG_INF` or less.
        extras: arrays [rows, max_length, ...] by name: the extra outputs of the step that generated
            each token, filled with the initial value of their `StateSpec` after the end.
    """

    tokens: Any
    lengths: Any
    log_probability: Any
    extras: dict[str, Any]


def graph_step(graph: Callable[..., dict[str, Any]]) -> Step:
    """Return a function of one token from the graph `step` of a model.

    Args:
        graph: maps `tokens` int32 [rows, time] and the states, by name, to `logits` float32 [rows, time,
            vocabulary], the next states, and other outputs [rows, time, ...].
    """

    def step(tokens: Any, states: States) -> dict[str, Any]:
        outputs = graph(tokens=tokens[:, None], **states)
        return {
            name: output if name.startswith(NEXT) else output[:, 0]
            for name, output in outputs.items()
        }

    return step


def log_softmax(logits: Any, xp: Any) -> Any:
    """Return the logarithm of the softmax over the last axis.

    Args:
        logits: float [..., vocabulary].
        xp: array namespace.
    """
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def greedy_token(logits: Any, xp: Any) -> Any:
    """Return the most probable tokens, int32 [rows].

    Args:
        logits: float32 [rows, vocabulary].
        xp: array namespace.
    """
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
    """Return tokens drawn from softmax(logits / temperature).

    Args:
        logits: float32 [rows, vocabulary].
        uniform: float32 [rows] in [0, 1), a random number per row. The token is the inverse of the
            cumulative distribution at this number, with the tokens in order of falling probability.
        xp: array namespace.
        temperature: divisor of the logits.
        top_k: number of the most probable tokens to draw from; 0 for all.
        top_p: draw from the smallest set of the most probable tokens with at least this total
            probability (Holtzman et al., "The curious case of neural text degeneration", 2020, section
            3.1).

    Returns:
        int32 [rows].
    """
    if xp is np:
        # Sums in float32 over a large vocabulary would turn differences in the last bits of the logits,
        # which runtimes have, into other tokens.
        logits = np.asarray(logits, np.float64)
    probabilities = xp.exp(log_softmax(logits / temperature, xp))
    order = xp.argsort(-probabilities, axis=-1)
    ordered = xp.take_along_axis(probabilities, order, axis=-1)
    before = xp.cumsum(ordered, axis=-1) - ordered
    kept = before < top_p
    if top_k:
        kept = kept & (xp.arange(logits.shape[-1]) < top_k)
    # Always keep the first token, in spite of rounding errors.
    kept = kept | (xp.arange(logits.shape[-1]) == 0)
    ordered = xp.where(kept, ordered, 0.0)
    reached = xp.cumsum(ordered, axis=-1) <= uniform[:, None] * xp.sum(ordered, -1, keepdims=True)
    last = xp.sum(xp.array(kept, dtype="int32"), axis=-1) - 1
    index = xp.minimum(xp.sum(xp.array(reached, dtype="int32"), axis=-1), last)
    return xp.array(xp.take_along_axis(order, index[:, None], axis=-1)[:, 0], dtype="int32")


def select_token(
    decoder: Sampling, logits: Any, uniform: Any, xp: Any, temperature: Any = None
) -> Any:
    """Return the tokens that a decoder's sampler selects, int32 [rows].

    Args:
        decoder: the sampler and its options.
        logits: float32 [rows, vocabulary].
        uniform: float32 [rows] in [0, 1), a random number per row; not used by the sampler "greedy".
        xp: array namespace.
        temperature: replaces the temperature of the decoder, for example by a tensor of a graph.
    """
    if decoder.sampler == "greedy":
        return greedy_token(logits, xp)
    limits: dict[str, dict[str, Any]] = {
        "top_k": {"top_k": decoder.top_k},
        "top_p": {"top_p": decoder.top_p},
        "random": {},
    }
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
    """Generate tokens one by one with a function that selects them.

    Args:
        step: the model.
        specs: the states of the model.
        tokens: int32 [rows], the tokens that the first step reads.
        states: arrays [rows, ...] by name, the states before the first step.
        select: maps logits float32 [rows, vocabulary] and the number of the step to the next tokens
            int32 [rows], for example by `greedy_token` or `select_token`.
        max_length: maximum number of tokens per row, with `end`.
        xp: array namespace.
        end: the token that ends a row. Without it, every row has `max_length` tokens.
        extras: the outputs of the step to return, with their shape after [rows].
    """
    rows, filler = xp.shape(tokens)[0], end or 0
    constants, states = _split_states(specs, states)

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
    """Return the sequences with the highest log-probability / length ** length_penalty in a beam.

    Args:
        step: the model.
        specs: the states of the model.
        tokens: int32 [rows], the tokens that the first step reads.
        states: arrays [rows, ...] by name, the states before the first step. Constant states are
            repeated for the beams once.
        beam_width: number of sequences to keep at each step, with those that have ended; 1 is greedy.
        max_length: maximum number of tokens per sequence, with `end`.
        end: the token that ends a sequence.
        xp: array namespace.
        length_penalty: 0 compares log-probabilities, which favours short sequences; 1 compares their
            mean over the tokens, with `end` (Wu et al., "Google's neural machine translation system",
            2016, section 7).
        n_best: number of sequences to return, at most `beam_width`.
        extras: the outputs of the step to return, with their shape after [rows].

    Returns:
        `Decoded` with an axis of length `n_best` after the axis of the rows.
    """
    rows, width = xp.shape(tokens)[0], beam_width
    first_beams = xp.arange(rows)[:, None] * width
    states = {name: xp.repeat(state, width, axis=0) for name, state in states.items()}
    constants, states = _split_states(specs, states)

    def unfinished(t, tokens, done, *others):
        return (t < max_length) & ~xp.all(done)

    # `done`, `total` and `lengths` are [rows, width]. All other arrays are [rows * width, ...].
    def body(t, tokens, done, total, lengths, out, kept, states):
        outputs = step(tokens, constants | states)
        vocabulary = outputs["logits"].shape[-1]
        log_probs = xp.reshape(log_softmax(outputs["logits"], xp), (-1, width, vocabulary))
        # A sequence that has ended has one continuation, with log-probability 0.
        ended = xp.where(xp.arange(vocabulary) == end, 0.0, NEG_INF)
        log_probs = xp.where(done[:, :, None], xp.array(ended, dtype="float32"), log_probs)
        totals = total[:, :, None] + log_probs
        steps = xp.where(done, lengths + 1, t + 1)  # with the end token
        scores = totals / xp.array(steps, dtype="float32")[:, :, None] ** length_penalty
        best = _top_k(xp.reshape(scores, (-1, width * vocabulary)), width, xp)
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
        # All beams are equal before the first step, so only the first one is continued.
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


def _split_states(specs: Sequence[StateSpec], states: States) -> tuple[States, States]:
    """Return the constant states, and the states that each step updates."""
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
    """Return a buffer with new values at one time step.

    Args:
        buffer: [rows, max_length, ...].
        value: [rows, ...].
        t: index of the time step.
        open_rows: bool [rows]. Other rows do not change.
        xp: array namespace.
    """
    here = (xp.arange(xp.shape(buffer)[1]) == t)[None, :] & open_rows[:, None]
    for _ in buffer.shape[2:]:
        here = here[..., None]
    return xp.where(here, value[:, None], buffer)


def _top_k(scores: Any, count: int, xp: Any) -> Any:
    """Return the indices of the highest scores per row, the highest first; of equal ones the first."""
    if xp is not np:
        return xp.top_k(scores, count)[1]
    scores, best = scores.copy(), []
    for _ in range(count):  # much faster than a full sort
        best.append(scores.argmax(axis=-1))
        np.put_along_axis(scores, best[-1][:, None], -np.inf, axis=-1)
    return np.stack(best, axis=1)


def while_loop(condition: Callable, body: Callable, state: tuple, xp: Any) -> tuple:
    """Run a while loop in a graph, or in Python if `xp` is NumPy.

    Args:
        condition: maps the state to whether the loop continues.
        body: maps the state to the next state.
        state: the initial state.
        xp: array namespace.

    Returns:
        The final state.
    """
    if xp is not np:
        return xp.while_loop(condition, body, state)
    while condition(*state):
        state = body(*state)
    return state
