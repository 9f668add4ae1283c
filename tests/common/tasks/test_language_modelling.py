"""Test language modelling on a bigram model with known probabilities."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.core.states import StateSpec
from zoo.common.data.vocabulary import Vocabulary
from zoo.common.decoding.decoders import Generation
from zoo.common.tasks import language_modelling
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.trainers import GradientDescent

END, A, B = range(3)
# p(next token | token), one row per token.
BIGRAMS = np.array([[1 / 4, 1 / 2, 1 / 4], [1 / 8, 1 / 8, 3 / 4], [1 / 2, 1 / 4, 1 / 4]])
LN2 = np.log(2)


@dataclass(frozen=True)
class Example:
    id: str
    tokens: tuple[int, ...]


@dataclass(frozen=True)
class Model:
    states: tuple[StateSpec, ...] = (StateSpec("read", (), "int32"),)


@dataclass(frozen=True)
class Text:
    vocabulary: Vocabulary = Vocabulary(("\n", "a", "b"), (1, 1, 1))  # noqa: RUF009 (it is frozen)

    def read_example(self, example, model):
        return {"tokens": np.array([END, *example.tokens], np.int32)}

    def read_input(self, source, model):
        tokens = self.vocabulary.encode(source)
        return {"tokens": np.array([END, *tokens], np.int32), "text": source}

    def input_metadata(self, item):
        return {}

    def join_tokens(self, tokens):
        return "".join(tokens)

    def continue_text(self, prompt, indices):
        return prompt + "".join(self.vocabulary.decode(indices))


class Step:
    """The graph `step`: bigrams, and a state that counts the tokens that were read."""

    def __init__(self):
        self.calls = []

    def __call__(self, tokens, read):
        self.calls.append((int(read[0]), tokens.shape[1]))
        logits = np.log(BIGRAMS)[tokens] + 3  # unnormalized
        return {"logits": logits.astype(np.float32), "next_read": read + tokens.shape[1]}


@pytest.fixture
def step():
    return Step()


@pytest.fixture
def graphs(step):
    return Graphs("toy", {"step": step})


def recipe_with(metric="perplexity", decoder=Generation()):  # noqa: B008 (it is frozen)
    return Recipe(
        "toy/bigrams", Text(), Model(), LanguageModelling(metric), GradientDescent(), decoder
    )


# "aa" with its end, and "b" without an end. In bits 1 + 3 + 3, and 2.
EXAMPLE = Example("text", (A, A, END, B))


@pytest.mark.parametrize("part", [500, 3, 1])
def test_perplexity(graphs, step, monkeypatch, part):
    """It does not depend on the number of tokens per call, because states are carried."""
    monkeypatch.setattr(language_modelling, "READ_STEPS", part)
    recipe = recipe_with()
    evaluation = recipe.task.evaluate(recipe.predictor(graphs), [EXAMPLE])
    assert evaluation.metrics == {"perplexity": pytest.approx(2 ** (9 / 4))}
    assert evaluation.num_examples == 4
    assert [row["id"] for row in evaluation.rows] == ["text, line 1", "text, line 2"]
    assert [row["text"] for row in evaluation.rows] == ["aa\n", "b"]
    assert [row["num_tokens"] for row in evaluation.rows] == [3, 1]
    nats = [row["log_probability"] for row in evaluation.rows]
    np.testing.assert_allclose(nats, [-7 * LN2, -2 * LN2], rtol=1e-6)
    starts = list(range(0, 4, part))
    assert step.calls == [(start, min(part, 4 - start)) for start in starts]


def test_nats_per_character(graphs):
    recipe = recipe_with("nats_per_char")
    evaluation = recipe.task.evaluate(recipe.predictor(graphs), [EXAMPLE, EXAMPLE])
    assert evaluation.metrics == {"nats_per_char": pytest.approx(9 * LN2 / 4)}


def test_scores(graphs):
    recipe = recipe_with()
    good, bad = recipe.task.score(recipe.predictor(graphs), ["ab", "az"])
    assert good == {
        "input": "ab",
        "tokens": [
            {"token": "a", "log_probability": pytest.approx(-LN2)},
            {"token": "b", "log_probability": pytest.approx(np.log(3 / 4))},
        ],
        "log_probability": pytest.approx(np.log(3 / 8)),
        "perplexity": pytest.approx((8 / 3) ** 0.5),
    }
    assert bad["input"] == "az"
    assert "'z' is not in the vocabulary of 3 tokens" in bad["error"]


def test_a_prompt_is_continued(graphs, step):
    """The most probable next tokens are b after a, the end after b, and a after the end."""
    recipe = recipe_with(decoder=Generation(sampler="greedy", length=5))
    (answer,) = recipe.task.predict(recipe.predictor(graphs), ["ba"])
    assert answer["output"] == "ba" + "b\nab\n"
    assert step.calls[0] == (0, 2)  # the start and b; generation starts from a
    assert step.calls[1] == (2, 1)


@pytest.mark.parametrize("sampler", ["greedy", "random"])
def test_the_unknown_token_is_generated_only_on_request(graphs, sampler):
    data = Text(Vocabulary(("\n", "<unk>", "b"), (1, 1, 1)))
    for unknown in (False, True):
        decoder = Generation(sampler=sampler, length=40, unknown=unknown)
        recipe = replace(recipe_with(decoder=decoder), data=data)
        (answer,) = recipe.task.predict(recipe.predictor(graphs), ["b"])
        assert ("<unk>" in answer["output"]) == unknown


def test_samples_depend_on_the_seed(graphs):
    texts = {}
    for seed in (0, 1):
        recipe = recipe_with(decoder=Generation(sampler="random", length=30, seed=seed))
        first, again = (
            recipe.task.answer(recipe.predictor(graphs), recipe.data.read_input("a", recipe.model))[
                "output"
            ]
            for _ in range(2)
        )
        assert first == again
        texts[seed] = first
    assert texts[0] != texts[1]


def test_the_loss_is_the_mean_cross_entropy_of_a_row():
    tokens = np.array([[END, A], [B, END]])
    targets = np.array([[A, B], [END, END]])
    loss = LanguageModelling().loss(
        {"targets": targets}, {"logits": np.log(BIGRAMS)[tokens].astype(np.float32)}
    )
    expected = [-np.log(1 / 2 * 3 / 4) / 2, -np.log(1 / 2 * 1 / 4) / 2]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_invalid_monitor():
    with pytest.raises(ZooError, match="must be one of 'perplexity', 'nats_per_char'"):
        LanguageModelling("wer")
