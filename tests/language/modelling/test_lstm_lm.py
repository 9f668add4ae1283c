"""The LSTM language model: its layers, training, scores and generated texts."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model
from tests.language.epochs import epoch_batches
from tests.language.modelling.tiny import CHARACTERS, tiny
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.states import initial_states
from zoo.common.layers.recurrent import to_stock
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.training_model import TrainingModel
from zoo.language.modelling.word_dropout import WordDropout
from zoo.language.whole_texts import TokenizedText

WORDS = "language/lstm-small-ptb"
MEDIUM = "language/lstm-medium-ptb"  # all kinds of dropout


def outputs_of(recipe, model, tokens):
    """Return the model's outputs for int [rows, time], the beginnings of texts."""
    inputs = {"tokens": np.array(tokens, np.int32)}
    return model(inputs | initial_states(recipe.model.states, len(tokens)), training=False)


def predictor_of(recipe, model):
    return recipe.predictor(Graphs("keras", recipe.model.functions(model)))


def in_graph(recipe, model):
    """Return a predictor of functional Keras models, as signatures take it."""
    return recipe.predictor(Graphs("keras", recipe.model.graphs(model)))


@pytest.fixture(scope="module")
def characters():
    """Return (recipe, examples, model, predictor) of a tiny character model with random weights."""
    recipe, examples = tiny(CHARACTERS)
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    for weight in model.weights:  # for probabilities that are far from uniform
        weight.assign(3 * np.array(weight))
    return recipe, examples, model, predictor_of(recipe, model)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        # Separate softmax matrix, no projection. The preset of "hello" is a character model, too.
        pytest.param(CHARACTERS, {"model.hidden_size": 6}, marks=pytest.mark.slow),
        (MEDIUM, {"model.layers": 1, "model.recurrent_dropout": 0.5}),
    ],
)
def test_harness(name, overrides, tmp_path, formats):
    recipe, examples = tiny(name, **overrides)
    check_model(recipe, examples, tmp_path / "tiny", formats)


def test_a_tied_softmax_uses_the_matrix_of_the_embedding():
    recipe, _ = tiny(WORDS, **{"model.layers": 1, "model.hidden_size": 6})
    model = recipe.model.build()
    size = recipe.model.vocabulary_size
    assert sum((size in weight.shape) for weight in model.weights) == 1
    outputs = outputs_of(recipe, model, [[3, 1]])
    embedding = model.get_layer("embedding").embeddings
    expected = outputs["next_h0"] @ tf.transpose(embedding)
    np.testing.assert_allclose(outputs["logits"][:, -1], expected, atol=1e-5)


def test_mixed_precision_of_the_softmax():
    """The logits are Keras's product of hidden vectors and matrix in bfloat16, cast to float32."""
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
        ZooError, match=r"task\.monitor must be one of 'perplexity', 'nats_per_char'"
    ):
        tiny(CHARACTERS, **{"task.monitor": "wer"})


# Training -----------------------------------------------------------------------------------------


def test_the_loss_is_the_mean_cross_entropy_of_a_row():
    logits = np.random.default_rng(0).normal(size=(2, 3, 5)).astype(np.float32)
    targets = np.array([[0, 4, 2], [1, 1, 3]], np.int32)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    chosen = np.take_along_axis(probabilities, targets[:, :, np.newaxis], axis=-1)
    losses = LanguageModelling().loss({"targets": targets}, {"logits": logits})
    np.testing.assert_allclose(losses, -np.log(chosen).mean(axis=(1, 2)), rtol=1e-5)


def test_states_are_carried_from_batch_to_batch(characters):
    """The outputs over batches are those of one pass over each row; each epoch starts again."""
    recipe, examples, model, _ = characters
    trained = TrainingModel(model, recipe.task, recipe.model.states, batch_size=4)
    batches = [x for x, _, _ in epoch_batches(recipe, examples)][:3]
    for _ in range(2):
        logits = [trained(x, training=False)["logits"] for x in batches]
    tokens = np.concatenate([x["tokens"] for x in batches], axis=1)
    whole = outputs_of(recipe, model, tokens)
    np.testing.assert_allclose(tf.concat(logits, axis=1), whole["logits"], atol=1e-5)


