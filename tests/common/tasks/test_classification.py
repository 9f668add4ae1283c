"""Test classification: hand-computed accuracy and F1, answers, the confusion matrix."""

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, Example, toy
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.tasks.classification import LARGEST_NATS, Classification, class_metrics

LABELS = Labels(("noise", "call", "song"), "class")


def logits_of(name: str) -> np.ndarray:
    """Return logits that give a class the probability 0.8, and the other classes 0.1."""
    logits = np.log([0.1, 0.1, 0.1])
    logits[LABELS.symbols.index(name)] = np.log(0.8)
    return logits.astype(np.float32)


def recipe_with(task=Classification(), decoder=Classes()):  # noqa: B008 (both are frozen)
    return toy(LABELS, task, decoder, in_time=False)


EXAMPLES = [
    Example("c1", "noise", logits_of("noise")),
    Example("c2", "noise", logits_of("noise")),
    Example("c3", "noise", logits_of("call")),
    Example("c4", "call", logits_of("call")),
    Example("c5", "call", logits_of("song")),
    Example("c6", "song", None),
]


@pytest.mark.parametrize("monitor", ["accuracy", "f1_macro"])
def test_metrics(monitor):
    recipe = recipe_with(Classification(monitor=monitor))
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    # F1 of noise 2*2/(3+2), of call 2*1/(2+2), of song 0.
    assert evaluation.metrics == {
        "accuracy": pytest.approx(3 / 6),
        "f1_macro": pytest.approx((0.8 + 0.5 + 0) / 3),
    }
    assert next(iter(evaluation.metrics)) == recipe.task.monitor == monitor
    assert evaluation.num_examples == 6
    outputs = ["noise", "noise", "call", "call", "song", ""]
    assert [row["output"] for row in evaluation.rows] == outputs
    assert [row["reference"] for row in evaluation.rows] == [e.label for e in EXAMPLES]
    assert [row["id"] for row in evaluation.rows] == ["c1", "c2", "c3", "c4", "c5", "c6"]
    probabilities = [row["probability"] for row in evaluation.rows]
    np.testing.assert_allclose(probabilities, [0.8] * 5 + [0], atol=1e-6)
    assert evaluation.report == [
        "call: 0.5000 of 2",
        "noise: 0.6667 of 3",
        "song: 0.0000 of 1",
        "Unreadable, counted as wrong: c6 is broken",
    ]


def test_cross_entropy():
    recipe = recipe_with(Classification(monitor="cross_entropy"))
    predictor = recipe.predictor(GRAPHS)
    evaluation = recipe.task.evaluate(predictor, EXAMPLES)
    # Three answers of 0.8 are correct, two have 0.1 for the true class, and one is unreadable.
    expected = -(3 * np.log(0.8) + 2 * np.log(0.1)) / 6 + LARGEST_NATS / 6
    assert evaluation.metrics["cross_entropy"] == pytest.approx(expected, rel=1e-6)
    assert next(iter(evaluation.metrics)) == "cross_entropy"
    assert recipe.task.row_metrics(predictor, evaluation.rows) == evaluation.metrics
    certain = Graphs("numpy", {"model": lambda **_: {"logits": np.array([[0.0, -1e9, -1e9]])}})
    for label, nats in (("noise", 0.0), ("call", LARGEST_NATS)):
        example = Example("c", label, logits_of("noise"))
        found = recipe.task.evaluate(recipe.predictor(certain), [example])
        assert found.metrics["cross_entropy"] == nats


def test_classes_that_do_not_occur_are_not_counted():
    recipe = recipe_with()
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES[:2])
    assert evaluation.metrics == {"accuracy": 1.0, "f1_macro": 1.0}


def test_an_answer_is_a_class():
    recipe = recipe_with()
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("song")})
    assert answer == {"output": "song", "probability": pytest.approx(0.8)}


def test_alternatives():
    recipe = recipe_with(decoder=Classes(n_best=2))
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("call")})
    best = {"output": "call", "probability": pytest.approx(0.8)}
    second = {"output": "noise", "probability": pytest.approx(0.1)}
    assert answer == best | {"alternatives": [best, second]}
    recipe = recipe_with(decoder=Classes(n_best=9))
    assert (
        len(
            recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("call")})[
                "alternatives"
            ]
        )
        == 3
    )


