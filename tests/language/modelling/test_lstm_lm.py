"""The LSTM language model: its equations, what it learns, the scores it gives, what it writes."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model
from tests.language.test_corpora import WIKITEXT
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.states import initial_states
from zoo.common.layers.recurrent import to_stock
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.training_model import TrainingModel
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2
from zoo.language.modelling.data import SAMPLE
from zoo.language.modelling.word_dropout import WordDropout
from zoo.language.whole_texts import TokenizedText

CHARACTERS, WORDS = "language/charlstm-shakespeare", "language/lstm-small-ptb"
MEDIUM = "language/lstm-medium-ptb"  # all kinds of dropout
TINY = {
    "model.embedding_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 4,
    "data.time_steps": 16,
    "decoder.length": 12,
}


def tiny(name, **overrides):
    """(recipe with a tiny model and its vocabulary, the examples)."""
    recipe = registry.entry(name).recipe().override(TINY | overrides)
    if name == CHARACTERS:
        examples = recipe.data.read_manifest(SAMPLE)
    else:
        examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    return recipe.adapt(examples), examples


def outputs_of(recipe, model, tokens):
    """The model's outputs for int [rows, time] from the beginning of a text."""
    inputs = {"tokens": np.array(tokens, np.int32)}
    return model(inputs | initial_states(recipe.model.states, len(tokens)), training=False)


@pytest.fixture(scope="module")
def characters():
    """(recipe, examples, model, graphs) of a tiny character model with random weights."""
    recipe, examples = tiny(CHARACTERS)
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    for weight in model.weights:  # far from even probabilities
        weight.assign(3 * np.array(weight))
    return recipe, examples, model, Graphs("keras", recipe.model.functions(model))


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        # Two softmax matrices, no projection. The preset of "hello" is one of characters, too.
        pytest.param(CHARACTERS, {"model.hidden_size": 6}, marks=pytest.mark.slow),
        (MEDIUM, {"model.layers": 1, "model.recurrent_dropout": 0.5}),
    ],
)
def test_harness(name, overrides, tmp_path):
    recipe, examples = tiny(name, **overrides)
    check_model(recipe, examples, tmp_path / "tiny")


def test_a_tied_softmax_uses_the_matrix_of_the_embedding():
    recipe, _ = tiny(WORDS, **{"model.layers": 1, "model.hidden_size": 6})
    model = recipe.model.build()
    size = recipe.model.vocabulary_size
    assert sum((size in weight.shape) for weight in model.weights) == 1
    outputs = outputs_of(recipe, model, [[3, 1]])
    embedding = model.get_layer("embedding").embeddings
    expected = outputs["next_h0"] @ tf.transpose(embedding)
    np.testing.assert_allclose(outputs["logits"][:, -1], expected, atol=1e-5)


def test_in_mixed_precision_the_softmax_multiplies_in_it():
    """Its logits are Keras's product of the rounded hidden vectors and the rounded matrix, given on as
    float32."""
    recipe, _ = tiny(WORDS, **{"model.layers": 1, "model.hidden_size": 6})
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = recipe.model.build()
    finally:
        keras.config.set_dtype_policy("float32")
    outputs = outputs_of(recipe, model, [[3, 1]])
    assert {output.dtype for output in outputs.values()} == {tf.float32}
    embedding = tf.cast(model.get_layer("embedding").embeddings, tf.bfloat16)
    expected = tf.cast(outputs["next_h0"], tf.bfloat16) @ tf.transpose(embedding)
    np.testing.assert_array_equal(outputs["logits"][:, -1], tf.cast(expected, tf.float32))


def test_states_are_those_of_its_layers():
    recipe, _ = tiny(CHARACTERS)
    states = {spec.name: spec.shape for spec in recipe.model.states}
    assert states == {"h0": (8,), "c0": (8,), "h1": (8,), "c1": (8,)}
    model = recipe.model.build()
    assert set(model.input) == {"tokens", *states}
    assert set(model.output) == {"logits", *(f"next_{name}" for name in states)}


