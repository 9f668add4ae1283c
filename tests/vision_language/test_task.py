"""Captioning as a task: batches, loss, captions by every way out, assets."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.backends import keras_graphs
from zoo.common.errors import ZooError
from zoo.common.vocabulary import END, PAD, START, UNKNOWN
from zoo.vision_language.serving import teller
from zoo.vision_language.task import SPECIALS, Captioning, digest, looked_at


@pytest.fixture(scope="module")
def model(tiny):
    """A captioner of large random weights: its captions differ from image to image."""
    keras.utils.set_random_seed(4)
    model = tiny.model.build()
    own = tiny.model.own_part(model)
    generator = np.random.default_rng(0)
    for weight in own.trainable_weights:
        weight.assign(generator.normal(0, 0.6, weight.shape))
    return model


@pytest.fixture(scope="module")
def graphs(model, tiny):
    return keras_graphs(tiny.task.graphs(model, tiny))


def test_batches_hold_each_caption_once(model, tiny, examples):
    task, vocabulary = tiny.task, tiny.task.vocabulary
    table, places, _ = looked_at(examples)
    place = {example.id: places[i] for i, example in enumerate(examples)}
    rows = []
    for x, y, ids in task.batches(model, tiny, examples, epoch=0).as_numpy_iterator():
        assert len(ids) <= tiny.training.batch_size
        for i, id_ in enumerate(ids):
            length = y["lengths"][i]
            words = vocabulary.decode(y["targets"][i])
            assert words[length - 1] == END
            assert set(words[length:]) <= {PAD}
            shown = vocabulary.decode(x["tokens"][i])
            assert shown[:length] == [START, *words[: length - 1]]
            assert set(shown[length:]) <= {PAD}
            np.testing.assert_array_equal(x["features"][i], table[place[id_.decode()]])
            rows.append((id_.decode(), tuple(words[: length - 1])))
    expected = [
        (e.id, tuple(vocabulary.decode(tokens[1:-1])))
        for e in examples
        for tokens in task.encode(e)
    ]
    assert sorted(rows) == sorted(expected)
    assert task.steps(tiny, examples) == -(-len(rows) // tiny.training.batch_size)


def test_an_epoch_has_its_own_order_and_always_the_same(model, tiny, examples):
    def ids(epoch):
        batches = tiny.task.batches(model, tiny, examples, epoch).as_numpy_iterator()
        return [id_ for _, _, ids in batches for id_ in ids]

    assert ids(0) == ids(0) != ids(1)


def test_loss_is_the_mean_over_words_and_end(tiny):
    """Against the sum written out, with a tenth of the target spread over the vocabulary."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 4, 6)).astype(np.float32)
    targets, lengths = generator.integers(0, 6, (2, 4), np.int32), np.array([4, 2], np.int32)
    y = {"targets": tf.constant(targets), "lengths": tf.constant(lengths)}
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    for share in (0.0, 0.1):
        goal = (1 - share) * np.eye(6)[targets] + share / 6
        costs = -(goal * logs).sum(-1)
        expected = [costs[0].mean(), costs[1, :2].mean()]
        task = replace(tiny.task, label_smoothing=share)
        received = task.loss(y, {"logits": tf.constant(logits)})
        np.testing.assert_allclose(received, expected, rtol=1e-5)


def test_every_way_out_tells_the_same(model, graphs, tiny, examples):
    """NumPy around the graphs, a graph from features, and the SavedModel's from bytes."""
    task, examples = tiny.task, examples[::2]
    answers = list(task.predict(graphs, tiny, [str(example.image) for example in examples]))
    texts = [answer["output"] for answer in answers]
    assert len(set(texts)) > 2

    table, places, _ = looked_at(examples)
    told = teller(model, tiny.model, task)(table[places].astype(np.float32))
    assert [text.decode() for text in told["caption"].numpy()] == texts
    logs = [answer["log_probability"] for answer in answers]
    np.testing.assert_allclose(told["log_probability"], logs, atol=0.02)  # features are float16

    signature = task.signatures(model, tiny)["serving_default"]
    files = []
    for example in examples:
        pixels = tf.constant(keras.utils.img_to_array(keras.utils.load_img(example.image)))
        files.append(tf.io.encode_png(tf.cast(pixels, tf.uint8)).numpy())
    served = tf.function(signature.function)(tf.constant(files))
    assert sum(a.decode() == b for a, b in zip(served["caption"].numpy(), texts, strict=True)) >= 4


