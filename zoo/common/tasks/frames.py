"""Classification of an input as a whole and at every frame.

Besides `logits`, the model has the outputs
    `frame_logits` float32 [batch, frames, classes], the logits at each frame,
    `frame_logit_lengths` int32 [batch], the number of frames of each row without padding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.common.core.model import Graphs
from zoo.common.decoding.generation import log_softmax
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.classification import Classification, Classifier

FRAME_LOGITS, FRAME_LENGTHS = "frame_logits", "frame_logit_lengths"


@dataclass(frozen=True)
class FrameClassification(Classification):
    """Base class of classifications at every frame.

    Args:
        monitor: as in `Classification`.
        background: as in `Classification`.
    """

    def answer_in_graph(self, predictor: Classifier) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Return the answer of `Classification`, and `frame_probabilities` if the model has frames.

        `frame_probabilities` is float32 [batch, frames, classes]. Its values after the end of a row are
        not defined.
        """
        import tensorflow as tf

        model = predictor.graphs[MODEL]
        classification = super().answer_in_graph

        def answer(inputs):
            outputs = model(inputs, training=False)
            # The model runs once; the answer to the whole reads the same outputs.
            computed = Graphs("keras", {MODEL: lambda *_, **__: outputs})
            whole = classification(replace(predictor, graphs=computed))(inputs)
            if FRAME_LOGITS not in outputs:
                return whole
            return whole | {"frame_probabilities": tf.nn.softmax(outputs[FRAME_LOGITS])}

        return answer


def frame_probabilities(outputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Return the probabilities at the frames of each row of a batch, float64 [frames, classes]."""
    rows = zip(outputs[FRAME_LOGITS], outputs[FRAME_LENGTHS], strict=True)
    return [np.exp(log_softmax(np.asarray(row[: int(n)], np.float64), np)) for row, n in rows]
