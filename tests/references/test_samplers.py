"""Compare greedy search, sampling and beam search with the samplers of keras_hub on equal logits.

Known differences:

- `BeamSampler` continues a sequence after its end token, so that a finished sequence loses probability
  and may leave the beam. The zoo keeps finished sequences unchanged.
- `BeamSampler` has no length penalty. It equals `length_penalty=0`.
- `TopPSampler` also keeps the token after a cumulative probability of exactly p.
- The random numbers differ, so sampled tokens are compared by their frequencies.
"""

import numpy as np
import pytest

from zoo.common.core.states import StateSpec, initial_states
from zoo.common.decoding.generation import (
    beam_search,
    generate,
    greedy_token,
    sample_token,
)

VOCABULARY, LENGTH = 6, 5
SPECS = (StateSpec("time", (), "int32"),)
PAD, END = 0, 1
STARTS = np.array([2, 3, 4], np.int32)
DRAWS = 20_000


@pytest.fixture
def table():
    """Return logits float32 [LENGTH, VOCABULARY, VOCABULARY] by step, last token and next token."""
    size = (LENGTH, VOCABULARY, VOCABULARY)
    table = 2 * np.random.default_rng(0).normal(size=size).astype(np.float32)
    table[..., PAD] = -1e9
    return table


def zoo_step(table):
    """Return the model as the zoo calls it."""

    def step(tokens, states):
        time = states["time"]
        return {"logits": table[time, tokens], "next_time": time + 1}

    return step


def keras_hub_next(table):
    """Return the model as keras_hub calls it."""
    from keras import ops

    def next(prompt, cache, index):
        now = ops.convert_to_tensor(table)[index - 1]
        return ops.take(now, prompt[:, index - 1], axis=0), None, cache

    return next


def keras_hub_tokens(sampler, table, starts=STARTS, length=LENGTH, **options):
    """Return the tokens of a sampler, or its beams and their log-probabilities, without the start."""
    prompt = np.full((len(starts), 1 + length), PAD, np.int32)
    prompt[:, 0] = starts
    result = sampler(keras_hub_next(table), prompt, index=1, **options)
    if isinstance(result, tuple):
        return np.array(result[0])[..., 1:], np.array(result[1])
    return np.array(result)[:, 1:]


def until_end(tokens):
    """Return the tokens before the first end token."""
    tokens = list(map(int, tokens))
    return tokens[: tokens.index(END)] if END in tokens else tokens


def test_greedy(keras_hub, table):
    decoded = generate(
        zoo_step(table),
        SPECS,
        STARTS,
        initial_states(SPECS, len(STARTS)),
        lambda logits, t: greedy_token(logits, np),
        LENGTH,
        np,
        END,
    )
    sampler = keras_hub.samplers.GreedySampler()
    expected = keras_hub_tokens(sampler, table, stop_token_ids=[END])
    assert list(map(until_end, decoded.tokens)) == list(map(until_end, expected))
    assert any(len(until_end(row)) < LENGTH for row in expected)


@pytest.mark.parametrize(
    ("name", "options", "own"),
    [
        ("RandomSampler", {}, {}),
        ("RandomSampler", {"temperature": 0.7}, {"temperature": 0.7}),
        ("TopKSampler", {"k": 3}, {"top_k": 3}),
        ("TopPSampler", {"p": 0.8}, {"top_p": 0.8}),
        ("TopPSampler", {"p": 0.8, "temperature": 2.0}, {"top_p": 0.8, "temperature": 2.0}),
    ],
)
def test_sampled_frequencies(keras_hub, name, options, own):
    logits = np.log(np.array([0.05, 0.4, 0.1, 0.3, 0.15], np.float32))
    rows = np.tile(logits, (DRAWS, 1))
    # Evenly spaced numbers give the exact distribution.
    tokens = sample_token(rows, (np.arange(DRAWS, dtype=np.float32) + 0.5) / DRAWS, np, **own)
    sampler = getattr(keras_hub.samplers, name)(seed=0, **options)
    expected = np.array(sampler.get_next_token(sampler.compute_probabilities(rows)))
    frequencies, wanted = (np.bincount(t, minlength=5) / DRAWS for t in (tokens, expected))
    np.testing.assert_array_equal(frequencies > 0, wanted > 0)
    np.testing.assert_allclose(frequencies, wanted, atol=0.02)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_beams_of_equal_length(keras_hub, table, width):
    """Without an end token, sequences and log-probabilities of all beams are equal."""
    table = table.copy()
    table[..., END] = -1e9
    states = initial_states(SPECS, len(STARTS))
    own = beam_search(zoo_step(table), SPECS, STARTS, states, width, LENGTH, END, np, 0.0, width)
    sampler = keras_hub.samplers.BeamSampler(num_beams=width, return_all_beams=True)
    beams, log_probs = keras_hub_tokens(sampler, table)
    np.testing.assert_array_equal(own.tokens, beams)
    np.testing.assert_allclose(own.log_probability, log_probs, atol=1e-4)


def test_difference_finished_beams_and_length_penalty(keras_hub):
    """keras_hub continues the finished sequence "end", the most probable one, and drops it."""
    start, a = 2, 3
    probabilities = np.full((4, 4), 1e-9, np.float32)
    probabilities[start, [END, a]] = 0.55, 0.45
    probabilities[END, [END, start, a]] = 1 / 3
    probabilities[a, [END, a]] = 0.05, 0.95
    table = np.tile(np.log(probabilities), (LENGTH, 1, 1))
    starts = np.array([start], np.int32)

    def best(length_penalty):
        states = initial_states(SPECS, 1)
        own = beam_search(zoo_step(table), SPECS, starts, states, 2, 3, END, np, length_penalty)
        return until_end(own.tokens[0, 0])

    sampler = keras_hub.samplers.BeamSampler(num_beams=2)
    (expected,) = keras_hub_tokens(sampler, table, starts, length=3, stop_token_ids=[END])
    assert best(length_penalty=0.0) == []
    assert until_end(expected) == [a, a, a]
    assert probabilities[start, END] > 0.45 * 0.95 * 0.95

    assert best(length_penalty=1.0) == [a, a, a]
    assert not any("penalty" in option for option in sampler.get_config())
