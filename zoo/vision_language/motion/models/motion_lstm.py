"""LSTM layers over a moving skeleton, with an answer at every frame.

Du, Wang & Wang, "Hierarchical recurrent neural network for skeleton based action recognition" (2015).
This is their baseline of LSTM layers over all joints, without parts of the body. The layers read in one
direction, and the answer to a clip is the mean of those to its frames.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
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
# A length that something is divided by is never taken for shorter, in metres.
SHORTEST = 1e-3
# Frames that the convolution below the LSTM layers sees: the last ones, a third of a second.
CONV_FRAMES = 5
# What velocities are multiplied by, so that they are of the size of the coordinates.
VELOCITY_SCALE = 5.0

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MotionLSTM(FrameLSTM):
    """Arguments: those of `FrameLSTM`."""

    layers: int = 2
    dropout: float = 0.5

    def build(self) -> keras.Model:
        """See `build_motion_lstm`."""
        return build_motion_lstm(self)


# Functional model ---------------------------------------------------------------------------------


def build_motion_lstm(config: MotionLSTM) -> keras.Model:
    """Build the functional model, joints in and logits out.

        s[t]     = mean over 0..t of the distance from neck to hips
        R[t]     = the turn about the vertical axis that lays the mean over 0..t of the line between the
                   shoulders along x
        p[t]     = R[t] (joints[t] - hips[t]) / s[t];  v[t] = p[t] - p[t - 1]
        d[t]     = R[t] (hips[t] - hips[0]) / s[t]
        h_0[t]   = relu(W [p - p[0]; v; d][t - 4 .. t] + b); then `FrameLSTM.lstm_answers`

    What a body looks like is gone with p[0]: how it moves from its first posture is left.

    Everything at frame t is made of frames up to t alone, so the answer at a frame is the one that a
    camera would have at that moment.

    Args:
        config: its arguments.

    Returns:
        A model with the inputs `joints` float32 [batch, time, 60], as of `Skeletons`, and `lengths`
        int32 [batch], at least 1; and the outputs of `zoo.vision_language.motion.task`. What stands
        behind a row's length has no effect on what stands before it, nor on `logits`.
    """
    import keras
    from keras import layers

    joints = keras.Input((None, COORDINATES), name="joints", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")

    x = _features(joints)
    x = layers.Conv1D(
        config.projection_size, CONV_FRAMES, padding="causal", activation="relu", name="conv"
    )(x)
    outputs = config.lstm_answers(x, lengths)
    return keras.Model({"joints": joints, "lengths": lengths}, outputs, name="motion_lstm")


def _features(joints: KerasTensor) -> KerasTensor:
    """The features of each frame, [batch, time, 123]: see `build_motion_lstm`."""
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
    across = mean_until(between(*SHOULDERS))[..., ::2]  # x and z alone
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
)
def lstm_msr_action3d(name: str) -> Recipe:
    """LSTM layers tell which of twenty actions a moving skeleton does, in the whole and at every frame.

    For skeletons of twenty joints in metres, as depth cameras give them at 15 frames a second, of a
    person who faces the camera. The input is a JSON file with `joints`, a list of frames of 20 joints
    [x, y, z], or null where one is missing; or a text file of the corpus. Who moves, where, and how tall
    the person is has little effect: each body is measured by its torso, around its hips.

    The answer at a frame is made of the frames up to it, as a camera would have it at that moment. It is
    often wrong in the first frames, when the actions look alike. The model knows twenty actions and
    nothing else: any other movement is taken for one of them. Ten people moved for the corpus, one
    action at a time; the start and the end of an action in a longer film are not found.
    """
    return Recipe(
        name=name,
        data=Skeletons(labels=Labels(ACTIONS, "class"), frame_rate=FRAME_RATE),
        model=MotionLSTM(num_classes=len(ACTIONS)),
        task=FrameClasses(),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=2, weight_decay=1e-2),
        # Of the five subjects of the train split one is dev.
        training=GradientDescent(epochs=80, batch_size=32, patience=80, dev_fraction=0.2),
    )
