"""Models of word embeddings: equations, losses, answers, training, and the verbs."""

import json
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import settings
from tests.harness import check_model
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.runtime.preset import load_preset
from zoo.common.training.trainers import train
from zoo.language.embeddings.data import EMBED, SCORE
from zoo.language.embeddings.task import NegativeSampling, Ranking, word_vectors
from zoo.language.modelling.data import SAMPLE

SKIPGRAM, RANKING = "language/skipgram-enwiki", "language/ranking-enwiki"
TINY = {"data.min_count": 2, "model.embedding_size": 5, "training.batch_size": 32}
NARROW = {"data.window": 2, "model.hidden_size": 6}


def examples_of(recipe):
    return recipe.data.read_manifest(SAMPLE)


def tiny(name):
    recipe = entry(name).recipe().override(TINY | (NARROW if name == RANKING else {}))
    return recipe.adapt(examples_of(recipe))


def built(name):
    keras.utils.set_random_seed(1)
    recipe = tiny(name)
    model = recipe.model.build()
    return recipe, model, Graphs("keras", recipe.model.functions(model))


@pytest.mark.parametrize("name", [SKIPGRAM, RANKING])
def test_model_passes_the_harness(name, tmp_path, formats):
    recipe = tiny(name)
    check_model(recipe, examples_of(recipe), tmp_path / "tiny", formats)


# Equations


def test_skip_gram_score_is_the_product_of_two_vectors():
    _, model, graphs = built(SKIPGRAM)
    v, u = model.get_weights()
    context, candidates = np.array([[3], [9]], np.int32), np.array([[4, 5, 3], [1, 2, 9]], np.int32)
    scores = graphs[SCORE](context=context, candidates=candidates)["scores"]
    expected = [[v[c[0]] @ u[w] for w in row] for c, row in zip(context, candidates, strict=True)]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    vectors = graphs[EMBED](tokens=candidates)["vectors"]
    np.testing.assert_array_equal(vectors, v[candidates])


def test_ranking_score_equals_the_one_of_the_undivided_matrix():
    """The score is u . tanh(W x + b), where W consists of two parts."""
    _, model, graphs = built(RANKING)
    weights = {weight.path: np.array(weight) for weight in model.weights}
    x = weights["embedding/embeddings"]
    around, middle = weights["W_around/kernel"], weights["W_middle/kernel"]
    window = np.array([1, 2, 7, 3, 4])
    half = 2 * x.shape[1]
    w = np.concatenate([around[:half], middle, around[half:]])
    hidden = np.tanh(x[window].ravel() @ w + weights["W_around/bias"])
    scores = graphs[SCORE](
        context=window[np.newaxis, [0, 1, 3, 4]].astype(np.int32),
        candidates=np.array([[9, 7]], np.int32),
    )["scores"]
    assert scores[0, 1] == pytest.approx(float(hidden @ weights["u/kernel"][:, 0]), rel=1e-5)


def test_losses_equal_those_of_the_papers():
    outputs = {"scores": np.array([[2.0, 1.5, -1.0], [0.0, 3.0, -5.0]], np.float32)}
    np.testing.assert_allclose(Ranking().loss({}, outputs), [0.5, 4.0])
    np.testing.assert_allclose(Ranking(margin=0.1).loss({}, outputs), [0.0, 3.1], rtol=1e-6)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    expected = [
        -np.log(sigmoid(2)) - np.log(sigmoid(-1.5)) - np.log(sigmoid(1)),
        -np.log(sigmoid(0)) - np.log(sigmoid(-3)) - np.log(sigmoid(5)),
    ]
    np.testing.assert_allclose(NegativeSampling().loss({}, outputs), expected, rtol=1e-5)


# Use


