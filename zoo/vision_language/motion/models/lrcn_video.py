"""A convolutional network for each frame of a video, and LSTM layers over the frames.

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
    """Config of `build_lrcn_video`.

    Args:
        num_classes: number of classes.
        projection_size: number of units of the dense layer below the first LSTM.
        hidden_size: number of units of each LSTM.
        layers: number of LSTM layers.
        dropout: fraction of the inputs of each LSTM and of the last layer dropped in training.
        size: side of the square frames, the same as in the data.
        channels: number of filters of each convolution, which halves the sides of a frame.
    """

    size: int = 32
    channels: tuple[int, ...] = (16, 32, 64)

    def __post_init__(self):
        super().__post_init__()
        for channels in self.channels:
            check_range("model.channels", channels, at_least=1)
        check_range("model.size", self.size, at_least=2 ** len(self.channels), at_most=512)

    def build(self) -> keras.Model:
        return build_lrcn_video(self)


# Functional model ---------------------------------------------------------------------------------


def build_lrcn_video(config: LRCNVideo) -> keras.Model:
    """Build the functional model, from frames to logits.

        s[t]     = image[t] / 127.5 - 1
        x_0[t]   = [s[t]; s[t] - s[t - 1]], where the second half is 0 at the first frame
        x_i[t]   = relu(conv_i(x_{i-1}[t])), 3 x 3, stride 2
        h_0[t]   = relu(norm(W flat(x_n[t]) + b)), layer norm; then `FrameLSTM.lstm_outputs`

    The convolutions read a frame and its difference from the previous frame, which separates a moving
    shape from the background. Donahue et al. use optical flow too. The outputs at frame t depend only on
    frames up to t. All frames are convolved at once: a 3-D convolution with a kernel of one frame is a
    2-D convolution of each frame.

    Args:
        config: the config.

    Returns:
        A model with the inputs `images` float32 [batch, time, size, size, 3], see `Videos`, and
        `lengths` int32 [batch], at least 1, and with the outputs of `zoo.vision_language.motion.task`.
        Frames after the length of a row have no effect on the frames before, nor on `logits`.
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
    outputs = config.lstm_outputs(x, lengths)
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
    """A convolutional network for each frame and an LSTM over the frames classify how a shape moves.

    For video files of a few seconds, in any format that FFmpeg reads. The classes are: the shape moves
    left, right, up or down, circles clockwise or counter-clockwise, grows, shrinks, or bounces. Eight
    frames per second are taken, by their time stamps, and scaled to 32 x 32 pixels.

    It was trained on drawn clips with one shape, a noisy background and a fixed camera. It shows
    that the network learns motion, and can be trained on other videos (`--manifest`). It was not
    measured on filmed videos.
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