def test_a_dropped_word_is_missing_at_all_positions():
    """The embeddings of a word are all 0, or all the same multiple of its row of the matrix."""
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


def test_word_dropout_is_in_the_training_model_only():
    recipe, examples = tiny(MEDIUM, **{"model.layers": 1})
    model = recipe.model.build()
    trained = TrainingModel(recipe.model.training_model(model), recipe.task, recipe.model.states, 4)
    assert [w.path for w in trained.trainable_weights] == [w.path for w in model.trainable_weights]
    x = next(iter(epoch_batches(recipe, examples)))[0]
    expected = outputs_of(recipe, model, x["tokens"])["logits"]
    np.testing.assert_allclose(trained(x, training=False)["logits"], expected, atol=1e-5)
    x |= {"reset_states": np.ones(4, bool)}
    assert np.abs(trained(x, training=True)["logits"] - expected).max() > 1e-4
    assert not any(isinstance(layer, WordDropout) for layer in model.layers)


# Evaluation ---------------------------------------------------------------------------------------


def test_evaluation_counts_every_token_with_the_state_carried(characters):
    """The metric is the cross-entropy of one pass over the whole text."""
    recipe, examples, model, predictor = characters
    text = TokenizedText("part", examples[0].tokens[:1300])  # not a multiple of READ_STEPS
    indices = recipe.data.vocabulary.encode("\n" + text.tokens)
    outputs = outputs_of(recipe, model, [indices[:-1]])
    probabilities = np.array(keras.ops.softmax(outputs["logits"][0]))
    nats = -np.log(probabilities[np.arange(1300), indices[1:]])
    evaluation = recipe.task.evaluate(predictor, [text])
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
    predictor = predictor_of(recipe, model)
    size = recipe.model.vocabulary_size
    evaluation = recipe.task.evaluate(predictor, examples)
    assert evaluation.metrics["perplexity"] == pytest.approx(size, rel=1e-4)
    assert sum(row["num_tokens"] for row in evaluation.rows) == evaluation.num_examples

    by_character = replace(recipe.task, monitor="nats_per_char")
    characters = sum(len(row["text"]) for row in evaluation.rows)
    nats = by_character.evaluate(predictor, examples).metrics["nats_per_char"]
    expected = evaluation.num_examples * np.log(size) / characters
    assert nats == pytest.approx(expected, rel=1e-4)


def test_the_sum_of_scores_is_the_metric_of_an_evaluation(characters):
    recipe, examples, _, predictor = characters
    text = examples[0].tokens[:600]
    (answer,) = recipe.task.score(predictor, [text])
    assert "".join(row["token"] for row in answer["tokens"]) == text
    total = sum(row["log_probability"] for row in answer["tokens"])
    assert answer["log_probability"] == pytest.approx(total)
    evaluation = recipe.task.evaluate(predictor, [TokenizedText("same", text)])
    nats = evaluation.metrics["nats_per_char"]
    assert -total / len(text) == pytest.approx(nats, rel=1e-5)
    assert answer["perplexity"] == pytest.approx(np.exp(nats), rel=1e-4)


def test_lines_of_a_batch_have_the_scores_of_single_lines(characters, monkeypatch):
    recipe, _, _, predictor = characters
    monkeypatch.setattr("zoo.common.tasks.language_modelling.READ_STEPS", 12)  # in several parts
    lines = ["Speak", "We are accounted poor", "o"]
    together = recipe.task.line_log_probs(predictor, lines)
    alone = recipe.task.score(predictor, [f"{line}\n" for line in lines])
    expected = [answer["log_probability"] for answer in alone]
    np.testing.assert_allclose(together, expected, rtol=1e-5)


# Generation ---------------------------------------------------------------------------------------


def write(recipe, predictor, prompt, **options):
    predictor = replace(predictor, decoder=replace(predictor.decoder, **options))
    (answer,) = recipe.task.predict(predictor, [prompt])
    return answer["output"]


