"""Tagging as a task: figures by hand, a loss that stops at each row's length, answers in a graph."""

from dataclasses import dataclass

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, toy
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.data.labels import Labels
from zoo.common.tasks.tagging import Tagging

LABELS = Labels(("stay", "walk", "run"), "class")
SURE, OTHER = 0.8, 0.1


@dataclass(frozen=True)
class Sequence:
    """What is true at each step, and what a model would answer; None where the file is broken."""

    id: str
    tags: tuple[str, ...]
    logits: np.ndarray | None


def sure(tags: str) -> np.ndarray:
    """Logits that give the class of each step the probability 0.8, and the others 0.1."""
    rows = [[SURE if name == tag else OTHER for name in LABELS.symbols] for tag in tags.split()]
    return np.log(np.array(rows, np.float32))


EXAMPLES = [
    Sequence("s1", ("stay", "walk", "walk", "run"), sure("stay walk run run")),
    Sequence("s2", ("run", "stay"), sure("run stay")),
    Sequence("s3", ("walk", "walk"), None),
]


def recipe_with(**task):
    return toy(LABELS, Tagging(**task), None)


@pytest.mark.parametrize("steer", ["accuracy", "f1_macro"])
def test_figures(steer):
    recipe = recipe_with(monitor=steer)
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    # F1 of stay 2*2/(2+2), of walk 2*1/(4+1), of run 2*2/(2+3).
    assert evaluation.metrics == {
        "accuracy": pytest.approx(5 / 8),
        "f1_macro": pytest.approx((1 + 0.4 + 0.8) / 3),
    }
    assert next(iter(evaluation.metrics)) == recipe.task.monitor == steer
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


def test_the_loss_is_the_mean_cross_entropy_inside_each_row():
    logits = np.full((2, 4, 3), 50.0, np.float32)  # behind a length, what would be an endless loss
    logits[0], logits[1, :2] = sure("stay walk run run"), sure("run stay")
    logits[1, 2:, 0] = -50
    labels = np.array([[0, 1, 1, 2], [2, 0, 0, 0]])
    outputs = {"logits": logits, "logit_lengths": np.array([4, 2], np.int32)}
    loss = Tagging().loss({"labels": labels}, outputs)
    wrong = (3 * np.log(SURE) + np.log(OTHER)) / 4
    np.testing.assert_allclose(loss, [-wrong, -np.log(SURE)], rtol=1e-5)


def test_an_answer_has_a_class_for_each_step():
    recipe = recipe_with()
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": sure("walk run")})
    probability = pytest.approx(SURE)
    assert answer == {
        "output": "walk run",
        "tags": [
            {"tag": "walk", "probability": probability},
            {"tag": "run", "probability": probability},
        ],
    }


def test_in_a_graph_the_answer_is_the_same():
    tf = pytest.importorskip("tensorflow")
    recipe = recipe_with()
    inputs = recipe.data.collate([{"logits": sure("walk run stay")}, {"logits": sure("run")}])
    graph = lambda inputs, training: {"logits": inputs["x"], "logit_lengths": inputs["lengths"]}  # noqa: E731
    answer = recipe.task.answer_in_graph(recipe.predictor(Graphs("graph", {"model": graph})))(
        tf.nest.map_structure(tf.constant, inputs)
    )
    assert answer["tags"].numpy().tolist() == [[b"walk", b"run", b"stay"], [b"run", b"", b""]]
    np.testing.assert_allclose(answer["probabilities"], [[SURE] * 3, [SURE, 0, 0]], 1e-5)


def test_what_steers():
    with pytest.raises(ZooError, match=r"task\.monitor must be one of 'accuracy', 'f1_macro'"):
        Tagging(monitor="auc")
