"""Text classification: reading and splitting of texts, the model, its answers, and errors."""

import json
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.harness import check_model
from tests.language.epochs import epoch_batches
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.data.splits import split_by_group
from zoo.language.classification.corpora.labelled import read_manifest
from zoo.language.classification.corpora.sst2 import SST2
from zoo.language.classification.data import LabelledText
from zoo.language.classification.sentences import split_sentence

NAME = "language/bilstm-sst2"
TINY = {
    "model.embedding_size": 6,
    "model.hidden_size": 5,
    "training.batch_size": 4,
    "data.min_count": 1,
    "data.word_dropout": 0,
}
# Written for this test.
LINES = (
    ("the film is a quiet joy from its first scene to its last", "1"),
    ("a dull , noisy and endless film", "0"),
    ("it is n't funny and it does n't end", "0"),
    ("moving , funny and wise", "1"),
    ("what a waste of a good story", "0"),
    ("i 'd see it again , and again", "1"),
)


@pytest.fixture
def corpus(tmp_path):
    """Return a folder with the files of the corpus."""
    for split in ("train", "dev", "test"):
        lines = "".join(f"{text}\t{label}\n" for text, label in LINES)
        (tmp_path / f"{split}.tsv").write_text(lines, encoding="utf-8")
    return tmp_path


@pytest.fixture
def recipe(corpus):
    """Return a recipe with a tiny model and the words of the corpus."""
    return entry(NAME).recipe().override(TINY).adapt(SST2.read(corpus, "train"))


@pytest.fixture
def predictor(recipe):
    keras.utils.set_random_seed(1)
    return recipe.predictor(Graphs("keras", recipe.model.functions(recipe.model.build())))


@pytest.mark.parametrize(
    "overrides",
    [{}, {"model.pooling": True}, {"model.pooling": True, "model.bidirectional": False}],
)
def test_harness(recipe, corpus, tmp_path, formats, overrides):
    recipe = recipe.override(overrides)
    check_model(recipe, SST2.read(corpus, "train"), tmp_path / "tiny", formats)


@pytest.mark.parametrize("bidirectional", [True, False])
def test_pooled_outputs_are_the_last_ones_the_mean_and_the_maximum(recipe, bidirectional):
    recipe = recipe.override({"model.pooling": True, "model.bidirectional": bidirectional})
    model = recipe.model.build()
    tokens, lengths = np.array([[3, 4, 5], [6, 2, 0]], np.int32), np.array([3, 2], np.int32)
    inside = np.array([[True, True, True], [True, True, False]])
    x = np.array(model.get_layer("lstm0")(model.get_layer("embedding")(tokens), mask=inside))
    pooled = keras.Model(model.input, model.get_layer("pooled").output)
    found = pooled({"tokens": tokens, "lengths": lengths})
    for row, states, length in zip(found, x, lengths, strict=True):
        ends = [states[length - 1, :5], *([states[0, 5:]] if bidirectional else [])]
        states = states[:length]
        expected = np.concatenate([*ends, states.mean(axis=0), states.max(axis=0)])
        np.testing.assert_allclose(row, expected, atol=1e-6)


# Reading ------------------------------------------------------------------------------------------


def test_the_corpus_names_its_classes(corpus):
    examples = SST2.read(corpus, "dev")
    assert [e.label for e in examples[:2]] == ["positive", "negative"]
    assert [(e.id, e.split) for e in examples[:2]] == [("dev 1", "dev"), ("dev 2", "dev")]
    assert len(SST2.read(corpus, "all")) == 3 * len(LINES)
    with pytest.raises(ZooError, match="There are: 'train', 'dev', 'test', 'all'"):
        SST2.read(corpus, "valid")


@pytest.mark.parametrize("line", ["no label", "another label\t2", "\t1"])
def test_a_bad_line_of_the_corpus_is_an_error(corpus, line):
    (corpus / "dev.tsv").write_text(f"good\t1\n{line}\n", encoding="utf-8")
    with pytest.raises(
        ZooError, match=r"dev\.tsv, line 2: a line must be a text, a tab and one of"
    ):
        SST2.read(corpus, "dev")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.tsv", 'label\ttext\tsplit\ngood\tA "fine" film.\ttrain\nbad\tNo.\tdev\n'),
        ("m.csv", 'text,label,split\n"A ""fine"" film.",good,train\nNo.,bad,dev\n'),
        (
            "m.jsonl",
            '{"text": "A \\"fine\\" film.", "label": "good", "split": "train"}\n'
            '{"text": "No.", "label": "bad", "split": "dev"}\n',
        ),
    ],
)
def test_manifests(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    rows = [(e.text, e.label, e.split) for e in read_manifest(tmp_path / name)]
    assert rows == [('A "fine" film.', "good", "train"), ("No.", "bad", "dev")]


def test_a_label_may_be_a_number_and_the_split_is_optional(tmp_path):
    rows = [{"text": "x", "label": 3}, {"text": "x", "label": 0, "split": None}]
    (tmp_path / "m.json").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    examples = read_manifest(tmp_path / "m.json")
    assert [(e.label, e.split) for e in examples] == [("3", None), ("0", None)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\n,good\n", "line 2: no text under the key 'text'"),
        ("text,label\nx,\n", "line 2: no text under the key 'label'"),
        ("text,sort\nx,y\n", "the header lacks label"),
        ('{"text": "x"}\n', "line 1: no text under the key 'label'"),
        ('{"text": "x", "label": true}\n', "line 1: no text under the key 'label'"),
    ],
)
def test_a_bad_line_of_a_manifest_is_an_error(tmp_path, content, message):
    (tmp_path / "m").write_text(content, encoding="utf-8")
    with pytest.raises(ZooError, match=re.escape(message)):
        read_manifest(tmp_path / "m")