def test_the_seed_determines_the_text(characters):
    recipe, _, _, predictor = characters
    options = {"sampler": "random", "temperature": 2.0}
    first = write(recipe, predictor, "ROMAN:", seed=1, **options)
    assert first == write(recipe, predictor, "ROMAN:", seed=1, **options)
    assert first != write(recipe, predictor, "ROMAN:", seed=2, **options)
    assert first.startswith("ROMAN:")
    assert len(first) == len("ROMAN:") + 12


def test_greedy_generation_selects_the_most_probable_token(characters):
    recipe, _, model, predictor = characters
    text = "Speak"
    for _ in range(5):
        logits = outputs_of(recipe, model, [recipe.data.vocabulary.encode("\n" + text)])["logits"]
        text += recipe.data.vocabulary.tokens[int(np.argmax(logits[0, -1]))]
    assert write(recipe, predictor, "Speak", sampler="greedy", length=5) == text


def test_the_savedmodel_generates_and_scores_as_numpy_does(characters):
    recipe, _, model, predictor = characters
    signatures = recipe.task.signatures(in_graph(recipe, model))
    prompts = ["Speak", "We are"]
    rows = {"length": (12, 7), "temperature": (0.0, 0.0), "seed": (0, 1)}
    rows = [tf.constant(values) for values in rows.values()]
    written = signatures["serving_default"].function(tf.constant(prompts), *rows)
    expected = [
        write(recipe, predictor, prompt, sampler="greedy", length=length)
        for prompt, length in zip(prompts, (12, 7), strict=True)
    ]
    assert [text.decode() for text in written["text"].numpy()] == expected
    scores = signatures["score"].function(tf.constant(prompts))
    answers = recipe.task.score(predictor, prompts)
    totals = [answer["log_probability"] for answer in answers]
    np.testing.assert_allclose(scores["log_probability"], totals, rtol=1e-5)
    assert scores["lengths"].numpy().tolist() == [5, 6]
    assert scores["log_probabilities"][0, 5] == 0


def test_rows_of_a_savedmodel_do_not_depend_on_each_other(characters):
    """TensorFlow Serving may combine the rows of several clients into one batch."""
    recipe, _, model, _ = characters
    signatures = recipe.task.signatures(in_graph(recipe, to_stock(model)))  # as in an export
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
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have at least one row"):
        serve(*nothing)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have at least one row"):
        signatures["score"].function(nothing[0])
    with pytest.raises(tf.errors.InvalidArgumentError, match="the same number of rows"):
        serve(tf.constant(["Speak", "We"]), *(tf.constant([value]) for value in (9, 2.0, 1)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("", 3, 1.0, 0), "A text is empty"),
        (("日本", 3, 1.0, 0), "A character of the text is not in the vocabulary"),
        ((b"Sp\xe4t", 3, 1.0, 0), "must be UTF-8"),
        (("Speak", 0, 1.0, 0), "length must be at least 1"),
        (("Speak", 3, -1.0, 0), "temperature must be at least 0"),
        (("Speak", 3, np.float32("nan"), 0), "must be finite numbers"),
        (("Speak", 2_000_000, 1.0, 0), "at most 1e[+]06"),
    ],
)
def test_a_bad_row_of_a_savedmodel_is_an_error(characters, row, message):
    recipe, _, model, _ = characters
    signatures = recipe.task.signatures(in_graph(recipe, model))
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        signatures["serving_default"].function(*(tf.constant([value]) for value in row))
    if "text" in message or "character" in message or "UTF-8" in message:
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            signatures["score"].function(tf.constant(row[:1]))


def test_a_bad_text_gives_an_error_and_the_next_an_answer(characters):
    recipe, _, _, predictor = characters
    for verb in (recipe.task.predict, recipe.task.score):
        bad, good = verb(predictor, ["日本", "Speak"])
        assert "No character of the text is in the vocabulary of" in bad["error"]
        assert "error" not in good


def test_a_text_may_have_unknown_words_among_known_ones():
    recipe, _ = tiny(WORDS)
    predictor = predictor_of(recipe, recipe.model.build())
    good, bad = recipe.task.score(predictor, ["the qwertz lobster", "qwertz"])
    assert [row["token"] for row in good["tokens"]] == ["the", "<unk>", "lobster"]
    assert "No word of the text is in the vocabulary of" in bad["error"]