def test_a_bad_image_does_not_stop_the_rest(graphs, tiny, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    good = str(examples[0].image)
    first, bad, second = tiny.task.predict(graphs, tiny, [good, str(text), good])
    assert first == second
    assert set(bad) == {"input", "error"}
    assert "text.jpg" in bad["error"]


def test_beam_is_no_worse_than_greedy_and_greedy_is_its_width_of_one(graphs, tiny, examples):
    def told(**options):
        recipe = replace(tiny, task=replace(tiny.task, **options))
        return list(recipe.task.predict(graphs, recipe, [str(e.image) for e in examples[::3]]))

    greedy = told(sampler="greedy")
    assert greedy == told(beam_width=1)
    wide = told(beam_width=8, length_power=0.0)
    gain = [a["log_probability"] - b["log_probability"] for a, b in zip(wide, greedy, strict=True)]
    assert np.mean(gain) > 0
    cold = told(sampler="top_k", top_k=1)
    assert [a["output"] for a in cold] == [a["output"] for a in greedy]
    drawn = told(sampler="random", seed=1)
    assert drawn == told(sampler="random", seed=1) != told(sampler="random", seed=2)
    assert not any(token in a["output"] for a in drawn for token in SPECIALS)


def test_evaluation_counts_an_unreadable_image_as_silence(model, tiny, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    bad = replace(examples[0], image=text)
    result = tiny.task.evaluate(model, tiny, [bad, *examples[1:]])
    assert set(result.metrics) >= {"bleu4", "cider", "verbatim", tiny.task.metric}
    assert any("text.jpg" in line for line in result.report)
    with pytest.raises(ZooError, match=r"task\.sampler is 'beam' or 'greedy'"):
        replace(tiny.task, sampler="random").evaluate(model, tiny, examples)


def test_what_cannot_be_learnt_from_is_left_out(tiny, examples, tmp_path, capsys):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    bad = replace(examples[0], image=text)
    long = replace(examples[1], captions=("a " * 9,))
    kept, left_out = tiny.task.usable([bad, long, examples[2]], tiny.model)
    assert kept == [examples[2]]
    assert left_out == {"unreadable": 1, "without a caption of at most 8 words": 1}
    assert "text.jpg: not an image" in capsys.readouterr().err
    with pytest.raises(ZooError, match="No image can be learnt from: 1 unreadable of 1"):
        tiny.task.usable([bad], tiny.model)


def test_fit_takes_the_words_seen_often(tiny, examples):
    task, model = Captioning(min_count=3).fit(examples, tiny.model)
    assert task.vocabulary.tokens[:4] == (PAD, UNKNOWN, START, END)
    assert model.vocabulary_size == len(task.vocabulary)
    assert "road" in task.vocabulary
    assert "river" in task.vocabulary
    assert "2" in task.vocabulary
    assert "none" not in task.vocabulary
    assert digest(["a", "road", "crosses", "green", "fields"]) in task.seen
    assert task.fit([], model) == (task, model)


def test_assets_come_back(tiny, tmp_path):
    for name, text in tiny.task.assets().items():
        (tmp_path / name).write_text(text)
    blank = replace(tiny.task, vocabulary=Captioning().vocabulary, seen=())
    assert blank.with_assets(tmp_path) == tiny.task
    for name, text, reason in (
        ("vocabulary.txt", "a\t3\n", "its first lines are <pad>, <unk>, <start>, <end>"),
        ("seen.txt", "captions\n", "digests of 12 letters"),
    ):
        good = (tmp_path / name).read_text()
        (tmp_path / name).write_text(text)
        with pytest.raises(ZooError, match=f"{name} is corrupt: .*{reason}"):
            blank.with_assets(tmp_path)
        (tmp_path / name).write_text(good)


@pytest.mark.parametrize(
    ("setting", "valid"),
    [
        ({"sampler": "best"}, "'beam', 'greedy', 'random', 'top_k', 'top_p'"),
        ({"beam_width": 0}, "at least 1"),
        ({"top_p": 0.0}, r"\(0, 1\]"),
        ({"temperature": 0.0}, "above 0"),
        ({"label_smoothing": 1.0}, r"\[0, 1\)"),
        ({"length_power": -1.0}, "at least 0"),
    ],
)
def test_settings_that_make_no_sense(setting, valid):
    ((name, value),) = setting.items()
    with pytest.raises(ZooError, match=rf"task\.{name} .*{valid}.*Received: .*{value}"):
        Captioning(**setting)
