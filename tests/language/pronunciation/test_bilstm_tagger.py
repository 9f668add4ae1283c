"""Pronunciation: alignment of letters and phonemes, dictionaries, the model and its answers."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import AN4
from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.language.pronunciation.corpora.an4_words import AN4_WORDS
from zoo.language.pronunciation.corpora.spelled import read_words, tag
from zoo.language.pronunciation.letter_alignment import LetterAligner, can_align

NAME = "language/bilstm-tagger-an4"
TINY = {"model.embedding_size": 4, "model.hidden_size": 5, "training.batch_size": 8}


@pytest.fixture(scope="module")
def words():
    return AN4_WORDS.read(AN4, "train")


@pytest.fixture(scope="module")
def recipe(words):
    return entry(NAME).recipe().override(TINY).adapt(words)


@pytest.fixture(scope="module")
def model(recipe):
    keras.utils.set_random_seed(1)
    return recipe.model.build()


@pytest.fixture(scope="module")
def graphs(recipe, model):
    return Graphs("keras", recipe.model.functions(model))


def test_model_passes_the_harness(recipe, words, tmp_path, formats):
    check_model(recipe, words, tmp_path / "tiny", formats)


# Alignment


def aligned(words, word: str) -> str:
    (found,) = (each for each in words if each.id == word)
    return " ".join(f"{letter}:{name}" for letter, name in zip(found.id, found.tags, strict=True))


@pytest.mark.parametrize(
    "expected",
    [
        "S:S I:IH X:K_S T:- H:TH",
        "N:N I:AY N:N E:-",
        "F:F O:AO R:R T:T Y:IY",
        "J:JH A:AE N:N U:Y_UW A:EH R:R Y:IY",
        "E:IH L:L E:EH V:V E:AH N:N",
        "T:- H:TH I:- R:ER T:T E:- E:IY N:N",
    ],
)
def test_alignment_equals_manual_alignment(words, expected):
    assert aligned(words, re.sub(r":\S+| ", "", expected)) == expected


def test_alignment_contains_the_first_pronunciation(words):
    for word in words:
        assert len(word.tags) == len(word.id)
        parts = [name.replace("_", " ") for name in word.tags if name != "-"]
        assert " ".join(parts) == word.pronunciations[0]


def test_counts_of_parts_are_weighted_by_probability(monkeypatch):
    """ "AB" with the phoneme x has two equally probable alignments, so each letter has x in half."""
    monkeypatch.setattr("zoo.language.pronunciation.letter_alignment.ROUNDS", 1)
    tables = LetterAligner([("AB", ("x",)), ("A", ("x",))])._tables
    # A has x once in the second word and in half of the first.
    assert tables["A"] == pytest.approx({("x",): 0.75, (): 0.25})
    assert tables["B"] == pytest.approx({("x",): 0.5, (): 0.5})
    monkeypatch.undo()
    # The second word determines the part of A in the first one.
    assert LetterAligner([("AB", ("x",)), ("A", ("x",))]).align("AB", ("x",)) == [("x",), ()]


def test_word_without_alignment_is_rejected():
    assert can_align("W", ("D", "AH"))
    assert not can_align("W", ("D", "AH", "B"))
    with pytest.raises(ValueError, match="'W' cannot be aligned with 'D AH B'"):
        LetterAligner([]).align("W", ("D", "AH", "B"))


# Words


def test_splits_have_no_common_words(words):
    test, everything = AN4_WORDS.read(AN4, "test"), AN4_WORDS.read(AN4, "all")
    assert len(words) + len(test) == len(everything) == 75
    assert len(test) == 15
    assert not {word.id for word in words} & {word.id for word in test}
    assert not any(len(word.id) == 1 for word in everything)
    (seventy,) = (word for word in everything if word.id == "SEVENTY")
    assert seventy.pronunciations == ("S EH V AH N IY", "S EH V AH N T IY")
    with pytest.raises(ZooError, match="There are: 'train', 'test', 'all'"):
        AN4_WORDS.read(AN4, "dev")


def test_tags_of_train_do_not_depend_on_test_words(words):
    alone = tag(words, words)
    assert [word.tags for word in alone] == [word.tags for word in words]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("GO\n", "line 1: not of the form"),
        ("A  EY\n", "must have words of at least two letters"),
        ("GO  G OW W AH AH\n", "at most two phonemes. Received: GO with"),
    ],
)
def test_invalid_dictionary_is_rejected(tmp_path, content, message):
    (tmp_path / "d.dic").write_text(content)
    with pytest.raises(ZooError, match=message):
        read_words(tmp_path / "d.dic")


def test_user_dictionary_is_aligned(tmp_path, recipe):
    (tmp_path / "d.dic").write_text("GO  G OW\nNO  N OW\nNO(2)  N AH\nÉTÉ  EY T EY\n")
    examples = recipe.data.read_manifest(tmp_path / "d.dic")
    assert [e.tags for e in examples[:2]] == [("G", "OW"), ("N", "OW")]
    kept, left_out = recipe.data.filter_examples(examples, recipe.model)
    assert ([e.id for e in kept], left_out) == (["GO", "NO"], {"with other letters or tags": 1})


# Answers


def test_error_rate_is_measured_against_the_nearest_pronunciation(recipe, words):
    """SEVENTY has a pronunciation without T. The toy model answers with it."""
    by_letters = {tuple(recipe.data.read_example(w, recipe.model)["letters"]): w for w in words}

    def answer(letters, lengths):
        logits = np.zeros((*letters.shape, recipe.data.labels.size), np.float32)
        for row, (indices, length) in enumerate(zip(letters, lengths, strict=True)):
            word = by_letters[tuple(indices[:length])]
            for step, name in enumerate(word.tags):
                name = "-" if (word.id, step) in (("SEVENTY", 5), ("NO", 0)) else name
                logits[row, step, recipe.data.labels.symbols.index(name)] = 5
        return {"logits": logits, "logit_lengths": lengths}

    chosen = [word for word in words if word.id in ("SEVENTY", "GO", "SIX")]
    evaluation = recipe.task.evaluate(recipe.predictor(Graphs("toy", {"model": answer})), chosen)
    assert evaluation.metrics["per"] == 0
    assert evaluation.metrics["accuracy"] == 1
    outputs = {row["id"]: row["output"] for row in evaluation.rows}
    assert outputs == {"SEVENTY": "S EH V AH N IY", "GO": "G OW", "SIX": "S IH K S"}
    assert evaluation.report[0] == "words without errors: 3 of 3"

    def without_first(letters, lengths):
        outputs = answer(letters, lengths)
        outputs["logits"][:, 0] = 0
        outputs["logits"][:, 0, recipe.data.labels.symbols.index("-")] = 5
        return outputs

    evaluation = recipe.task.evaluate(
        recipe.predictor(Graphs("toy", {"model": without_first})), chosen
    )
    assert evaluation.metrics["per"] == pytest.approx(3 / (6 + 2 + 4))
    assert evaluation.metrics["accuracy"] == pytest.approx(9 / 12)


def test_padding_has_no_effect(recipe, graphs):
    items = [recipe.data.read_input(word, recipe.model) for word in ("go", "seventeen", "six")]
    together = recipe.data.collate(items)
    for row, length in zip(together["letters"], together["lengths"], strict=True):
        row[length:] = 3  # any letter
    logits = graphs["model"](**together)["logits"]
    for row, item in zip(logits, items, strict=True):
        alone = graphs["model"](**recipe.data.collate([item]))["logits"][0]
        np.testing.assert_allclose(row[: len(alone)], alone, atol=1e-5)


def test_answer_depends_on_later_letters(recipe, graphs):
    first, second = (
        graphs["model"](**recipe.data.collate([recipe.data.read_input(word, recipe.model)]))[
            "logits"
        ]
        for word in ("nine", "ninx")
    )
    assert np.abs(first[0, 0] - second[0, 0]).max() > 1e-6


def test_savedmodel_answers_like_predict(recipe, model, graphs):
    inputs = ["Seven", "of", "don't"]
    answers = list(recipe.task.predict(recipe.predictor(graphs), inputs))
    in_graph = recipe.predictor(Graphs("keras", recipe.model.graphs(model)))
    serve = recipe.task.signatures(in_graph)["serving_default"].function
    served = serve(tf.constant(["Seven", " of\n", "don't"]))
    for i, answer in enumerate(answers):
        assert served["phonemes"][i].numpy().decode() == answer["output"]
        names = [name.decode() for name in served["tags"][i].numpy() if name]
        assert names == [step["tag"] for step in answer["tags"]]
        assert len(names) == len(inputs[i])
    for bad in ("", "naïve", "two words"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="letters A to Z"):
            serve(tf.constant([bad]))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("", "The text is empty."),
        (
            "naïve",
            "must have only the letters A to Z and the apostrophe. Received: 'naïve' with 'ï'",
        ),
        ("two words", "with ' '"),
        ("a\x00b", "with ' '"),
        ("\ud800", "not UTF-8"),
        ("a" * 1_000_000, "at most 100 letters. Received: 1000000."),
    ],
)
def test_invalid_word_gets_an_error_and_the_next_one_an_answer(recipe, graphs, word, message):
    bad, good = recipe.task.predict(recipe.predictor(graphs), [word, "go"])
    assert message in bad["error"]
    assert len(good["tags"]) == 2


def test_invalid_setting_is_rejected():
    for key, value in (("model.hidden_size", 0), ("model.num_classes", 1), ("model.dropout", 1)):
        with pytest.raises(ZooError, match=key):
            entry(NAME).recipe().override({key: value})
