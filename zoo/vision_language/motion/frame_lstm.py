"""LSTM layers over the frames of a clip, with an answer at each: what models of clips have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.runtime.keras_model import KerasModel
from zoo.vision_language.motion.task import frame_answers

if TYPE_CHECKING:
    from keras import KerasTensor


@dataclass(frozen=True)
class FrameLSTM(KerasModel):
    """A model that makes features of each frame, with `lstm_answers` on top. Subclasses write `build`.

    num_classes: int. Classes it answers with.
    projection_size: int. Units below the first LSTM.
    hidden_size: int. Units of each LSTM.
    layers: int. LSTM layers, one upon another.
    dropout: float. Share of the inputs of each LSTM and of the last layer dropped in training.
    """

    num_classes: int
    projection_size: int = 128
    hidden_size: int = 128
    layers: int = 1
    dropout: float = 0.3

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("projection_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def lstm_answers(self, x: KerasTensor, lengths: KerasTensor) -> dict[str, KerasTensor]:
        """Return the outputs of the model, those of `frame_answers`, from features h_0 of the frames.

            h_i    = LSTM_i(h_{i-1})
            a[t]   = U h_n[t] + c, the logits of frame t
            logits = log of the mean over t of softmax(a[t])

        Args:
            x: float32 [batch, time, features]. lengths: int32 [batch], at least 1.
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
        return frame_answers(frame_logits, lengths)
