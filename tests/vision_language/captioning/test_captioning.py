"""Tests of captioning as a task: answers, scores, evaluation."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.data.vocabulary import SENTENCE_SPECIALS
from zoo.vision_language.captioning.captioner import ENCODER_FROM_FEATURES


@pytest.fixture(scope="module")
def model(tiny):
    """A captioner with large random weights, whose captions differ between images."""
    keras.utils.set_random_seed(4)
    model = tiny.model.build()
    own = tiny.model.checkpoint_submodel(model)
    generator = np.random.default_rng(0)
    for weight in own.trainable_weights:
        weight.assign(generator.normal(0, 0.6, weight.shape))
    return model


@pytest.fixture(scope="module")
def graphs(model, tiny):
    """The graphs of the model. Each image is encoded once."""
    functions = tiny.model.functions(model)
    encode, encoded = functions["encoder"], {}

    def encoder(image):
        key = image.tobytes()
        if key not in encoded:
            encoded[key] = encode(image=image)
        return encoded[key]

    return Graphs("keras", functions | {"encoder": encoder})


def predict(graphs, recipe, examples):
    predictor = recipe.predictor(graphs)
    return list(recipe.task.predict(predictor, [str(e.image) for e in examples]))


def test_evaluate_and_signature_give_the_captions_of_predict(model, graphs, tiny, examples):
    keras_predictor = tiny.predictor(Graphs("keras", tiny.model.graphs(model)))
    examples = examples[::3]
    answers = predict(graphs, tiny, examples)
    texts = [answer["output"] for answer in answers]
    log_probabilities = [answer["log_probability"] for answer in answers]
    assert len(set(texts)) == 3

    assert ENCODER_FROM_FEATURES in graphs
    other = Graphs("other", {name: graphs[name] for name in ("encoder", "step")})
    for runtime, tolerance in ((graphs, 0.02), (other, 1e-4)):  # features are float16
        rows = tiny.task.evaluate(tiny.predictor(runtime), examples).rows
        assert [row["output"] for row in rows] == texts
        received = [row["log_probability"] for row in rows]
        np.testing.assert_allclose(received, log_probabilities, atol=tolerance)

    signature = tiny.task.signatures(keras_predictor)["serving_default"]
    files = []
    for example in examples:
        pixels = tf.constant(keras.utils.img_to_array(keras.utils.load_img(example.image)))
        files.append(tf.io.encode_png(tf.cast(pixels, tf.uint8)).numpy())
    (spec,) = signature.spec
    assert (spec.name, spec.dtype) == ("image_bytes", tf.string)
    served = tf.function(signature.function)(tf.constant(files))
    assert sum(a.decode() == b for a, b in zip(served["caption"].numpy(), texts, strict=True)) >= 2


def test_an_unreadable_image_does_not_stop_the_others(graphs, tiny, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    good = str(examples[0].image)
    first, bad, second = tiny.task.predict(tiny.predictor(graphs), [good, str(text), good])
    assert first == second
    assert set(bad) == {"input", "error"}
    assert "text.jpg" in bad["error"]


def test_beam_search_improves_on_greedy_search(graphs, tiny, examples):
    def captions(**options):
        recipe = replace(tiny, decoder=replace(tiny.decoder, **options))
        return predict(graphs, recipe, examples[::3])

    greedy = captions(sampler="greedy")
    assert greedy == captions(beam_width=1)
    wide = captions(beam_width=8, length_penalty=0.0, n_best=4)
    gain = [a["log_probability"] - b["log_probability"] for a, b in zip(wide, greedy, strict=True)]
    assert np.mean(gain) > 0
    for answer in wide:
        first, *others = answer["alternatives"]
        assert first == {key: answer[key] for key in ("output", "log_probability")}
        log_probabilities = [row["log_probability"] for row in (first, *others)]
        assert log_probabilities == sorted(log_probabilities, reverse=True)
        assert len({row["output"] for row in (first, *others)}) == 4
    cold = captions(sampler="top_k", top_k=1)
    assert [a["output"] for a in cold] == [a["output"] for a in greedy]
    drawn = captions(sampler="random", seed=1)
    assert drawn == captions(sampler="random", seed=1) != captions(sampler="random", seed=2)
    assert not any(token in a["output"] for a in drawn for token in SENTENCE_SPECIALS)


def test_score_equals_the_log_probability_of_the_answer(graphs, tiny, examples):
    image, predictor = str(examples[0].image), tiny.predictor(graphs)
    recipe = replace(tiny, decoder=replace(tiny.decoder, sampler="greedy"))
    (answer,) = predict(graphs, recipe, examples[:1])
    caption = answer["output"]
    found, other, empty, long = tiny.task.score(
        predictor, [image, caption, "a road", " ", "word " * 9]
    )
    if len(caption.split()) < recipe.decoder.max_length:  # it has an end token
        assert found["log_probability"] == pytest.approx(answer["log_probability"], abs=1e-3)
    assert [t["token"] for t in other["tokens"]] == ["a", "road", "<end>"]
    total = sum(t["log_probability"] for t in other["tokens"])
    assert other["log_probability"] == pytest.approx(total, abs=1e-5)
    assert "words of the caption must be" in empty["error"]
    assert "Received: 9" in long["error"]
    with pytest.raises(ZooError, match="scores sentences about an input"):
        list(tiny.task.score(predictor, [image]))
    with pytest.raises(ZooError, match=r"missing\.png"):
        list(tiny.task.score(predictor, ["missing.png", "a road"]))


def test_evaluation_counts_an_unreadable_image_as_empty(graphs, tiny, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    bad, predictor = replace(examples[0], image=text), tiny.predictor(graphs)
    result = tiny.task.evaluate(predictor, [bad, *examples[1:]])
    assert list(result.metrics) == [
        *("bleu4", "bleu3", "bleu2", "bleu1", "rouge_l"),
        *("cider", "copy_rate", "unique_ratio"),
    ]
    assert tiny.task.monitor == "bleu4"
    assert result.num_examples == len(examples)
    assert any("text.jpg" in line for line in result.report)
    first, second = json.loads(json.dumps(result.rows[:2]))
    assert first["output"] == ""
    assert "text.jpg" in first["error"]
    assert set(second) == {
        "id",
        "image",
        "references",
        "output",
        "cider",
        "log_probability",
        "confidence",
    }
    (path,) = tiny.task.plot_evaluation(predictor, result, tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_samplers_are_not_evaluated_or_exported(graphs, tiny, examples):
    recipe = replace(tiny, decoder=replace(tiny.decoder, sampler="random"))
    drawing = recipe.predictor(graphs)
    for use in (
        lambda: tiny.task.evaluate(drawing, examples),
        lambda: tiny.task.answer_in_graph(drawing),
    ):
        with pytest.raises(
            ZooError, match=r"decoder\.sampler must be 'beam' or 'greedy' .*'random'"
        ):
            use()


def test_copies_of_training_captions_are_counted(tiny, examples):
    outputs = ["a road crosses green fields", "a road crosses many fields", "", ""]
    metrics, _, _ = tiny.task.compute_metrics(tiny.data, examples[:4], outputs)
    assert metrics["copy_rate"] == 0.25
    assert metrics["unique_ratio"] == 0.75
