"""A convolutional network for each frame of a video, LSTM layers over the frames.

Donahue et al., "Long-term recurrent convolutional networks for visual recognition and description"
(2015), section 4: activity recognition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.corpora.video_shapes import VIDEO_SHAPES
from zoo.vision_language.frame_classes import FrameClasses
from zoo.vision_language.moving_shapes import MOTIONS
from zoo.vision_language.videos import Videos

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LRCNVideo(KerasModel):
    """Arguments of the model.

    num_classes: int. Classes it answers with.
    size: int. Side of the square frames, which the data has too.
    channels: tuple of int. Filters of each convolution; each halves the sides of a frame.
    projection_size: int. Units between the convolutions and the first LSTM.
    hidden_size: int. Units of each LSTM.
    layers: int. LSTM layers, one upon another.
    dropout: float. Share of the inputs of each LSTM and of the last layer dropped in training.
    """

    num_classes: int
    size: int = 32
    channels: tuple[int, ...] = (16, 32, 64)
    projection_size: int = 128
    hidden_size: int = 128
    layers: int = 1
    dropout: float = 0.3

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for channels in self.channels:
            check_range("model.channels", channels, at_least=1)
        check_range("model.size", self.size, at_least=2 ** len(self.channels), at_most=512)
        for name in ("projection_size", "hidden_size", "layers"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_lrcn_video`."""
        return build_lrcn_video(self)


# Functional model ---------------------------------------------------------------------------------


def build_lrcn_video(config: LRCNVideo) -> keras.Model:
    """Build the functional model, frames in and logits out.

        x_0[t]   = image[t] / 127.5 - 1
        x_i[t]   = relu(conv_i(x_{i-1}[t])), 3 x 3, every second pixel
        h_0[t]   = relu(W flat(x_n[t]) + b);  h_i = LSTM_i(h_{i-1})
        a[t]     = U h_m[t] + c, the logits of frame t
        logits   = log of the mean over t of softmax(a[t])

    The convolutions see one frame, and everything at frame t is made of frames up to t alone. All frames
    are convolved at once: a 3-D convolution whose kernel is one frame long is a 2-D one of each frame.

    Args:
        config: its arguments.

    Returns:
        A model with the inputs `images` float32 [batch, time, size, size, 3], as of `Videos`, and
        `lengths` int32 [batch], at least 1; and the outputs of `zoo.vision_language.frame_classes`.
        What stands behind a row's length has no effect on what stands before it, nor on `logits`.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent
    from zoo.common.layers.masks import frame_mask
    from zoo.vision_language.frame_classes import frame_answers

    images = keras.Input((None, config.size, config.size, 3), name="images", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x = layers.Rescaling(1 / 127.5, -1.0, name="scale")(images)
    for i, channels in enumerate(config.channels):
        x = layers.Conv3D(
            channels, (1, 3, 3), strides=(1, 2, 2), padding="same", activation="relu",
            name=f"conv{i}",
        )(x)  # fmt: skip
    x = layers.Reshape((-1, x.shape[2] * x.shape[3] * x.shape[4]), name="flat")(x)
    x = layers.Dense(config.projection_size, activation="relu", name="projection")(x)
    inside = frame_mask(x, lengths)
    for i in range(config.layers):
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        x = recurrent.LSTM(config.hidden_size, return_sequences=True, name=f"lstm{i}")(
            x, mask=inside
        )
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    frame_logits = layers.Dense(config.num_classes, dtype="float32", name="frame_logits")(x)
    outputs = frame_answers(frame_logits, lengths)
    return keras.Model({"images": images, "lengths": lengths}, outputs, name="lrcn_video")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "vision_language/lrcn-video-shapes",
    paper="Donahue et al. 2015, Long-term recurrent convolutional networks for visual recognition and "
    "description",
    corpus=VIDEO_SHAPES,
    metric="accuracy",
)
def lrcn_video_shapes(name: str) -> Recipe:
    """A convolutional network for each frame and an LSTM over the frames tell how a shape moves.

    For video files of a few seconds, in any format that FFmpeg reads: does the shape in it move left,
    right, up or down, circle clockwise or counter-clockwise, grow, shrink, or bounce to and fro? Eight
    frames of each second are taken, by their time stamps, and scaled to 32 x 32 pixels.

    It learnt from drawn clips with one shape before a noisy background and a camera that stands still.
    It shows that the network reads motion, and is a start for one's own videos (`--manifest`): it was
    not measured on filmed ones.
    """
    return Recipe(
        name=name,
        data=Videos(labels=Labels(MOTIONS, "class")),
        model=LRCNVideo(num_classes=len(MOTIONS)),
        task=FrameClasses(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=30, batch_size=32, patience=30),
    )