def test_dev_and_train_have_different_texts(tmp_path):
    rows = "".join(f"text {i % 10},{i % 2}\n" for i in range(40))
    (tmp_path / "m.csv").write_text("text,label\n" + rows, encoding="utf-8")
    data = entry(NAME).recipe().data
    train, dev = split_by_group(read_manifest(tmp_path / "m.csv"), data.group_of, 0.2, seed=0)
    assert len(dev) == 8
    assert not {e.text for e in train} & {e.text for e in dev}


# Words --------------------------------------------------------------------------------------------

CUTS = [
    ("It isn't funny, and it's LONG.", "it is n't funny , and it 's long ."),
    ("it is n't funny , and", "it is n't funny , and"),
    ("We\u2019ll see\u2014well-made (or not)!?", "we 'll see well made ( or not )!?"),
    ("\tÀ bientôt\n\n été ", "à bientôt été"),
]


@pytest.mark.parametrize(("text", "words"), CUTS)
def test_words_of_a_text(text, words):
    assert split_sentence(text) == words.split()
    assert split_sentence(words) == words.split()


def test_a_savedmodel_splits_texts_as_the_zoo_does(recipe):
    texts = [f"{text} funny" for text, _ in CUTS] + [text for text, _ in LINES]
    entry_ = recipe.data.raw_inputs(recipe.model, recipe.decoder)["serving_default"]
    inputs = entry_.to_inputs(tf.constant(texts))
    rows = [recipe.data.vocabulary.encode(split_sentence(text)) for text in texts]
    assert inputs["lengths"].numpy().tolist() == [len(row) for row in rows]
    for row, tokens in zip(rows, inputs["tokens"].numpy(), strict=True):
        assert tokens.tolist() == row + [0] * (len(tokens) - len(row))
    with pytest.raises(tf.errors.InvalidArgumentError, match="A text is empty"):
        entry_.to_inputs(tf.constant(["good", " \n"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="The text must be UTF-8"):
        entry_.to_inputs(tf.constant(["good", b"sp\xe4t"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be in the Unicode normal form"):
        entry_.to_inputs(tf.constant(["funny cafe\u0301"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="No word of a text is in the vocab"):
        entry_.to_inputs(tf.constant(["funny", "xyzzy"]))
    with pytest.raises(tf.errors.InvalidArgumentError, match="too many words"):
        entry_.to_inputs(tf.constant(["funny " * 10_001]))


def test_rare_words_and_dropped_words_are_unknown(corpus):
    examples = SST2.read(corpus, "train")
    recipe = entry(NAME).recipe().override(TINY | {"data.min_count": 2})
    recipe = recipe.adapt(examples)
    assert "wise" not in recipe.data.vocabulary
    item = recipe.data.read_example(examples[3], recipe.model)
    words = recipe.data.vocabulary.decode(item["tokens"])
    assert words == ["<unk>", ",", "funny", "and", "<unk>"]

    def tokens(share, epoch):
        one = recipe.override({"data.word_dropout": share, "training.batch_size": 6})
        ((x, _, _),) = epoch_batches(one, examples, epoch)
        return x["tokens"]

    assert 0.3 < np.mean(tokens(0.9, 0) == 1) < 1
    np.testing.assert_array_equal(tokens(0.5, 3), tokens(0.5, 3))


def test_batches_have_each_text_once_with_its_label(recipe, corpus):
    examples = SST2.read(corpus, "train")
    found = {}
    batches = epoch_batches(recipe, examples)
    assert batches.steps == len(list(batches)) == 2
    for x, y, ids in batches:
        for row, length, label, id_ in zip(x["tokens"], x["lengths"], y["label"], ids, strict=True):
            found[id_] = (recipe.data.vocabulary.decode(row[:length]), int(label))
    assert found == {e.id: (e.text.split(), int(e.label == "positive")) for e in examples}


# The model and its answers ------------------------------------------------------------------------


def test_padding_has_no_effect(recipe, predictor, corpus):
    items = [recipe.data.read_example(e, recipe.model) for e in SST2.read(corpus, "train")]
    together = recipe.data.collate(items)
    for row, length in zip(together["tokens"], together["lengths"], strict=True):
        row[length:] = 2  # any token
    logits = predictor.graphs["model"](**together)["logits"]
    for row, item in zip(logits, items, strict=True):
        alone = predictor.graphs["model"](**recipe.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(row, alone, atol=1e-5)


def test_evaluate_predict_and_the_savedmodel_give_the_same_answer(recipe, corpus):
    model = recipe.model.build()
    predictor = recipe.predictor(Graphs("keras", recipe.model.functions(model)))
    examples = SST2.read(corpus, "test")
    evaluation = recipe.task.evaluate(predictor, examples)
    assert {"accuracy", "f1_macro"} <= set(evaluation.metrics)
    texts = [example.text for example in examples]
    answers = list(recipe.task.predict(predictor, texts))
    in_graph = recipe.predictor(Graphs("keras", recipe.model.graphs(model)))
    served = recipe.task.signatures(in_graph)["serving_default"].function(tf.constant(texts))
    for i, row in enumerate(evaluation.rows):
        assert answers[i]["output"] == row["output"] == served["label"][i].numpy().decode()
        assert answers[i]["probability"] == pytest.approx(row["probability"], abs=1e-5)
    np.testing.assert_allclose(np.sum(served["probabilities"], axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The text is empty."),
        (" \n\t", "The text is empty."),
        ("qwertz asdf", "No word of the text is in the vocabulary of"),
        ("<unk> <pad>", "No word of the text is in the vocabulary of"),
        ("half a letter \ud800", "The text is not UTF-8: the character at position 14 is invalid."),
        ("film " * 20_000, "A text must have at most 10,000 words. Received: 20,000."),
    ],
)
def test_a_bad_text_gives_an_error_and_the_next_an_answer(recipe, predictor, text, message):
    bad, good = recipe.task.predict(predictor, [text, "a funny film"])
    assert message in bad["error"]
    assert good["output"] in ("negative", "positive")


def test_texts_without_a_known_word_are_left_out(recipe, corpus):
    (corpus / "dev.tsv").write_text("qwertz\t0\na film\t1\n", encoding="utf-8")
    kept, left_out = recipe.data.filter_examples(SST2.read(corpus, "dev"), recipe.model)
    assert ([e.text for e in kept], left_out) == (["a film"], {"without a known word": 1})
    others = [e for e in SST2.read(corpus, "dev") if e not in kept]
    with pytest.raises(ZooError, match="are without a known word"):
        recipe.data.filter_examples(others, recipe.model)


def test_bad_settings():
    for key, value in (
        ("data.word_dropout", 1.0),
        ("data.min_count", 0),
        ("model.num_classes", 1),
        ("model.layers", 0),
        ("model.dropout", 1.0),
    ):
        with pytest.raises(ZooError, match=key):
            entry(NAME).recipe().override({key: value})


def test_digests_of_examples_do_not_depend_on_the_number_of_the_line(tmp_path):
    data = LabelledText()
    path = tmp_path / "m.csv"
    path.write_text("text,label\nso good,good\nso bad,bad\n")
    before = [data.example_digest(example) for example in data.read_manifest(path)]
    path.write_text("text,label\nso new,good\nso good,good\nso bad,good\n")
    after = [data.example_digest(example) for example in data.read_manifest(path)]
    assert after[1] == before[0]
    assert len({*before, *after}) == 4


def test_columns_with_other_names(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text('id,review,sentiment\n7,"so good, yes",good\n8,so bad,bad\n')
    data = LabelledText(column="review", label="sentiment")
    rows = [(example.text, example.label) for example in data.read_manifest(path)]
    assert rows == [("so good, yes", "good"), ("so bad", "bad")]
    # Inputs of predictions are those of the column, and lines of other files.
    assert data.find_inputs(str(path)) == ["so good, yes", "so bad"]
    lines = tmp_path / "lines.txt"
    lines.write_text("a review of it\nbad\n")
    assert data.find_inputs(str(lines)) == ["a review of it", "bad"]
    table = tmp_path / "m.jsonl"
    table.write_text('{"review": "so\\ngood", "sentiment": "good"}\n{"review": null}\n')
    assert data.find_inputs(str(table)) == ["so good", ""]
    with pytest.raises(ZooError, match="the header lacks reviews"):
        LabelledText(column="reviews").find_inputs(str(path))
    path.write_text("review,sentiment\n,good\n ,bad\n")
    with pytest.raises(ZooError, match="the column 'review' is empty"):
        data.find_inputs(str(path))
    with pytest.raises(ZooError, match=r"line 2: no text under the key 'review'"):
        data.read_manifest(path)
