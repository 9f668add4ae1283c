"""The language model: its equations, what it learns, what it says of a text, what it writes."""

import os
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model
from tests.language.test_corpora import WIKITEXT
from zoo.common import registry
from zoo.common.backends import keras_graphs
from zoo.common.errors import ZooError
from zoo.common.task import Graphs, Source
from zoo.language import corpora, pipeline
from zoo.language.corpora import Text
from zoo.language.task import SAMPLE, first_states
from zoo.language.text import words

CHARACTERS, WORDS = "language/charlstm-shakespeare", "language/lstm-small-ptb"
TINY = {
    "model.embedding_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 4,
    "task.time_steps": 16,
    "task.length": 12,
}


def tiny(name, **overrides):
    """(recipe with a tiny model and its vocabulary, the examples)."""
    recipe = registry.entry(name).recipe().override(TINY | overrides)
    if name == CHARACTERS:
        examples = recipe.task.read("", Source(manifest=SAMPLE), "all")
    else:
        examples = corpora.read_corpus("wikitext2", WIKITEXT, "valid", words)
    return recipe.fit(examples), examples


@pytest.fixture(scope="module")
def characters():
    """(recipe, examples, model, graphs) of a tiny character model with random weights."""
    recipe, examples = tiny(CHARACTERS)
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    for weight in model.weights:  # far from even probabilities
        weight.assign(3 * np.array(weight))
    return recipe, examples, model, keras_graphs({"step": model})


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        (CHARACTERS, {}),
        (WORDS, {"model.layers": 1}),
        (WORDS, {"model.hidden_size": 6, "model.recurrent_dropout": 0.5, "model.tied": "false"}),
    ],
)
def test_harness(name, overrides, tmp_path):
    recipe, examples = tiny(name, **overrides)
    check_model(recipe, examples, tmp_path / "tiny")


def test_a_tied_softmax_has_the_embedding_for_its_matrix():
    recipe, _ = tiny(WORDS, **{"model.layers": 1, "model.hidden_size": 6})
    model = recipe.model.build()
    size = recipe.model.vocabulary_size
    assert sum((size in weight.shape) for weight in model.weights) == 1
    states = first_states(recipe.model, 1)
    outputs = model({"tokens": np.array([[3, 1]], np.int32), **states})
    embedding = model.get_layer("embedding").embeddings
    expected = outputs["next_h0"] @ tf.transpose(embedding)
    np.testing.assert_allclose(outputs["logits"][:, -1], expected, atol=1e-5)


# Training -----------------------------------------------------------------------------------------


def test_batches_walk_through_the_text():
    """Row by row, batch after batch, every target is the token after its own, and none is twice."""
    text = np.arange(1000, dtype=np.int32)
    generator = np.random.default_rng(3)
    batches = list(pipeline.bptt_batches(text, 4, 16, generator).as_numpy_iterator())
    tokens = np.concatenate([x["tokens"] for x, _, _ in batches], axis=1)
    targets = np.concatenate([y["targets"] for _, y, _ in batches], axis=1)
    assert tokens.shape == (4, 16 * len(batches))
    np.testing.assert_array_equal(targets, tokens + 1)
    assert len(np.unique(tokens)) == tokens.size > 1000 - 16 - 4 * 16
    np.testing.assert_array_equal(np.diff(tokens, axis=1), 1)
    assert [bool(x["fresh"].all()) for x, _, _ in batches] == [True] + [False] * (len(batches) - 1)
    assert batches[0][2][0] == f"token {tokens[0, 0]}".encode()


def test_other_epochs_are_cut_elsewhere(characters):
    recipe, examples, model, _ = characters
    first = [
        next(iter(recipe.task.batches(model, recipe, examples, epoch)))[2][0].numpy()
        for epoch in (0, 1, 2, 0)
    ]
    assert first[0] == first[3]
    assert len(set(first)) > 1


def test_states_are_carried_from_batch_to_batch(characters):
    """The outputs over batches are those of one pass over each whole row, and each epoch begins anew."""
    recipe, examples, model, _ = characters
    learner = recipe.task.learner(model)
    batches = [x for x, _, _ in recipe.task.batches(model, recipe, examples, 0).take(3)]
    for _ in range(2):
        logits = [learner(x, training=False)["logits"] for x in batches]
    tokens = np.concatenate([x["tokens"] for x in batches], axis=1)
    whole = model({"tokens": tokens, **first_states(recipe.model, 4)}, training=False)
    np.testing.assert_allclose(tf.concat(logits, axis=1), whole["logits"], atol=1e-5)


def test_a_text_too_short_for_a_batch_is_refused():
    with pytest.raises(ZooError, match="A text of 10 tokens is too short for batches of 4 rows"):
        pipeline.bptt_batches(np.arange(10), 4, 16, np.random.default_rng(0))


