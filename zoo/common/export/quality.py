"""Check of exports with smaller weights: the metric of the task on real examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.metrics import MAX_EXPORT_LOSS, export_loss
from zoo.common.core.model import Graphs
from zoo.common.runtime.preset import Preset


class Quality:
    """The precision of an export, and the examples that it is evaluated on.

    Args:
        precision: "float16" or "int8".
        examples: returns the examples. It is called only if the outputs of an export differ from those
            of the Keras model by more than float32 explains.
    """

    def __init__(self, precision: str, examples: Callable[[], list[Any]]):
        self.precision = precision
        self._examples = examples
        self._expected: tuple[list[Any], Evaluation] | None = None

    def check(self, preset: Preset, received: Graphs) -> dict[str, Any]:
        """Check that an export is as good as the Keras model, by the metric that the task monitors.

        Args:
            preset: the preset.
            received: the graphs of its export.

        Returns:
            Columns of a row of `zoo export`: `metric`; `figure` and `keras_figure`, its values with the
            export and with the Keras model; `examples`, their number; `max_difference`, by how much the
            export is worse; and `tolerance`.

        Raises:
            ZooError: the export is worse by more than the tolerance, or the examples cannot be read.
        """
        metric = preset.recipe.task.monitor
        if self._expected is None:  # the same for every format
            examples = self._examples()
            self._expected = examples, _evaluate(preset, preset.graphs, examples)
        examples, evaluation = self._expected
        expected = evaluation.metrics[metric]
        figure = _evaluate(preset, received, examples).metrics[metric]
        loss = export_loss(metric, figure, expected)
        if not loss <= MAX_EXPORT_LOSS:
            raise ZooError(
                f"The {received.backend} export has {metric} {figure:.4g} on the examples, and the "
                f"Keras model {expected:.4g}: the loss of {loss:.3g} is above the tolerance of "
                f"{MAX_EXPORT_LOSS:g}. It was removed."
            )
        return {
            "metric": metric,
            "figure": round(figure, 6),
            "keras_figure": round(expected, 6),
            "examples": evaluation.num_examples,
            "max_difference": round(loss, 6),
            "tolerance": MAX_EXPORT_LOSS,
        }


def _evaluate(preset: Preset, graphs: Graphs, examples: list[Any]) -> Evaluation:
    return preset.recipe.task.evaluate(preset.recipe.predictor(graphs), examples)
