"""An LSTM that gives the density of where a pen goes next: handwriting and drawings, generated.

Graves, "Generating sequences with recurrent neural networks" (2013), section 4; with one layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.tasks.language_modelling import STEP
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
    """Arguments of the model.

    hidden_size: int. Units of the LSTM layer.
    components: int. Gaussians of the mixture.
    dropout: float. Share of the LSTM's outputs that are dropped in training.
    """

    hidden_size: int = 300
    components: int = 20
    dropout: float = 0.1

    def __post_init__(self):
        for name in ("hidden_size", "components"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_mdn_lstm`."""
        return build_mdn_lstm(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """`step`: any number of points, from the state before them to that after."""
        return {STEP: model}

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The output and the cell of the LSTM layer."""
        return tuple(StateSpec(name, (self.hidden_size,)) for name in ("h0", "c0"))


# Functional model ---------------------------------------------------------------------------------


def build_mdn_lstm(config: MixtureDensityLSTM) -> keras.Model:
    """Build the functional model, points and states in, a density for each next point and states out.

        h_t, c_t = LSTM(x_t, h_{t-1}, c_{t-1});  y^_t = W h_t + b

    Its inputs are `points` float32 [batch, time, 3], the offset from the point before in x and y and 1
    where the pen is lifted after the point, and the states `h0` and `c0` float32 [batch, hidden_size],
    zeros where a drawing begins. Its outputs are the y^ of `zoo.vision_language.handwriting.pen_mixture`, each
    float32 [batch, time, components], `pen_up` and `end` [batch, time, 1]; and `next_h0` and `next_c0`.
    There is no mask: what stands behind a row's end has no effect on what stands before.
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

    For demonstrations and teaching, to end a drawing from its first strokes, and to start from
    (`--init`) for drawings of one's own. `zoo predict` takes `new`, or a file with the first strokes,
    and gives strokes, as SVG by `--format svg`; `--seed` fixes them, `--bias 1` makes them
    neater.

    It learnt single letters of fifty alphabets without their names, simplified to lines between a few
    points, on a canvas about 630 units wide: first strokes have to be in such units and as simple. It
    writes no text. The figure is the negative log-density of a point in nats, its offset in units of
    `data.scale`; it depends on that unit, on how coarsely positions were recorded (`task.rounding`), and
    compares models of this corpus alone. Letters of the test split were drawn by other people for train.
    """
    return Recipe(
        name=name,
        data=Drawings(),
        model=MixtureDensityLSTM(),
        # A pixel of the recordings, 6 units, is 0.11 of an offset's standard deviation; the error of
        # rounding to it is that over the root of 12.
        task=StrokeGeneration(rounding=0.03),
        decoder=StrokeSampling(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.5, weight_decay=1e-3),
        training=GradientDescent(epochs=18, batch_size=64, patience=18),
    )
