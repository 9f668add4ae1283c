"""LSTM layers over the frames of a clip: the part that all models of clips share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.settings import training_only
from zoo.common.runtime.keras_model import KerasModel
from zoo.vision_language.motion.task import clip_outputs

if TYPE_CHECKING:
    from keras import KerasTensor


@dataclass(frozen=True)
class FrameLSTM(KerasModel):
    """Base config of models with `lstm_outputs` on features of the frames. Subclasses define `build`.

    Args:
        num_classes: number of classes.
        projection_size: number of units of the layer below the first LSTM.
        hidden_size: number of units of each LSTM.
        layers: number of LSTM layers.
        dropout: fraction of the inputs of each LSTM and of the last layer dropped in training.
    """

    num_classes: int
    projection_size: int = 128
    hidden_size: int = 128
    layers: int = 1
    dropout: float = training_only(0.3)

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("projection_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def lstm_outputs(self, x: KerasTensor, lengths: KerasTensor) -> dict[str, KerasTensor]:
        """Return the outputs of the model, as `clip_outputs`, from features h_0 of the frames.

            h_i    = LSTM_i(h_{i-1})
            a[t]   = U h_n[t] + c, the logits of frame t
            logits = log of the mean over t of softmax(a[t])

        Args:
            x: float32 [batch, time, features].
            lengths: int32 [batch], at least 1.
        """
        from keras import layers

        from zoo.common.layers import recurrent
        from zoo.common.layers.masks import frame_mask

        inside = frame_mask(x, lengths)
        for i in range(self.layers):
            x = layers.Dropout(self.dropout, name=f"dropout{i}")(x)
            x = recurrent.LSTM(self.hidden_size, return_sequences=True, name=f"lstm{i}")(
                x, mask=inside
            )
        x = layers.Dropout(self.dropout, name="dropout_top")(x)
        frame_logits = layers.Dense(self.num_classes, dtype="float32", name="frame_logits")(x)
        return clip_outputs(frame_logits, lengths)
