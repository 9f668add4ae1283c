"""Test sequence to sequence on a toy translator in NumPy."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import StateSpec
from zoo.common.data.batching import pad
from zoo.common.data.target_sentences import TargetSentences
from zoo.common.data.vocabulary import END, PAD, START, UNKNOWN, Vocabulary
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.tasks.sequence_to_sequence import SequenceToSequence, decode

WORDS = ("le", "chat", "noir", "dort")
VOCABULARY = Vocabulary((PAD, UNKNOWN, START, END, *WORDS), (0,) * 8)
LONGEST = 4
# The source, which every step reads, and the position of the next word.
STATES = (
    StateSpec("source", (LONGEST,), "int32", constant=True),
    StateSpec("position", (1,), "int32"),
)
ATTENTION = StateSpec("attention", (LONGEST,))


@dataclass(frozen=True)
class Sentence:
    id: str
    source: tuple[int, ...]
    target: str


class Sentences:
    """The methods of a data kind that the task uses."""

    vocabulary = VOCABULARY
    join_tokens = TargetSentences.join_tokens
    join_tokens_in_graph = TargetSentences.join_tokens_in_graph

    def read_example(self, example, model):
        if not example.source:
            raise ZooError(f"{example.id} is empty.")
        return {"tokens": np.array(example.source, np.int32)}

    def collate(self, items):
        tokens, lengths = pad([item["tokens"] for item in items])
        return {"tokens": tokens, "lengths": lengths}

    def sort_key(self, example):
        return len(example.source)


@dataclass(frozen=True)
class Translation(SequenceToSequence):
    """The metric is the share of exact sentences."""

    monitors = ("accuracy",)

    monitor: str = "accuracy"

    def compute_metrics(self, data, examples, outputs):
        rows = [{"id": e.id, "output": o} for e, o in zip(examples, outputs, strict=True)]
        right = sum(e.target == o for e, o in zip(examples, outputs, strict=True))
        return {"accuracy": right / len(rows)}, [f"{right} right"], rows


class Translator:
    """A translator of source token i to word i - 1, or with half the probability to the word after it.

    Source token 0 is the end. Special tokens have the largest logits. The attention is on the source
    token.
    """

    states, step_outputs = STATES, (ATTENTION,)

    def __init__(self):
        self.batches = []

    def encoder(self, tokens, lengths):
        self.batches.append(tokens.shape)
        source = np.zeros((len(tokens), LONGEST), np.int32)
        source[:, : tokens.shape[1]] = tokens
        return {"next_source": source, "next_position": np.zeros((len(tokens), 1), np.int32)}

    def step(self, tokens, source, position):
        assert tokens.shape == position.shape
        source = np.concatenate([source, np.zeros((len(source), 2), np.int32)], axis=1)
        current = np.take_along_axis(source, position, axis=1)[:, 0]
        logits = np.full((len(tokens), 1, 8), -20.0, np.float32)
        logits[:, 0, [0, 1, 2]] = 5
        for row, token in enumerate(current):
            word = 3 + token
            logits[row, 0, word] = np.log(2)
            logits[row, 0, 4 + (word - 3) % 4] = 0
        return {
            "logits": logits,
            "next_position": position + 1,
            "attention": np.eye(LONGEST + 2, dtype=np.float32)[position, :LONGEST],
        }


EXAMPLES = [
    Sentence("a", (1, 3, 2), "le noir chat"),
    Sentence("b", (4,), "dort"),
    Sentence("bad", (), "dort"),
    Sentence("c", (1, 2, 4), "le chat"),
]


@pytest.fixture
def recipe():
    return SimpleNamespace(
        data=Sentences(),
        model=Translator(),
        task=Translation(),
        decoder=SequenceSearch(length_penalty=0.0, max_length=5),
    )


def predictor_of(recipe):
    graphs = Graphs("numpy", {"encoder": recipe.model.encoder, "step": recipe.model.step})
    return Predictor("toy/translator", recipe.data, recipe.model, recipe.decoder, graphs)


def test_sentences_are_evaluated_in_batches(recipe):
    result = recipe.task.evaluate(predictor_of(recipe), EXAMPLES)
    assert result.metrics == {"accuracy": 0.5}
    assert [row["output"] for row in result.rows] == ["le noir chat", "dort", "", "le chat dort"]
    assert recipe.model.batches == [(3, 3)]
    # Each of three words and the end has the probability 2/3.
    log_probability = result.rows[0]["log_probability"]
    assert log_probability == pytest.approx(4 * np.log(2 / 3), abs=1e-3)
    assert result.rows[0]["confidence"] == pytest.approx(2 / 3, abs=1e-3)
    assert result.rows[2]["error"] == "bad is empty."
    assert result.report == ["2 right", "Unreadable, counted as empty: bad is empty."]


def test_n_best_sentences_are_sorted(recipe):
    recipe.decoder = replace(recipe.decoder, beam_width=4, n_best=3)
    item = recipe.data.read_example(EXAMPLES[1], recipe.model)
    answer = recipe.task.answer(predictor_of(recipe), item)
    assert answer["output"] == "dort"
    assert answer["confidence"] == pytest.approx(2 / 3, abs=1e-3)
    assert "warning" not in answer
    recipe.decoder = replace(recipe.decoder, warn_below=0.7)
    assert "unlike" in recipe.task.answer(predictor_of(recipe), item)["warning"]
    assert answer["alternatives"][0]["output"] == "dort"
    log_probabilities = [row["log_probability"] for row in answer["alternatives"]]
    assert log_probabilities == sorted(log_probabilities, reverse=True)
    assert len({row["output"] for row in answer["alternatives"]}) == 3


def test_special_tokens_are_never_generated_and_extra_outputs_are_kept(recipe):
    states = recipe.model.encoder(np.array([[1, 3, 2]], np.int32), None)
    for options in ({}, {"sampler": "greedy"}, {"sampler": "random"}):
        recipe.decoder = replace(recipe.decoder, **options)
        decoded = decode(
            predictor_of(recipe), recipe.model.step, states, np, np.random.default_rng(0)
        )
        assert decoded.tokens.shape == (1, 1, 6)
        assert decoded.tokens.min() >= VOCABULARY.index(END)
        attention = decoded.extras["attention"]
        assert attention.shape == (1, 1, 6, LONGEST)
        np.testing.assert_array_equal(attention[0, 0, :3], np.eye(LONGEST)[:3])


def test_samples_depend_on_the_seed_only(recipe):
    item = recipe.data.read_example(EXAMPLES[0], recipe.model)

    def answer(seed):
        recipe.decoder = replace(recipe.decoder, sampler="random", seed=seed)
        return recipe.task.answer(predictor_of(recipe), item)

    assert answer(1) == answer(1)
    assert len({answer(seed)["output"] for seed in range(8)}) > 1
    with pytest.raises(ZooError, match="must be 'beam' or 'greedy'"):
        recipe.task.evaluate(predictor_of(recipe), EXAMPLES)


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_loss_is_the_mean_over_words_and_end(share):
    """The loss equals the sum in NumPy, with label smoothing."""
    generator = np.random.default_rng(0)
    targets, lengths = generator.integers(0, 6, (2, 4), np.int32), np.array([4, 2], np.int32)
    y = {name: keras.ops.array(a) for name, a in (("targets", targets), ("lengths", lengths))}
    task, ensemble, expected = Translation(label_smoothing=share), [], []
    for _ in range(2):
        logits = generator.normal(size=(2, 4, 6)).astype(np.float32)
        log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        goal = (1 - share) * np.eye(6)[targets] + share / 6
        losses = -(goal * log_probs).sum(-1)
        ensemble.append(keras.ops.array(logits))
        expected.append([losses[0].mean(), losses[1, :2].mean()])
    first = keras.ops.convert_to_numpy(task.loss(y, {"logits": ensemble[0]}))
    np.testing.assert_allclose(first, expected[0], rtol=1e-5)
    # The loss of an ensemble is the mean of its losses, not the loss of the mean.
    outputs = {"logits": ensemble[0], "ensemble_logits": ensemble}
    both = keras.ops.convert_to_numpy(task.loss(y, outputs))
    np.testing.assert_allclose(both, np.mean(expected, axis=0), rtol=1e-5)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_invalid_label_smoothing(share):
    with pytest.raises(ZooError, match=rf"task\.label_smoothing must be .* Received: {share}"):
        Translation(label_smoothing=share)
