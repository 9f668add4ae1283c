"""Test tagging: hand-computed metrics, the loss within lengths, the answers of a graph."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, toy
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.data.labels import Labels
from zoo.common.tasks.tagging import Tagging

LABELS = Labels(("stay", "walk", "run"), "class")
HIGH, LOW = 0.8, 0.1


@dataclass(frozen=True)
class Sequence:
    """A sequence with the tags and the model outputs of its steps; None for an unreadable file."""

    id: str
    tags: tuple[str, ...]
    logits: np.ndarray | None


def logits_of(tags: str) -> np.ndarray:
    """Return logits that give the class of each step the probability 0.8, and the others 0.1."""
    rows = [[HIGH if name == tag else LOW for name in LABELS.symbols] for tag in tags.split()]
    return np.log(np.array(rows, np.float32))


EXAMPLES = [
    Sequence("s1", ("stay", "walk", "walk", "run"), logits_of("stay walk run run")),
    Sequence("s2", ("run", "stay"), logits_of("run stay")),
    Sequence("s3", ("walk", "walk"), None),
]


def recipe_with(**task):
    return toy(LABELS, Tagging(**task), None)


@pytest.mark.parametrize("monitor", ["accuracy", "f1_macro"])
def test_metrics(monitor):
    recipe = recipe_with(monitor=monitor)
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    # F1 of stay 2*2/(2+2), of walk 2*1/(4+1), of run 2*2/(2+3).
    assert evaluation.metrics == {
        "accuracy": pytest.approx(5 / 8),
        "f1_macro": pytest.approx((1 + 0.4 + 0.8) / 3),
    }
    assert next(iter(evaluation.metrics)) == recipe.task.monitor == monitor
    assert evaluation.num_examples == 3
    assert [(row["output"], row["correct"], row["steps"]) for row in evaluation.rows] == [
        ("stay walk run run", 3, 4),
        ("run stay", 2, 2),
        ("", 0, 2),
    ]
    assert evaluation.report == [
        "run: 1.0000 of 2",
        "stay: 1.0000 of 2",
        "walk: 0.2500 of 4",
        "Unreadable, counted as wrong: s3 is broken",
    ]


def test_the_loss_is_the_mean_cross_entropy_within_each_length():
    logits = np.full((2, 4, 3), 50.0, np.float32)  # steps after the length would have a large loss
    logits[0], logits[1, :2] = logits_of("stay walk run run"), logits_of("run stay")
    logits[1, 2:, 0] = -50
    labels = np.array([[0, 1, 1, 2], [2, 0, 0, 0]])
    outputs = {"logits": logits, "logit_lengths": np.array([4, 2], np.int32)}
    loss = Tagging().loss({"labels": labels}, outputs)
    log_probability = (3 * np.log(HIGH) + np.log(LOW)) / 4
    np.testing.assert_allclose(loss, [-log_probability, -np.log(HIGH)], rtol=1e-5)


def test_an_answer_has_a_class_for_each_step():
    recipe = recipe_with()
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits_of("walk run")})
    probability = pytest.approx(HIGH)
    assert answer == {
        "output": "walk run",
        "tags": [
            {"tag": "walk", "probability": probability},
            {"tag": "run", "probability": probability},
        ],
    }


def test_the_graph_gives_the_same_answer():
    tf = pytest.importorskip("tensorflow")
    recipe = recipe_with()
    inputs = recipe.data.collate(
        [{"logits": logits_of("walk run stay")}, {"logits": logits_of("run")}]
    )
    graph = lambda inputs, training: {"logits": inputs["x"], "logit_lengths": inputs["lengths"]}  # noqa: E731
    answer = recipe.task.answer_in_graph(recipe.predictor(Graphs("graph", {"model": graph})))(
        tf.nest.map_structure(tf.constant, inputs)
    )
    assert answer["tags"].numpy().tolist() == [[b"walk", b"run", b"stay"], [b"run", b"", b""]]
    np.testing.assert_allclose(answer["probabilities"], [[HIGH] * 3, [HIGH, 0, 0]], 1e-5)


def test_invalid_monitor():
    with pytest.raises(ZooError, match=r"task\.monitor must be one of 'accuracy', 'f1_macro'"):
        Tagging(monitor="auc")
