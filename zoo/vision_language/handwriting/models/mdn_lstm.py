"""An LSTM that outputs the density of the next point of a pen, to generate drawings.

Graves, "Generating sequences with recurrent neural networks" (2013), section 4, with one layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.core.states import STEP, StateSpec, as_outputs
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.handwriting.corpora.omniglot_strokes import OMNIGLOT
from zoo.vision_language.handwriting.drawings import Drawings
from zoo.vision_language.handwriting.pen_mixture import MIXTURE_OUTPUTS, PEN_OUTPUTS
from zoo.vision_language.handwriting.pen_sampling import StrokeSampling
from zoo.vision_language.handwriting.stroke_generation import StrokeGeneration

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MixtureDensityLSTM(KerasModel):
    """Config of `build_mdn_lstm`.

    Args:
        hidden_size: number of units of the LSTM layer.
        components: number of Gaussians of the mixture.
        dropout: fraction of the outputs of the LSTM dropped in training.
    """

    hidden_size: int = 300
    components: int = 20
    dropout: float = training_only(0.1)

    def __post_init__(self):
        for name in ("hidden_size", "components"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_mdn_lstm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return `step`, which reads any number of points."""
        return {STEP: model}

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The hidden state and the cell state of the LSTM layer."""
        return tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0"))


# Functional model ---------------------------------------------------------------------------------


def build_mdn_lstm(config: MixtureDensityLSTM) -> keras.Model:
    """Build the functional model, from points and states to densities of next points and next states.

        h_t, c_t = LSTM(x_t, h_{t-1}, c_{t-1});  y^_t = W h_t + b

    No mask is needed: points after the end of a row have no effect on the points before.

    Args:
        config: the config.

    Returns:
        A model with the inputs `points` float32 [batch, time, 3], the offset from the previous
        point in x and y and pen_up, and the states `h0` and `c0` float32 [batch, hidden_size],
        which are zeros at the start of a drawing. Its outputs are the y^ of
        `zoo.vision_language.handwriting.pen_mixture`, float32 [batch, time, components] each, where
        `pen_up` and `end` are [batch, time, 1]; and `next_h0` and `next_c0`.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent

    points = keras.Input((None, 3), name="points", dtype="float32")
    states = {
        spec.name: keras.Input(spec.shape, name=spec.name, dtype=spec.dtype)
        for spec in config.states
    }
    lstm = recurrent.LSTM(config.hidden_size, return_sequences=True, return_state=True, name="lstm")
    x, h, c = lstm(points, initial_state=list(states.values()))
    x = layers.Dropout(config.dropout, name="dropout")(x)
    sizes = dict.fromkeys(MIXTURE_OUTPUTS, config.components) | dict.fromkeys(PEN_OUTPUTS, 1)
    outputs = {
        name: layers.Dense(size, dtype="float32", name=name)(x) for name, size in sizes.items()
    }
    next_states = as_outputs({"h0": h, "c0": c})
    outputs |= {
        name: layers.Identity(dtype="float32", name=name)(state)
        for name, state in next_states.items()
    }
    return keras.Model({"points": points, **states}, outputs, name="mdn_lstm")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Graves 2013, Generating sequences with recurrent neural networks"


@register(
    "vision_language/mdn-lstm-omniglot", paper=PAPER, corpus=OMNIGLOT, metric="nats_per_point"
)
def mdn_lstm_omniglot(name: str) -> Recipe:
    """An LSTM draws letters of alphabets that do not exist, stroke by stroke.

    For demonstrations and teaching, to complete a drawing from its first strokes, and as a start
    (`--init`) for training on other drawings. The input of `zoo predict` is `new`, or a file with the
    first strokes. The output is strokes, or SVG with `--format svg`. `--seed` sets the random seed,
    `--bias 1` makes drawings neater.

    The training data are single letters of fifty alphabets without their names, simplified to lines
    between a few points, on a canvas about 630 units wide. First strokes must have such units and be as
    simple. The model cannot write text. The metric is the negative log-density of a point in nats, with
    offsets in units of `data.scale`. It depends on that unit and on the resolution of recorded positions
    (`task.rounding`), and is comparable only between models of this corpus. The train split has other
    people's drawings of the letters of the test split.
    """
    return Recipe(
        name=name,
        data=Drawings(),
        model=MixtureDensityLSTM(),
        # A pixel of the recordings, 6 units, is 0.11 standard deviations of an offset. The rounding
        # error is this number divided by the square root of 12.
        task=StrokeGeneration(rounding=0.03),
        decoder=StrokeSampling(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.5, weight_decay=1e-3),
        training=GradientDescent(epochs=18, batch_size=64, patience=18),
    )
