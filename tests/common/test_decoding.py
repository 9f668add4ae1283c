"""Decoding against exhaustive search and known distributions, in NumPy and inside a graph."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common import decoding

VOCABULARY, LENGTH, END = 4, 3, 1
TOKENS = np.array([0, 2, 3], np.int32)
STATES = np.array([[0, 3], [2, 2], [1, 0]], np.float32)


@pytest.fixture
def table():
    """Logits by the token before last, the last one, and the next."""
    return 2 * np.random.default_rng(0).normal(size=(VOCABULARY,) * 3).astype(np.float32)


def numpy_step(table):
    """A model whose state, a row of two numbers, holds the token before last in its first."""

    def step(tokens, states):
        (state,) = states
        logits = table[state[:, 0].astype(int), tokens]
        return logits, [np.stack([tokens.astype(np.float32), state[:, 0]], axis=1)]

    return step


def graph_step(table):
    """The same of tensors."""

    def step(tokens, states):
        (state,) = states
        places = tf.stack([tf.cast(state[:, 0], tf.int32), tokens], axis=1)
        state = tf.stack([tf.cast(tokens, tf.float32), state[:, 0]], axis=1)
        return tf.gather_nd(tf.constant(table), places), [state]

    return step


def exhaustive(table, row, length_power):
    """(score, tokens, log-probability) of the best of all rows of at most LENGTH tokens."""
    found = []
    for length in range(1, LENGTH + 1):
        for tokens in itertools.product(range(VOCABULARY), repeat=length):
            if END in tokens[:-1] or (length < LENGTH and tokens[-1] != END):
                continue
            before, last, total = int(STATES[row, 0]), TOKENS[row], 0.0
            for token in tokens:
                total += decoding.log_softmax(table[before, last], np)[token]
                before, last = last, token
            found.append((total / length**length_power, tokens, total))
    return max(found)


@pytest.mark.parametrize("length_power", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_what_exhaustive_search_finds(table, length_power):
    answer = decoding.beam_search(
        numpy_step(table), TOKENS, [STATES], 64, LENGTH, END, np, length_power
    )
    for row in range(len(TOKENS)):
        _, tokens, total = exhaustive(table, row, length_power)
        padded = [*tokens, *[END] * LENGTH][:LENGTH]
        assert answer.tokens[row].tolist() == padded
        assert answer.lengths[row] == (padded.index(END) if END in padded else LENGTH)
        assert answer.log_probability[row] == pytest.approx(total, abs=1e-5)


def test_a_beam_of_one_is_greedy(table):
    beam = decoding.beam_search(numpy_step(table), TOKENS, [STATES], 1, LENGTH, END, np)
    greedy = decoding.generate(
        numpy_step(table),
        TOKENS,
        [STATES],
        lambda logits, t: decoding.greedy(logits, np),
        LENGTH,
        np,
        end=END,
    )
    for received, expected in zip(beam, greedy, strict=True):
        np.testing.assert_allclose(received, expected, atol=1e-6)


@pytest.mark.parametrize("beam_width", [1, 2, 3])
def test_a_graph_gives_what_numpy_gives(table, beam_width):
    def search(step, tokens, states, xp):
        return decoding.beam_search(step, tokens, states, beam_width, LENGTH, END, xp, 0.7)

    @tf.function(
        input_signature=[tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 2], tf.float32)]
    )
    def graph(tokens, states):
        return tuple(search(graph_step(table), tokens, [states], keras.ops))

    expected = search(numpy_step(table), TOKENS, [STATES], np)
    for received, array in zip(graph(TOKENS, STATES), expected, strict=True):
        np.testing.assert_allclose(received, array, atol=1e-6)


LOGITS = np.array([[1.0, 2.0, 0.0, -1.0]], np.float32)
SOFTMAX = np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum()


@pytest.mark.parametrize(
    ("arguments", "weights"),
    [
        ({}, SOFTMAX),
        ({"temperature": 0.5}, SOFTMAX**2),
        ({"top_k": 2}, SOFTMAX * [1, 1, 0, 0]),
        ({"top_p": 0.64}, SOFTMAX * [0, 1, 0, 0]),  # the likeliest has 0.6439
        ({"top_p": 0.65}, SOFTMAX * [1, 1, 0, 0]),
        ({"top_p": 0.01}, SOFTMAX * [0, 1, 0, 0]),
    ],
)
@pytest.mark.parametrize("xp", [np, keras.ops])
def test_draws_follow_the_distribution(arguments, weights, xp):
    """Uniform numbers at even distances make the counts those of the distribution, rounded."""
    count = 10_000
    uniform = ((np.arange(count) + 0.5) / count).astype(np.float32)
    logits = np.repeat(LOGITS, count, axis=0)
    tokens = decoding.sampled(xp.array(logits), xp.array(uniform), xp, **arguments)
    received = np.bincount(np.array(tokens), minlength=4) / count
    np.testing.assert_allclose(received, weights / np.sum(weights), atol=2e-4)


def test_the_likeliest_token_is_the_greedy_one():
    assert decoding.greedy(LOGITS, np).tolist() == [1]
    assert decoding.sampled(LOGITS, np.array([0.0], np.float32), np).tolist() == [1]


def test_generation_stops_where_every_row_has_ended(table):
    steps = []

    def step(tokens, states):
        steps.append(tokens)
        return np.eye(VOCABULARY, dtype=np.float32)[[END] * len(tokens)] * 50, states

    answer = decoding.generate(
        step, TOKENS, [STATES], lambda logits, t: decoding.greedy(logits, np), 10, np, end=END
    )
    assert len(steps) == 1
    assert answer.lengths.tolist() == [0, 0, 0]
    np.testing.assert_allclose(answer.log_probability, 0, atol=1e-6)
