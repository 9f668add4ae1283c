"""The metric of a classifier is one that is defined for the examples of dev."""

from dataclasses import replace

import pytest

from tests.api.test_class_counts import examples
from zoo.api.suited import suit_monitor
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels


def detector(*labels):
    """Return a recipe that is monitored by the area under the ROC curve."""
    recipe = entry("speech/crnn-right-whale").recipe()
    assert recipe.task.monitor == "auc"
    return replace(recipe, data=replace(recipe.data, labels=Labels(labels, "class")))


@pytest.mark.parametrize(
    ("labels", "dev", "monitor"),
    [
        (("none", "call"), {"none": 2, "call": 1}, "auc"),
        (("none", "call"), {"none": 2}, "f1_macro"),
        (("none", "call", "song"), {"none": 2, "call": 1}, "f1_macro"),
    ],
)
def test_monitor_is_defined_for_dev(labels, dev, monitor, capsys):
    recipe = suit_monitor(detector(*labels), examples(**dev), ())
    assert recipe.task.monitor == monitor
    said = "Chosen: task.monitor=f1_macro, because auc requires two classes"
    assert (said in capsys.readouterr().err) == (monitor != "auc")


def test_a_given_monitor_that_is_not_defined_is_an_error():
    message = r"auc requires two classes.*Received: 3 classes, 1 of them in dev\."
    with pytest.raises(ZooError, match=message):
        suit_monitor(detector("none", "call", "song"), examples(call=2), {"task.monitor"})
