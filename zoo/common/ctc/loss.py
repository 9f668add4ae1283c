"""The CTC loss on every backend of Keras."""

from __future__ import annotations

from typing import Any

from zoo.common.data.labels import BLANK_INDEX


def ctc_loss(logits: Any, logit_lengths: Any, labels: Any, label_lengths: Any) -> Any:
    """Return -ln p(labels | logits) of each row, in nats.

    On TensorFlow, `zoo.common.ctc.tensorflow_loss` computes it; on JAX and PyTorch, Keras does.

    Args:
        logits: float [batch, time, vocabulary_size], unnormalized.
        logit_lengths: int32 [batch], the number of frames of each row without padding.
        labels: int32 [batch, max_labels], padded with `BLANK_INDEX`.
        label_lengths: int32 [batch], the number of labels of each row without padding.

    Returns:
        float32 [batch].
    """
    import keras

    if keras.config.backend() == "tensorflow":
        from zoo.common.ctc import tensorflow_loss

        return tensorflow_loss.ctc_loss(logits, logit_lengths, labels, label_lengths)
    logits = keras.ops.cast(logits, "float32")
    return keras.ops.ctc_loss(labels, logits, label_lengths, logit_lengths, mask_index=BLANK_INDEX)
