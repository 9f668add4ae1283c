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
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.motion.corpora.video_shapes import VIDEO_SHAPES
from zoo.vision_language.motion.frame_lstm import FrameLSTM
from zoo.vision_language.motion.moving_shapes import MOTIONS
from zoo.vision_language.motion.task import FrameClasses
from zoo.vision_language.motion.videos import Videos

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LRCNVideo(FrameLSTM):
    """Arguments: those of `FrameLSTM`, and two more.

    size: int. Side of the square frames, which the data has too.
    channels: tuple of int. Filters of each convolution; each halves the sides of a frame.
    """

    size: int = 32
    channels: tuple[int, ...] = (16, 32, 64)

    def __post_init__(self):
        super().__post_init__()
        for channels in self.channels:
            check_range("model.channels", channels, at_least=1)
        check_range("model.size", self.size, at_least=2 ** len(self.channels), at_most=512)

    def build(self) -> keras.Model:
        """See `build_lrcn_video`."""
        return build_lrcn_video(self)


# Functional model ---------------------------------------------------------------------------------


def build_lrcn_video(config: LRCNVideo) -> keras.Model:
    """Build the functional model, frames in and logits out.

        s[t]     = image[t] / 127.5 - 1
        x_0[t]   = [s[t]; s[t] - s[t - 1]], whose second half is 0 at the first frame
        x_i[t]   = relu(conv_i(x_{i-1}[t])), 3 x 3, every second pixel
        h_0[t]   = relu(norm(W flat(x_n[t]) + b)), norm over the units; then `FrameLSTM.lstm_answers`

    The convolutions see a frame and how it differs from the one before: a shape that moves stands out
    from what is behind it. Donahue et al. give their network optical flow, too. Everything at frame t is
    made of frames up to t alone. All frames are convolved at once: a 3-D convolution whose kernel is one
    frame long is a 2-D one of each frame.

    Args:
        config: its arguments.

    Returns:
        A model with the inputs `images` float32 [batch, time, size, size, 3], as of `Videos`, and
        `lengths` int32 [batch], at least 1; and the outputs of `zoo.vision_language.motion.task`.
        What stands behind a row's length has no effect on what stands before it, nor on `logits`.
    """
    import keras
    from keras import layers, ops

    images = keras.Input((None, config.size, config.size, 3), name="images", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x = layers.Rescaling(1 / 127.5, -1.0, name="scale")(images)
    change = ops.concatenate([ops.zeros_like(x[:, :1]), x[:, 1:] - x[:, :-1]], axis=1)
    x = ops.concatenate([x, change], axis=-1)
    for i, channels in enumerate(config.channels):
        x = layers.Conv3D(
            channels, (1, 3, 3), strides=(1, 2, 2), padding="same", activation="relu",
            name=f"conv{i}",
        )(x)  # fmt: skip
    x = layers.Reshape((-1, x.shape[2] * x.shape[3] * x.shape[4]), name="flat")(x)
    x = layers.Dense(config.projection_size, name="projection")(x)
    x = layers.LayerNormalization(name="norm")(x)
    x = layers.Activation("relu", name="activation")(x)
    outputs = config.lstm_answers(x, lengths)
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
        model=LRCNVideo(num_classes=len(MOTIONS), dropout=0.2),
        task=FrameClasses(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=1.5e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=40, batch_size=32, patience=40),
    )
