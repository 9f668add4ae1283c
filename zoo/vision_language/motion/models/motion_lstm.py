"""LSTM layers over a moving skeleton, with an answer at every frame.

Du, Wang & Wang, "Hierarchical recurrent neural network for skeleton based action recognition" (2015).
This is their baseline of LSTM layers over all joints, without parts of the body. The layers are
unidirectional, and the answer to a clip is the mean of the answers at its frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.motion.corpora.msr_action3d import ACTIONS, FRAME_RATE, MSR_ACTION3D
from zoo.vision_language.motion.frame_lstm import FrameLSTM
from zoo.vision_language.motion.skeleton_files import HIP_CENTRE, JOINTS, NECK
from zoo.vision_language.motion.skeletons import COORDINATES, Skeletons
from zoo.vision_language.motion.task import FrameClasses

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

SHOULDERS = JOINTS.index("left shoulder"), JOINTS.index("right shoulder")
# Minimum of lengths used as divisors, in metres.
SHORTEST = 1e-3
# Kernel size of the causal convolution below the LSTM layers: a third of a second.
CONV_FRAMES = 5
# Factor of velocities, so that they have the scale of the coordinates.
VELOCITY_SCALE = 5.0

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MotionLSTM(FrameLSTM):
    """Config of `build_motion_lstm`.

    Args:
        num_classes: number of classes.
        projection_size: number of filters of the convolution below the first LSTM.
        hidden_size: number of units of each LSTM.
        layers: number of LSTM layers.
        dropout: fraction of the inputs of each LSTM and of the last layer dropped in training.
    """

    layers: int = 2
    dropout: float = training_only(0.5)

    def build(self) -> keras.Model:
        return build_motion_lstm(self)


# Functional model ---------------------------------------------------------------------------------


def build_motion_lstm(config: MotionLSTM) -> keras.Model:
    """Build the functional model, from joints to logits.

        s[t]     = mean over 0..t of the distance from neck to hips
        R[t]     = the rotation about the vertical axis that turns the mean over 0..t of the line
                   between the shoulders into the direction of x
        p[t]     = R[t] (joints[t] - hips[t]) / s[t];  v[t] = p[t] - p[t - 1]
        d[t]     = R[t] (hips[t] - hips[0]) / s[t]
        h_0[t]   = relu(W [p - p[0]; v; d][t - 4 .. t] + b); then `FrameLSTM.lstm_outputs`

    Subtraction of p[0] removes the shape of the body and keeps its movement from the first posture.

    The outputs at frame t depend only on frames up to t, as in live recognition from a camera.

    Args:
        config: the config.

    Returns:
        A model with the inputs `joints` float32 [batch, time, 60], see `Skeletons`, and `lengths`
        int32 [batch], at least 1, and with the outputs of `zoo.vision_language.motion.task`. Frames
        after the length of a row have no effect on the frames before, nor on `logits`.
    """
    import keras
    from keras import layers

    joints = keras.Input((None, COORDINATES), name="joints", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")

    x = _features(joints)
    x = layers.Conv1D(
        config.projection_size, CONV_FRAMES, padding="causal", activation="relu", name="conv"
    )(x)
    outputs = config.lstm_outputs(x, lengths)
    return keras.Model({"joints": joints, "lengths": lengths}, outputs, name="motion_lstm")


def _features(joints: KerasTensor) -> KerasTensor:
    """Return the features of each frame, float32 [batch, time, 123]. See `build_motion_lstm`."""
    from keras import layers, ops

    points = layers.Reshape((-1, len(JOINTS), 3), name="points")(joints)

    def between(first, second):
        return points[:, :, second : second + 1] - points[:, :, first : first + 1]

    def mean_until(values):
        return ops.cumsum(values, axis=1) / ops.cumsum(ops.ones_like(values), axis=1)

    def norm(values):
        squares = ops.sum(ops.square(values), axis=3, keepdims=True)
        return ops.maximum(ops.sqrt(squares), SHORTEST)

    hips = points[:, :, HIP_CENTRE : HIP_CENTRE + 1]
    size = mean_until(norm(between(HIP_CENTRE, NECK)))
    across = mean_until(between(*SHOULDERS))[..., ::2]  # x and z
    cos, sin = across[..., :1] / norm(across), across[..., 1:] / norm(across)

    def turned(values):
        x, y, z = (values[..., i : i + 1] for i in range(3))
        return ops.concatenate([cos * x + sin * z, y, cos * z - sin * x], axis=3) / size

    placed = layers.Reshape((-1, COORDINATES), name="placed")(turned(points - hips))
    moved = layers.Reshape((-1, 3), name="moved")(turned(hips - hips[:, :1]))
    velocity = placed[:, 1:] - placed[:, :-1]
    velocity = ops.concatenate([ops.zeros_like(placed[:, :1]), velocity], axis=1)
    return ops.concatenate([placed - placed[:, :1], VELOCITY_SCALE * velocity, moved], axis=-1)


# Recipes ------------------------------------------------------------------------------------------


@register(
    "vision_language/lstm-msr-action3d",
    paper="Du, Wang & Wang 2015, Hierarchical recurrent neural network for skeleton based action "
    "recognition",
    corpus=MSR_ACTION3D,
    metric="accuracy",
    published=Published(
        "accuracy", 0.945, "Du, Wang & Wang 2015: mean of three subsets of eight actions"
    ),
)
def lstm_msr_action3d(name: str) -> Recipe:
    """LSTM layers classify which of twenty actions a moving skeleton performs, per clip and per frame.

    For skeletons of twenty joints in metres, as depth cameras give them at 15 frames per second, of a
    person who faces the camera. The input is a JSON file with `joints`, a list of frames of 20 joints
    [x, y, z], or null for a missing joint, or a text file of the corpus. The person, the position
    and the height have little effect: coordinates are relative to the hips, in units of the length
    of the torso.

    The answer at a frame depends on the frames up to it, as in live recognition. It is often wrong
    in the first frames, where the actions look alike. The model always answers with one of its
    twenty actions, for any movement. The corpus has ten people and one action per recording: the
    start and the end of an action in a longer recording are not detected.
    """
    return Recipe(
        name=name,
        data=Skeletons(labels=Labels(ACTIONS, "class"), frame_rate=FRAME_RATE),
        model=MotionLSTM(num_classes=len(ACTIONS)),
        task=FrameClasses(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=2, weight_decay=1e-2),
        # One of the five subjects of the train split is dev.
        training=GradientDescent(epochs=80, batch_size=32, patience=80, dev_fraction=0.2),
    )