def test_classes_below_min_confidence_are_left_out():
    recipe = recipe_with(decoder=Classes(n_best=2, min_confidence=0.5))
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("call")})
    assert [one["output"] for one in answer["alternatives"]] == ["call"]
    recipe = recipe_with(decoder=Classes(min_confidence=0.9))
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("call")})
    assert answer == {"output": "", "probability": pytest.approx(0.8)}


def test_the_graph_gives_the_same_answer():
    tf = pytest.importorskip("tensorflow")
    recipe = recipe_with()
    batch = np.stack([logits_of("song"), logits_of("noise")])
    graphs = Graphs("graph", {"model": lambda inputs, training: {"logits": inputs["x"]}})
    answer = recipe.task.answer_in_graph(recipe.predictor(graphs))({"x": tf.constant(batch)})
    assert answer["label"].numpy().tolist() == [b"song", b"noise"]
    np.testing.assert_allclose(answer["probabilities"], [[0.1, 0.1, 0.8], [0.8, 0.1, 0.1]], 1e-5)


def test_the_loss_is_the_cross_entropy_in_nats():
    logits = np.stack([logits_of("song"), logits_of("noise")])
    loss = Classification().loss({"label": np.array([2, 1])}, {"logits": logits})
    np.testing.assert_allclose(loss, -np.log([0.8, 0.1]), rtol=1e-5)


def test_the_confusion_matrix_is_plotted(tmp_path):
    """Unreadable examples and unknown classes are left out."""
    recipe = recipe_with()
    examples = [*EXAMPLES, Example("c7", "whistle", logits_of("call"))]
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), examples)
    paths = recipe.task.plot_evaluation(recipe.predictor(GRAPHS), evaluation, tmp_path)
    assert paths == [tmp_path / name for name in ("confusion_matrix.png", "thresholds.png")]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)
    header, *rows = (tmp_path / "thresholds.csv").read_text().splitlines()
    assert header == "class,threshold,precision,recall,f1"
    assert len(rows) == 3 * 99
    # Of three detected calls, one is a call. Of two calls, one is found.
    assert "call,0.8,0.3333,0.5,0.4" in rows
    assert "call,0.81,,0.0,0.0" in rows


def test_threshold_of_a_detector():
    """It is the middle of those with the best F1 of the classes except the background."""
    recipe = recipe_with(Classification(background="noise"))
    predictor = recipe.predictor(GRAPHS)
    sure, unsure = np.log([0.1, 0.8, 0.1]), np.log([0.5, 0.4, 0.1])
    examples = [
        Example("c1", "call", sure),
        Example("c2", "call", unsure),
        Example("c3", "noise", np.log([0.7, 0.25, 0.05])),
        Example("c4", "song", None),
    ]
    evaluation = recipe.task.evaluate(predictor, examples)
    assert evaluation.rows[1]["probabilities"]["call"] == pytest.approx(0.4)
    options, line = recipe.task.choose_threshold(predictor, evaluation, examples)
    # From 0.26 to 0.39, both calls and nothing else are detected; the song is never found.
    assert options == {"min_confidence": pytest.approx(0.33)}
    assert line == "min_confidence 0.33: mean F1 0.5000 of 2 class(es) on 4 examples"
    only = recipe.task.evaluate(predictor, examples[2:3])
    with pytest.raises(ZooError, match="no examples of a class that can be detected"):
        recipe.task.choose_threshold(predictor, only, examples[2:3])


def test_invalid_monitor():
    with pytest.raises(ZooError, match=r"task\.monitor must be one of 'accuracy', 'f1_macro'"):
        Classification(monitor="wer")


def test_macro_f1_equals_scikit_learn_over_the_true_classes():
    metrics = pytest.importorskip("sklearn.metrics")
    pairs = [("a", "a"), ("a", "b"), ("b", "c"), ("b", "b")]
    true, answered = zip(*pairs, strict=True)
    expected = metrics.f1_score(true, answered, labels=["a", "b"], average="macro")
    assert class_metrics(pairs)["f1_macro"] == pytest.approx(expected)
    assert expected == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_classes_that_the_model_cannot_answer_give_a_warning(capsys):
    recipe = recipe_with()
    recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    assert "cannot answer" not in capsys.readouterr().err
    examples = [*EXAMPLES[:2], Example("c7", "whistle", logits_of("call"))]
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), examples)
    assert evaluation.metrics["accuracy"] == pytest.approx(2 / 3)
    message = (
        "1 of 3 references have labels that the model cannot answer, and count as errors: 'whistle'"
    )
    assert message in capsys.readouterr().err