def test_dev_is_the_beginning_of_each_text(characters):
    recipe, examples, *_ = characters
    train, dev = recipe.task.cut_dev(examples, 0.1, 0)
    assert dev[0].tokens + train[0].tokens == examples[0].tokens
    assert len(dev[0].tokens) == pytest.approx(0.1 * len(examples[0].tokens), abs=1)


# Measuring ----------------------------------------------------------------------------------------


def test_evaluation_counts_every_token_with_the_state_carried(characters):
    """Against one pass over the whole text, by the definition of cross-entropy."""
    recipe, examples, model, _ = characters
    text = Text("part", examples[0].tokens[:1300])  # not a multiple of what is measured in one go
    targets = recipe.task.encode(text)
    tokens = np.concatenate([[recipe.task.vocabulary.index("\n")], targets[:-1]]).astype(np.int32)
    outputs = model({"tokens": tokens[np.newaxis], **first_states(recipe.model, 1)}, training=False)
    probabilities = keras.ops.softmax(outputs["logits"][0])
    nats = -np.log(np.take_along_axis(np.array(probabilities), targets[:, np.newaxis], 1)).mean()
    evaluation = recipe.task.evaluate(model, recipe, [text])
    assert evaluation.metrics == {"nats_per_char": pytest.approx(nats, rel=1e-5)}
    assert evaluation.examples == 1300


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary():
    recipe, examples = tiny(WORDS)
    model = recipe.model.build()
    for weight in model.weights:
        weight.assign(keras.ops.zeros_like(weight))
    metrics = recipe.task.evaluate(model, recipe, examples).metrics
    assert metrics["perplexity"] == pytest.approx(recipe.model.vocabulary_size, rel=1e-4)


def test_scores_add_up_to_what_evaluation_finds(characters):
    recipe, examples, model, graphs = characters
    text = examples[0].tokens[:600]
    (answer,) = recipe.task.score(graphs, recipe, [text])
    assert "".join(row["token"] for row in answer["tokens"]) == text
    total = sum(row["log_probability"] for row in answer["tokens"])
    assert answer["log_probability"] == pytest.approx(total)
    evaluation = recipe.task.evaluate(model, recipe, [Text("same", text)])
    nats = evaluation.metrics["nats_per_char"]
    assert -total / len(text) == pytest.approx(nats, rel=1e-5)
    assert answer["perplexity"] == pytest.approx(np.exp(nats), rel=1e-4)


# Writing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", ["greedy", "random", "top_k", "top_p"])
def test_keras_hub_and_numpy_write_the_same(characters, sampler):
    recipe, _, _, graphs = characters
    texts = []
    for backend in ("keras", "onnx"):
        task = replace(recipe.task, sampler=sampler, temperature=0.9, seed=5, length=40)
        (answer,) = task.predict(Graphs(backend, dict(graphs)), recipe, ["ROMAN:"])
        texts.append(answer["output"])
    assert texts[0] == texts[1]
    assert texts[0].startswith("ROMAN:")
    assert len(texts[0]) == len("ROMAN:") + 40


def test_the_seed_fixes_what_is_drawn(characters):
    recipe, _, _, graphs = characters

    def write(seed):
        task = replace(recipe.task, sampler="random", temperature=2.0, seed=seed)
        return next(iter(task.predict(graphs, recipe, ["A"])))["output"]

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_greedy_writing_takes_the_likeliest_token_each_time(characters):
    recipe, _, model, graphs = characters
    task = replace(recipe.task, sampler="greedy", length=5)
    (answer,) = task.predict(graphs, recipe, ["Speak"])
    text = "Speak"
    for _ in range(5):
        tokens = np.array([task.vocabulary.encode("\n" + text)], np.int32)
        logits = model({"tokens": tokens, **first_states(recipe.model, 1)})["logits"]
        text += task.vocabulary.tokens[int(np.argmax(logits[0, -1]))]
    assert answer["output"] == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text is empty"),
        (" \n", "The text is empty"),
        (os.fsdecode(b"caf\xe9"), "not UTF-8: see its byte 3"),
        ("日本", "No character of the text is among"),
        ("so 日", "'日' is none of the vocabulary's"),
    ],
)
def test_bad_text_gets_a_line_and_the_next_its_answer(characters, text, message):
    recipe, _, _, graphs = characters
    for verb in (recipe.task.predict, recipe.task.score):
        bad, good = verb(graphs, recipe, [text, "Speak"])
        assert message in bad["error"]
        assert "\n" not in bad["error"]
        assert "error" not in good


def test_unknown_words_are_read_as_unknown_but_not_alone():
    recipe, _ = tiny(WORDS)
    graphs = keras_graphs({"step": recipe.model.build()})
    good, bad = recipe.task.score(graphs, recipe, ["the qwertz lobster", "qwertz"])
    assert [row["token"] for row in good["tokens"]] == ["the", "<unk>", "lobster"]
    assert "No word of the text is among" in bad["error"]
