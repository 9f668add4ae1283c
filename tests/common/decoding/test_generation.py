"""Compare decoding with exhaustive search and known distributions, in NumPy and inside a graph."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.states import StateSpec
from zoo.common.decoding import generation
from zoo.common.decoding.decoders import Generation
from zoo.common.decoding.generation import NEG_INF

VOCABULARY, LENGTH, END = 4, 3, 1
TOKENS = np.array([0, 2, 3], np.int32)
# The token before the last; a state of rank 3 with another dtype; and the row number, a constant state.
SPECS = (
    StateSpec("before", (1,)),
    StateSpec("sums", (2, 2), "int32"),
    StateSpec("row", (1,), "int32", constant=True),
)
STATES = {
    "before": np.array([[0], [2], [1]], np.float32),
    "sums": np.zeros((3, 2, 2), np.int32),
    "row": np.array([[0], [1], [2]], np.int32),
}
# An extra output like attention: the last token and the token before it.
EXTRAS = (StateSpec("attention", (2,), initial=-1),)


@pytest.fixture
def table():
    """Return logits by the token before the last, the last token and the next token."""
    return 2 * np.random.default_rng(0).normal(size=(VOCABULARY,) * 3).astype(np.float32)


def stepper(table, xp):
    """Return a model whose logits depend on the last two tokens, and that sums up the tokens."""
    flat = np.reshape(table, (-1, VOCABULARY))

    def step(tokens, states):
        before = xp.array(states["before"][:, 0], dtype="int32")
        pair = xp.stack([tokens, before], axis=1)
        return {
            "logits": xp.take(xp.array(flat), before * VOCABULARY + tokens, axis=0),
            "next_before": xp.array(tokens[:, None], dtype="float32"),
            "next_sums": states["sums"] + xp.array(tokens[:, None, None] + 1, dtype="int32"),
            "attention": xp.array(pair, dtype="float32"),
        }

    return step


def exhaustive(table, row, length_penalty):
    """Return (score, tokens, log-probability) of all rows of at most LENGTH tokens, the best first."""
    found = []
    for length in range(1, LENGTH + 1):
        for tokens in itertools.product(range(VOCABULARY), repeat=length):
            if END in tokens[:-1] or (length < LENGTH and tokens[-1] != END):
                continue
            before, last, total = int(STATES["before"][row, 0]), TOKENS[row], 0.0
            for token in tokens:
                total += generation.log_softmax(table[before, last], np)[token]
                before, last = last, token
            found.append((total / length**length_penalty, tokens, total))
    return sorted(found, reverse=True)


def search(table, beam_width, xp=np, tokens=TOKENS, states=STATES, **options):
    step = stepper(table, xp)
    return generation.beam_search(
        step, SPECS, tokens, states, beam_width, LENGTH, END, xp, extras=EXTRAS, **options
    )


@pytest.mark.parametrize("length_penalty", [0.0, 0.7, 1.0])
def test_wide_beam_equals_exhaustive_search(table, length_penalty):
    answer = search(table, 64, length_penalty=length_penalty, n_best=10)
    assert answer.tokens.shape == (3, 10, LENGTH)
    for row in range(len(TOKENS)):
        for i, (_, tokens, total) in enumerate(exhaustive(table, row, length_penalty)[:10]):
            padded = [*tokens, *[END] * LENGTH][:LENGTH]
            assert answer.tokens[row, i].tolist() == padded
            assert answer.lengths[row, i] == (padded.index(END) if END in padded else LENGTH)
            assert answer.log_probability[row, i] == pytest.approx(total, abs=1e-5)


def test_rows_without_a_sequence_have_probability_0(table):
    """There are 40 sequences: 1 + 3 + 9 end early, 27 have three other tokens. The beam is wider."""
    answer = search(table, 64, n_best=64)
    assert (np.sum(answer.log_probability > NEG_INF / 2, axis=1) == 40).all()
    real = answer.tokens[0][answer.log_probability[0] > NEG_INF / 2]
    assert len({tuple(tokens) for tokens in real.tolist()}) == 40


def test_extra_outputs_follow_their_beams(table):
    """The extra output of each token is the last token and the one before it, and -1 after the end."""
    answer = search(table, 5, n_best=5)
    attention = answer.extras["attention"]
    assert attention.shape == (3, 5, LENGTH, 2)
    for row, i in itertools.product(range(3), range(5)):
        read = [int(STATES["before"][row, 0]), TOKENS[row], *answer.tokens[row, i].tolist()]
        steps = min(answer.lengths[row, i] + 1, LENGTH)
        expected = [[read[t + 1], read[t]] for t in range(steps)] + [[-1, -1]] * (LENGTH - steps)
        np.testing.assert_array_equal(attention[row, i], expected)


def test_constant_states_are_repeated_only_once(table):
    """Each step receives the same array. The other states follow their beams."""
    given, step = [], stepper(table, np)

    def recording_step(tokens, states):
        given.append(states["row"])
        sums = states["sums"][:, 0, 0]
        outputs = step(tokens, states)
        np.testing.assert_array_equal(outputs["next_sums"][:, 1, 1], sums + tokens + 1)
        return outputs

    answer = generation.beam_search(recording_step, SPECS, TOKENS, STATES, 3, LENGTH, END, np)
    assert answer.tokens.shape == (3, 1, LENGTH)
    assert len(given) == LENGTH
    assert all(array is given[0] for array in given)
    np.testing.assert_array_equal(given[0][:, 0], np.repeat([0, 1, 2], 3))


def test_beam_width_1_is_greedy(table):
    beam = search(table, 1)
    greedy = generation.generate(
        stepper(table, np),
        SPECS,
        TOKENS,
        STATES,
        lambda logits, t: generation.greedy_token(logits, np),
        LENGTH,
        np,
        end=END,
        extras=EXTRAS,
    )
    for received, expected in zip(beam[:3], greedy[:3], strict=True):
        np.testing.assert_allclose(received[:, 0], expected, atol=1e-6)
    np.testing.assert_array_equal(beam.extras["attention"][:, 0], greedy.extras["attention"])


def test_ties_select_the_first_token():
    """All sequences are equally probable, so the beam continues with the smallest tokens."""
    answer = search(np.zeros((VOCABULARY,) * 3, np.float32), 2, n_best=2, length_penalty=0.0)
    assert answer.tokens[0].tolist() == [[1, 1, 1], [0, 0, 0]]
    wide = generation._top_k(np.array([[1.0, 3, 2, 3, 3, 0]]), 4, np)
    assert wide.tolist() == [[1, 3, 4, 2]]


@pytest.mark.parametrize("beam_width", [1, 3])
def test_graph_equals_numpy(table, beam_width):
    spec = [tf.TensorSpec([None], tf.int32)] + [
        tf.TensorSpec([None, *spec.shape], spec.dtype) for spec in SPECS
    ]
    options = {"length_penalty": 0.7, "n_best": beam_width}

    @tf.function(input_signature=spec)
    def graph(tokens, before, sums, row):
        states = {"before": before, "sums": sums, "row": row}
        return search(table, beam_width, keras.ops, tokens, states, **options)

    expected, received = search(table, beam_width, **options), graph(TOKENS, *STATES.values())
    for array, tensor in zip(expected[:3], received[:3], strict=True):
        np.testing.assert_allclose(tensor, array, atol=1e-6)
    np.testing.assert_array_equal(received.extras["attention"], expected.extras["attention"])


def test_graph_step_processes_one_token():
    def graph(tokens, memory):
        assert tokens.shape == (2, 1)
        return {"logits": np.zeros((2, 1, 5)), "next_memory": memory + tokens}

    step = generation.graph_step(graph)
    outputs = step(np.array([3, 4], np.int32), {"memory": np.ones((2, 1))})
    assert outputs["logits"].shape == (2, 5)
    assert outputs["next_memory"].tolist() == [[4], [5]]


LOGITS = np.array([[1.0, 2.0, 0.0, -1.0]], np.float32)
SOFTMAX = np.exp(LOGITS[0]) / np.exp(LOGITS[0]).sum()


@pytest.mark.parametrize(
    ("arguments", "weights"),
    [
        ({}, SOFTMAX),
        ({"temperature": 0.5}, SOFTMAX**2),
        ({"top_k": 2}, SOFTMAX * [1, 1, 0, 0]),
        ({"top_p": 0.64}, SOFTMAX * [0, 1, 0, 0]),  # the highest probability is 0.6439
        ({"top_p": 0.65}, SOFTMAX * [1, 1, 0, 0]),
        ({"top_p": 0.01}, SOFTMAX * [0, 1, 0, 0]),
    ],
)
@pytest.mark.parametrize("xp", [np, keras.ops])
def test_samples_follow_the_distribution(arguments, weights, xp):
    """With evenly spaced uniform numbers, the counts equal the distribution except for rounding."""
    count = 10_000
    uniform = ((np.arange(count) + 0.5) / count).astype(np.float32)
    logits = np.repeat(LOGITS, count, axis=0)
    tokens = generation.sample_token(xp.array(logits), xp.array(uniform), xp, **arguments)
    received = np.bincount(np.array(tokens), minlength=4) / count
    np.testing.assert_allclose(received, weights / np.sum(weights), atol=2e-4)


def test_samples_from_a_large_vocabulary():
    """The borders between tokens are exact. In float32, their errors would be above 1e-6."""
    logits = np.arange(10_000, dtype=np.float32)[None] * -1e-6
    probabilities = np.exp(logits[0].astype(np.float64))
    borders = np.cumsum(probabilities / probabilities.sum())
    for token in range(200, 10_000, 250):
        for offset, expected in ((-1e-6, token), (1e-6, token + 1)):
            uniform = np.array([borders[token] + offset], np.float32)
            assert generation.sample_token(logits, uniform, np).item() == expected


@pytest.mark.parametrize(("arguments", "token"), [({"top_k": 2}, 0), ({"top_p": 0.65}, 0), ({}, 3)])
@pytest.mark.parametrize("xp", [np, keras.ops])
def test_largest_random_number_selects_the_last_of_the_kept_tokens(arguments, token, xp):
    """A random number that is rounded up to 1 does not select a token that is left out."""
    uniform = xp.array(np.float32([1.0]))
    assert np.array(generation.sample_token(xp.array(LOGITS), uniform, xp, **arguments)) == [token]


def test_generated_rows_have_the_log_probability_of_their_tokens(table):
    """The rows end at the third, second and first step. The end token is part of the probability."""
    chosen = np.array([[2, 3, END], [0, END, 2], [END, 2, 2]], np.int32)
    answer = generation.generate(
        stepper(table, np),
        SPECS,
        TOKENS,
        STATES,
        lambda logits, t: chosen[:, t],
        4,
        np,
        end=END,
        extras=EXTRAS,
    )
    assert answer.tokens.tolist() == [[2, 3, END, END], [0, END, END, END], [END] * 4]
    assert answer.lengths.tolist() == [2, 1, 0]
    for row, length in enumerate(answer.lengths):
        read = [int(STATES["before"][row, 0]), TOKENS[row], *answer.tokens[row].tolist()]
        total = sum(
            generation.log_softmax(table[before, last], np)[token]
            for before, last, token in zip(read, read[1:], read[2 : length + 3], strict=False)
        )
        assert answer.log_probability[row] == pytest.approx(total, abs=1e-5)
        expected = [[read[t + 1], read[t]] for t in range(length + 1)]
        expected += [[-1, -1]] * (3 - length)
        np.testing.assert_array_equal(answer.extras["attention"][row], expected)


def test_greedy_token_is_the_most_probable():
    assert generation.greedy_token(LOGITS, np).tolist() == [1]
    assert generation.sample_token(LOGITS, np.array([0.0], np.float32), np).tolist() == [1]


@pytest.mark.parametrize(
    ("options", "temperature", "arguments"),
    [
        ({"sampler": "random", "temperature": 3.0}, None, {"temperature": 3.0}),
        ({"sampler": "top_k", "top_k": 3}, 2.0, {"temperature": 2.0, "top_k": 3}),
        ({"sampler": "top_p", "top_p": 0.7, "temperature": 1.5}, None, {"top_p": 0.7}),
        ({"sampler": "greedy"}, None, {"top_k": 1}),
    ],
)
def test_select_token_uses_only_the_options_of_the_sampler(options, temperature, arguments):
    """For example, the sampler "top_p" ignores `top_k`."""
    decoder = Generation(**options)
    uniform = np.linspace(0, 0.99, 50, dtype=np.float32)
    logits = np.repeat(LOGITS, 50, axis=0)
    arguments = {"temperature": decoder.temperature} | arguments
    received = generation.select_token(decoder, logits, uniform, np, temperature)
    expected = generation.sample_token(logits, uniform, np, **arguments)
    np.testing.assert_array_equal(received, expected)


def test_generation_stops_after_all_rows_have_ended():
    steps = []

    def step(tokens, states):
        steps.append(tokens)
        return {"logits": np.eye(VOCABULARY, dtype=np.float32)[[END] * len(tokens)] * 50}

    answer = generation.generate(
        step, (), TOKENS, {}, lambda logits, t: generation.greedy_token(logits, np), 10, np, end=END
    )
    assert len(steps) == 1
    assert answer.lengths.tolist() == [0, 0, 0]
    np.testing.assert_allclose(answer.log_probability, 0, atol=1e-6)


def test_generation_without_an_end_token_has_max_length(table):
    answer = generation.generate(
        stepper(table, np),
        SPECS,
        TOKENS,
        STATES,
        lambda logits, t: np.full(3, END, np.int32),
        6,
        np,
    )
    assert answer.tokens.tolist() == [[END] * 6] * 3
    assert answer.lengths.tolist() == [6] * 3