def test_accuracy_is_the_share_of_words_above_the_drawn_ones():
    recipe, _, graphs = built(RANKING)
    item = recipe.data.read_example(examples_of(recipe)[0], recipe.model)
    windows = len(item["candidates"])
    evaluation = recipe.task.evaluate(recipe.predictor(graphs), examples_of(recipe))
    scores = graphs[SCORE](**item)["scores"]
    assert evaluation.metrics["accuracy"] == np.mean(scores[:, 0] > scores[:, 1])
    assert evaluation.num_examples == len(evaluation.rows) == windows > 300
    np.testing.assert_allclose([row["score"] for row in evaluation.rows], scores[:, 0], atol=1e-6)
    same = Graphs(
        "toy", graphs | {SCORE: lambda context, candidates: {"scores": np.ones((len(context), 2))}}
    )
    of_same = recipe.task.evaluate(recipe.predictor(same), examples_of(recipe))
    assert of_same.metrics["accuracy"] == 0
    counts = np.array(recipe.data.vocabulary.counts)[item["candidates"]]
    baseline = np.mean(counts[:, 0] > counts[:, 1]) + 0.5 * np.mean(counts[:, 0] == counts[:, 1])
    assert f"word: accuracy {baseline:.4f}" in evaluation.report[0]


def test_evaluation_reports_the_given_lists(tmp_path):
    recipe, _, graphs = built(SKIPGRAM)
    words = recipe.data.vocabulary.tokens
    (tmp_path / "EN-A.txt").write_text(
        "".join(f"{a} {b} {i}\n" for i, (a, b) in enumerate(pairwise(words[1:10])))
    )
    (tmp_path / "questions-words.txt").write_text(f": few\n{' '.join(words[1:5])}\n")
    given = replace(recipe, decoder=replace(recipe.decoder, word_lists=tmp_path))
    report = recipe.task.evaluate(given.predictor(graphs), examples_of(recipe)).report
    assert report[1].startswith("EN-A: spearman ")
    assert report[1].endswith("8 of 8 pairs in the vocabulary")
    assert report[2].startswith("analogies, few: accuracy ")


def test_savedmodel_answers_like_predict():
    recipe, model, graphs = built(SKIPGRAM)
    predictor = recipe.predictor(graphs)
    vectors = word_vectors(predictor)
    known, unknown, upper = recipe.task.predict(predictor, ["the", "qqqq", "THE"])
    assert "not in the vocabulary" in unknown["error"]
    assert known["output"] == upper["output"]
    assert known["neighbours"] == vectors.neighbours("the", 10)
    in_graph = recipe.predictor(Graphs("keras", recipe.model.graphs(model)))
    served = recipe.task.signatures(in_graph)["serving_default"].function(
        tf.constant(["the", "qqqq", " THE\n"])
    )
    found = [[word.decode() for word in row] for row in served["neighbours"].numpy()]
    assert found == [known["output"].split(), [""] * 10, known["output"].split()]
    assert served["known"].numpy().tolist() == [True, False, True]
    similarities = [row["similarity"] for row in known["neighbours"]]
    np.testing.assert_allclose(served["similarities"][0], similarities, atol=1e-5)
    np.testing.assert_array_equal(served["similarities"][1], np.zeros(10))
    np.testing.assert_array_equal(served["vector"][0], vectors.vectors[vectors.index["the"]])


# Training


@pytest.mark.parametrize("name", [SKIPGRAM, RANKING])
def test_words_in_the_same_contexts_get_similar_vectors(name, tmp_path):
    """A text of names, verbs and nouns in turn gives similar vectors to the words of each kind.

    A drawn word of the same kind, or of the kind of the other neighbour, is as probable as the word of
    the text. This limits the accuracy.
    """
    generator = np.random.default_rng(0)
    groups = [
        ["ann", "bob", "cy", "dan"],
        ["eats", "sees", "has", "buys"],
        ["figs", "nuts", "rye", "tea"],
    ]
    reached = {SKIPGRAM: 0.62, RANKING: 0.8}  # the limits are 0.67 and 0.86
    words = [generator.choice(group) for _ in range(700) for group in groups]
    path = tmp_path / "text.txt"
    path.write_text(" ".join(words))
    recipe = (
        entry(name)
        .recipe()
        .override(
            TINY
            | {"data.window": 1, "model.embedding_size": 8, "data.min_count": 1}
            | ({"data.subsampling": 0} if name == SKIPGRAM else {"model.hidden_size": 8})
            | {"optimizer.learning_rate": 0.02, "training.epochs": 2}
        )
    )
    examples = recipe.data.read_manifest(path)
    recipe = recipe.adapt(examples)
    history = train(recipe, examples, examples, tmp_path / "run", log=lambda _: None)
    assert history[-1]["accuracy"] > reached[name]
    preset = load_preset(tmp_path / "run")
    vectors = word_vectors(preset.recipe.predictor(preset.graphs))
    for group in groups:
        near = [row["word"] for row in vectors.neighbours(group[0], 3)]
        assert sorted(near) == sorted(group[1:])


