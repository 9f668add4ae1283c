"""Compare detection metrics with known values, and test them as metrics of classification."""

from statistics import NormalDist

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, Example, toy
from zoo.common.core.errors import ZooError
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.metrics.detection import (
    area_under_roc,
    counts_by_threshold,
    precision_recall_figure,
    roc_figure,
)
from zoo.common.tasks.classification import Classification

WHALE = Labels(("none", "upcall"), "class")


@pytest.mark.parametrize(
    ("scores", "positive", "area"),
    [
        ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1], 3 / 4),  # of four pairs, 0.35 < 0.4 is wrong
        ([0.2, 0.7, 0.9], [0, 1, 1], 1.0),
        ([0.9, 0.7, 0.2], [0, 1, 1], 0.0),
        ([0.5, 0.5, 0.5], [0, 1, 1], 0.5),
        ([0.5, 0.5, 0.1, 0.9], [0, 1, 0, 0], 1.5 / 3),  # a tie, one above, one below
        ([0.3, 0.3, 0.3, 0.6, 0.6], [1, 0, 1, 1, 0], (0.5 + 0.5 + 0 + 0 + 1 + 0.5) / 6),
    ],
)
def test_area_equals_hand_computed_values(scores, positive, area):
    received = area_under_roc(np.array(scores), np.array(positive, bool))
    assert received == pytest.approx(area)


def test_area_of_normal_scores_equals_the_known_value():
    """For N(0, 1) and N(1, 1) the area is Phi(1 / sqrt(2)) = 0.7602. Quantiles replace a sample."""
    count = 400
    normal = NormalDist()
    quantiles = np.array([normal.inv_cdf((i + 0.5) / count) for i in range(count)])
    scores = np.concatenate([quantiles, quantiles + 1])
    positive = np.arange(2 * count) >= count
    assert area_under_roc(scores, positive) == pytest.approx(0.76025, abs=1e-4)


def test_area_is_the_share_of_ordered_pairs():
    generator = np.random.default_rng(0)
    positive = generator.random(200) < 0.3
    scores = np.round(generator.random(200) + 0.3 * positive, 1)  # many ties
    hits, others = scores[positive][:, None], scores[~positive]
    share = (hits > others).mean() + (hits == others).mean() / 2
    assert area_under_roc(scores, positive) == pytest.approx(share)


def test_area_equals_the_integral_of_the_curve():
    generator = np.random.default_rng(1)
    positive = generator.random(100) < 0.5
    scores = np.round(generator.random(100), 1)
    hits, alarms = counts_by_threshold(scores, positive)
    recall, rate = np.insert(hits / hits[-1], 0, 0), np.insert(alarms / alarms[-1], 0, 0)
    area = np.sum(np.diff(rate) * (recall[1:] + recall[:-1]) / 2)
    assert area == pytest.approx(area_under_roc(scores, positive))


def test_counts_by_threshold():
    scores, positive = np.array([0.9, 0.2, 0.9, 0.5]), np.array([True, False, False, True])
    hits, false_alarms = counts_by_threshold(scores, positive)
    assert hits.tolist() == [1, 2, 2]
    assert false_alarms.tolist() == [1, 1, 2]


def test_figures_show_the_metrics():
    scores, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    (axes,) = roc_figure(scores, positive, "upcall").axes
    assert axes.get_title() == "upcall: AUC 0.7500, 4 examples"
    np.testing.assert_allclose(axes.lines[1].get_xdata(), [0, 0, 0.5, 0.5, 1])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [0, 0.5, 0.5, 1, 1])
    (axes,) = precision_recall_figure(scores, positive, "upcall").axes
    # Recall increases to 1/2 at precision 1, and to 1 at precision 2/3.
    assert axes.get_title() == "upcall: average precision 0.8333, 2 of 4 examples"


def example(id_, label, probability):
    """Return an example for which the toy model outputs this probability of an up-call."""
    known = probability is not None
    logits = np.log([1 - probability, probability]).astype(np.float32) if known else None
    return Example(id_, label, logits)


def evaluate(examples, **task):
    """Return the task, the predictor and the evaluation."""
    recipe = toy(WHALE, Classification(**task), Classes(), in_time=False)
    predictor = recipe.predictor(GRAPHS)
    return recipe.task, predictor, recipe.task.evaluate(predictor, examples)


EXAMPLES = [
    example("c1", "none", 0.1),
    example("c2", "none", 0.4),
    example("c3", "upcall", 0.35),
    example("c4", "upcall", 0.8),
]


@pytest.mark.parametrize("monitor", ["accuracy", "auc"])
def test_two_classes_have_an_auc(monitor, tmp_path):
    task, predictor, evaluation = evaluate(EXAMPLES, monitor=monitor)
    assert evaluation.metrics == {
        "accuracy": 3 / 4,
        "f1_macro": pytest.approx((4 / 5 + 2 / 3) / 2),
        "auc": pytest.approx(3 / 4),
    }
    assert next(iter(evaluation.metrics)) == monitor
    names = [path.name for path in task.plot_evaluation(predictor, evaluation, tmp_path)]
    pictures = ["confusion_matrix.png", "roc.png", "precision_recall.png"]
    assert names == [*pictures, "thresholds.png"]
    for name in names:
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_unreadable_examples_count_as_wrong():
    broken = [example("c5", "none", None), example("c6", "upcall", None)]
    _, _, evaluation = evaluate(EXAMPLES + broken, monitor="auc")
    assert evaluation.metrics["auc"] == pytest.approx(3 / 9)


def test_one_class_has_no_auc(tmp_path):
    task, predictor, evaluation = evaluate(EXAMPLES[:2])
    assert set(evaluation.metrics) == {"accuracy", "f1_macro"}
    assert len(task.plot_evaluation(predictor, evaluation, tmp_path)) == 2
    with pytest.raises(
        ZooError, match=r"'auc' requires two classes.* Received: examples of 'none'"
    ):
        evaluate(EXAMPLES[:2], monitor="auc")