def test_bad_settings():
    with pytest.raises(ZooError, match=r"model\.layers must be at least 1"):
        tiny(CHARACTERS, **{"model.layers": 0})
    with pytest.raises(ZooError, match=r"model\.dropout must be at least 0 and below 1"):
        tiny(CHARACTERS, **{"model.dropout": 1.0})
    with pytest.raises(
        ZooError, match=r"task\.metric must be one of 'perplexity', 'nats_per_char'"
    ):
        tiny(CHARACTERS, **{"task.metric": "wer"})


# Training -----------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_cross_entropy_of_a_row():
    logits = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    targets = np.array([[0, 4, 2], [1, 1, 3]], np.int32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    chosen = np.take_along_axis(probabilities, targets[:, :, np.newaxis], axis=-1)
    losses = LanguageModelling().loss({"targets": targets}, {"logits": logits})
    np.testing.assert_allclose(losses, -np.log(chosen).mean(axis=(1, 2)), rtol=1e-5)


def test_states_are_carried_from_batch_to_batch(characters):
    """The outputs over batches are those of one pass over each whole row, and each epoch begins anew."""
    recipe, examples, model, _ = characters
    trained = TrainingModel(model, recipe.task, recipe.model.states, batch_size=4)
    batches = [x for x, _, _ in recipe.data.batches(model, recipe, examples, 0)][:3]
    for _ in range(2):
        logits = [trained(x, training=False)["logits"] for x in batches]
    tokens = np.concatenate([x["tokens"] for x in batches], axis=1)
    whole = outputs_of(recipe, model, tokens)
    np.testing.assert_allclose(tf.concat(logits, axis=1), whole["logits"], atol=1e-5)


def test_a_dropped_word_is_unknown_wherever_it_stands():
    """Of each word all embeddings are 0, or all are the same multiple of its row of the matrix."""
    layer, rate = WordDropout(vocabulary_size=50, rate=0.4), 0.4
    tokens = np.random.default_rng(0).integers(50, size=(30, 20))
    matrix = np.random.default_rng(1).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_array_equal(layer(matrix[tokens], tokens), matrix[tokens])
    kept = []
    for _ in range(40):
        dropped = np.array(layer(matrix[tokens], tokens, training=True))
        for word in range(50):
            (row,) = np.unique(dropped[tokens == word], axis=0)
            kept.append(bool(row.any()))
            np.testing.assert_allclose(row, kept[-1] / (1 - rate) * matrix[word], rtol=1e-5)
    assert np.mean(kept) == pytest.approx(1 - rate, abs=0.04)  # three standard deviations


def test_dropout_of_words_is_in_what_is_trained_alone():
    recipe, examples = tiny(MEDIUM, **{"model.layers": 1})
    model = recipe.model.build()
    trained = TrainingModel(recipe.model.training_model(model), recipe.task, recipe.model.states, 4)
    assert [w.path for w in trained.trainable_weights] == [w.path for w in model.trainable_weights]
    x = next(iter(recipe.data.batches(model, recipe, examples, 0)))[0]
    expected = outputs_of(recipe, model, x["tokens"])["logits"]
    np.testing.assert_allclose(trained(x, training=False)["logits"], expected, atol=1e-5)
    x |= {"reset_states": np.ones(4, bool)}
    assert np.abs(trained(x, training=True)["logits"] - expected).max() > 1e-4
    assert not any(isinstance(layer, WordDropout) for layer in model.layers)


# Measuring ----------------------------------------------------------------------------------------


def test_evaluation_counts_every_token_with_the_state_carried(characters):
    """Against one pass over the whole text, by the definition of cross-entropy."""
    recipe, examples, model, graphs = characters
    text = TokenizedText(
        "part", examples[0].tokens[:1300]
    )  # not a multiple of what is read in one go
    indices = recipe.data.vocabulary.encode("\n" + text.tokens)
    outputs = outputs_of(recipe, model, [indices[:-1]])
    probabilities = np.array(keras.ops.softmax(outputs["logits"][0]))
    nats = -np.log(probabilities[np.arange(1300), indices[1:]])
    evaluation = recipe.task.evaluate(graphs, recipe, [text])
    assert evaluation.metrics == {"nats_per_char": pytest.approx(nats.mean(), rel=1e-5)}
    assert evaluation.num_examples == 1300

    assert "".join(row["text"] for row in evaluation.rows) == text.tokens
    second = evaluation.rows[1]
    assert (second["id"], second["text"]) == ("part, line 2", text.tokens.split("\n")[1] + "\n")
    start = len(evaluation.rows[0]["text"])
    end = start + second["num_tokens"]
    assert second["log_probability"] == pytest.approx(-nats[start:end].sum(), rel=1e-5)


def test_a_uniform_model_has_the_perplexity_of_its_vocabulary():
    recipe, examples = tiny(WORDS)
    model = recipe.model.build()
    for weight in model.weights:
        weight.assign(keras.ops.zeros_like(weight))
    graphs = Graphs("keras", recipe.model.functions(model))
    size = recipe.model.vocabulary_size
    evaluation = recipe.task.evaluate(graphs, recipe, examples)
    assert evaluation.metrics["perplexity"] == pytest.approx(size, rel=1e-4)
    assert sum(row["num_tokens"] for row in evaluation.rows) == evaluation.num_examples

    by_character = replace(recipe.task, metric="nats_per_char")
    characters = sum(len(row["text"]) for row in evaluation.rows)
    nats = by_character.evaluate(graphs, recipe, examples).metrics["nats_per_char"]
    expected = evaluation.num_examples * np.log(size) / characters
    assert nats == pytest.approx(expected, rel=1e-4)


def test_scores_add_up_to_what_evaluation_finds(characters):
    recipe, examples, _, graphs = characters
    text = examples[0].tokens[:600]
    (answer,) = recipe.task.score(graphs, recipe, [text])
    assert "".join(row["token"] for row in answer["tokens"]) == text
    total = sum(row["log_probability"] for row in answer["tokens"])
    assert answer["log_probability"] == pytest.approx(total)
    evaluation = recipe.task.evaluate(graphs, recipe, [TokenizedText("same", text)])
    nats = evaluation.metrics["nats_per_char"]
    assert -total / len(text) == pytest.approx(nats, rel=1e-5)
    assert answer["perplexity"] == pytest.approx(np.exp(nats), rel=1e-4)


def test_lines_read_side_by_side_have_the_scores_they_have_alone(characters, monkeypatch):
    recipe, _, _, graphs = characters
    monkeypatch.setattr("zoo.common.tasks.language_modelling.READ_STEPS", 12)  # in several parts
    lines = ["Speak", "We are accounted poor", "o"]
    together = recipe.task.line_log_probs(graphs, recipe, lines)
    alone = recipe.task.score(graphs, recipe, [f"{line}\n" for line in lines])
    expected = [answer["log_probability"] for answer in alone]
    np.testing.assert_allclose(together, expected, rtol=1e-5)


# Writing ------------------------------------------------------------------------------------------


def write(recipe, graphs, prompt, **options):
    recipe = replace(recipe, decoder=replace(recipe.decoder, **options))
    (answer,) = recipe.task.predict(graphs, recipe, [prompt])
    return answer["output"]


def test_the_seed_fixes_what_is_drawn(characters):
    recipe, _, _, graphs = characters
    how = {"sampler": "random", "temperature": 2.0}
    first = write(recipe, graphs, "ROMAN:", seed=1, **how)
    assert first == write(recipe, graphs, "ROMAN:", seed=1, **how)
    assert first != write(recipe, graphs, "ROMAN:", seed=2, **how)
    assert first.startswith("ROMAN:")
    assert len(first) == len("ROMAN:") + 12


def test_greedy_writing_takes_the_likeliest_token_each_time(characters):
    recipe, _, model, graphs = characters
    text = "Speak"
    for _ in range(5):
        logits = outputs_of(recipe, model, [recipe.data.vocabulary.encode("\n" + text)])["logits"]
        text += recipe.data.vocabulary.tokens[int(np.argmax(logits[0, -1]))]
    assert write(recipe, graphs, "Speak", sampler="greedy", length=5) == text


def test_the_graph_of_a_savedmodel_writes_and_scores_as_numpy_does(characters):
    recipe, _, model, graphs = characters
    signatures = recipe.task.signatures(model, recipe)
    prompts = ["Speak", "We are"]
    rows = {"length": (12, 7), "temperature": (0.0, 0.0), "seed": (0, 1)}
    rows = [tf.constant(values) for values in rows.values()]
    written = signatures["serving_default"].function(tf.constant(prompts), *rows)
    expected = [
        write(recipe, graphs, prompt, sampler="greedy", length=length)
        for prompt, length in zip(prompts, (12, 7), strict=True)
    ]
    assert [text.decode() for text in written["text"].numpy()] == expected
    scores = signatures["score"].function(tf.constant(prompts))
    answers = recipe.task.score(graphs, recipe, prompts)
    totals = [answer["log_probability"] for answer in answers]
    np.testing.assert_allclose(scores["log_probability"], totals, rtol=1e-5)
    assert scores["lengths"].numpy().tolist() == [5, 6]
    assert scores["log_probabilities"][0, 5] == 0


def test_rows_of_a_savedmodel_do_not_depend_on_each_other(characters):
    """Which TensorFlow Serving may put together as it likes."""
    recipe, _, model, _ = characters
    signatures = recipe.task.signatures(to_stock(model), recipe)  # as it is exported
    entry_ = signatures["serving_default"]
    serve = tf.function(entry_.function, input_signature=entry_.spec)
    rows = [("Speak", 9, 2.0, 1), ("Speak", 9, 2.0, 2), ("We are", 4, 0.0, 7)]

    def answers(rows):
        columns = (tf.constant(column) for column in zip(*rows, strict=True))
        return [text.decode() for text in serve(*columns)["text"].numpy()]

    together = answers(rows)
    assert together == [answers([row])[0] for row in rows]
    assert len(set(together)) == 3
    nothing = [tf.zeros([0], dtype) for dtype in (tf.string, tf.int32, tf.float32, tf.int32)]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have a row or more"):
        serve(*nothing)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have a row or more"):
        signatures["score"].function(nothing[0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the same number of rows"):
        serve(tf.constant(["Speak", "We"]), *(tf.constant([value]) for value in (9, 2.0, 1)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ((" ", 3, 1.0, 0), "A text is empty"),
        (("日本", 3, 1.0, 0), "does not know a character"),
        ((b"Sp\xe4t", 3, 1.0, 0), "must be UTF-8"),
        (("Speak", 0, 1.0, 0), "length must be at least 1"),
        (("Speak", 3, -1.0, 0), "temperature must be at least 0"),
        (("Speak", 3, np.float32("nan"), 0), "must be finite numbers"),
        (("Speak", 2_000_000, 1.0, 0), "at most 1e[+]06"),
    ],
)
def test_a_bad_row_of_a_savedmodel_is_told(characters, row, message):
    recipe, _, model, _ = characters
    signatures = recipe.task.signatures(model, recipe)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures["serving_default"].function(*(tf.constant([value]) for value in row))
    if "text" in message or "character" in message or "UTF-8" in message:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            signatures["score"].function(tf.constant(row[:1]))


def test_a_bad_text_gets_a_line_and_the_next_its_answer(characters):
    recipe, _, _, graphs = characters
    for verb in (recipe.task.predict, recipe.task.score):
        bad, good = verb(graphs, recipe, ["日本", "Speak"])
        assert "No character of the text is among" in bad["error"]
        assert "error" not in good


def test_unknown_words_are_read_as_unknown_but_not_alone():
    recipe, _ = tiny(WORDS)
    graphs = Graphs("keras", recipe.model.functions(recipe.model.build()))
    good, bad = recipe.task.score(graphs, recipe, ["the qwertz lobster", "qwertz"])
    assert [row["token"] for row in good["tokens"]] == ["the", "<unk>", "lobster"]
    assert "No word of the text is among" in bad["error"]