# Verbs


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the run folder of a tiny model."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    pairs = [f"{key}={value}" for key, value in TINY.items()] + ["training.epochs=1"]
    arguments = ["train", SKIPGRAM, "--manifest", str(SAMPLE), "--out", str(folder)]
    assert main([*arguments, *settings(*pairs)]) == 0
    return folder


def test_neighbours_lists_the_nearest_words(run, run_zoo):
    answer = run_zoo("neighbours", run, "the", "qqqq", "--n-best", 3)
    assert answer.status == 1
    first, second = answer.out.splitlines()
    assert first.startswith("the: ")
    assert first.count(",") == 2
    assert second.startswith("qqqq: error: The word is not in the vocabulary")
    rows = run_zoo("neighbours", run, "the", "--json").json["words"]
    assert len(rows[0]["neighbours"]) == 10


def test_neighbours_of_a_cached_export(run, run_zoo, tmp_path):
    folder = shutil.copytree(run, tmp_path / "run")
    expected = run_zoo("neighbours", folder, "the").out
    answer = run_zoo("neighbours", folder, "the", "--cache")
    assert "is exported to" in answer.err
    assert (folder / "onnx" / "embed.onnx").exists()
    assert answer.out == expected


def test_analogy_answers_words_and_questions(run, run_zoo, refused, tmp_path):
    answer = run_zoo("analogy", run, "the", "a", "to", "--n-best", 2, "--json").json
    assert len(answer["answers"]) == 2
    assert not {row["word"] for row in answer["answers"]} & {"the", "a", "to"}
    questions = tmp_path / "q.txt"
    questions.write_text(": all of it\nthe a to of\nthe a to qqqq\n")
    first, last = run_zoo("analogy", run, "--questions", questions).out.splitlines()
    assert first.startswith("analogies, all of it: accuracy ")
    assert last.endswith(", 1 of 2 questions in the vocabulary")
    assert "three words, or --questions" in refused("analogy", run, "the", "a")
    assert "three words, or --questions" in refused("analogy", run, "a", "--questions", questions)
    assert "Received: 'qqqq'" in refused("analogy", run, "the", "a", "qqqq")


def test_vectors_writes_files(run, run_zoo, refused, tmp_path):
    answer = run_zoo("vectors", run, "--to", "projector", "--out", tmp_path / "v", "--json").json
    rows, words = (Path(path).read_text("utf-8").splitlines() for path in answer["files"])
    assert len(rows) == len(words) == answer["words"]
    assert "--to must be one of" in refused("vectors", run, "--to", "csv")


def test_verbs_reject_other_presets(refused):
    words = "has no word vectors: it is not a preset of word embeddings"
    assert words in refused("neighbours", "language/charlstm-hello", "h")
    assert words in refused("vectors", "language/charlstm-hello")
    assert "--n-best must be at least 1" in refused("neighbours", SKIPGRAM, "king", "--n-best", 0)


def test_evaluate_reports_word_lists(run, run_zoo, tmp_path):
    (tmp_path / "EN-A.txt").write_text("the a 1\nthe to 2\na to 3\n")
    answer = run_zoo("evaluate", run, "--manifest", SAMPLE, "--word-lists", tmp_path)
    assert answer.status == 0
    assert "EN-A: spearman" in answer.out
    rows = tmp_path / "rows.jsonl"
    run_zoo("evaluate", run, "--manifest", SAMPLE, "--rows", rows)
    row = json.loads(rows.read_text().splitlines()[0])
    assert set(row) == {"id", "context", "word", "drawn", "score", "drawn_score"}
