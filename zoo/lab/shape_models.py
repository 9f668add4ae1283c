"""Build the smallest functional model of each shape of recurrent network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras

FEATURES, UNITS, OUTPUTS, STEPS = 4, 3, 2, 3


def one_to_one() -> keras.Model:
    """Return a model from a vector to a vector, without recurrence."""
    import keras
    from keras import layers

    x = keras.Input((FEATURES,), name="x")
    h = layers.Dense(UNITS, activation="tanh", name="hidden")(x)
    return keras.Model(x, layers.Dense(OUTPUTS, name="y")(h))


def one_to_many() -> keras.Model:
    """Return a model from a vector, read at the first step, to a sequence."""
    import keras
    from keras import layers

    x = keras.Input((FEATURES,), name="x")
    first = layers.Reshape((1, FEATURES), name="first_step")(x)
    steps = layers.ZeroPadding1D((0, STEPS - 1), name="then_zeros")(first)
    h = layers.SimpleRNN(UNITS, return_sequences=True, name="rnn")(steps)
    return keras.Model(x, layers.Dense(OUTPUTS, name="y")(h))


def many_to_one() -> keras.Model:
    """Return a model from a sequence to a vector, computed from the last state."""
    import keras
    from keras import layers

    x = keras.Input((None, FEATURES), name="x")
    h = layers.SimpleRNN(UNITS, name="rnn")(x)
    return keras.Model(x, layers.Dense(OUTPUTS, name="y")(h))


def many_to_many() -> keras.Model:
    """Return a model from a sequence to a sequence of another length, an encoder and a decoder."""
    import keras
    from keras import layers

    x = keras.Input((None, FEATURES), name="x")
    state = layers.SimpleRNN(UNITS, name="encoder")(x)
    first = layers.Reshape((1, UNITS), name="first_step")(state)
    steps = layers.ZeroPadding1D((0, STEPS - 1), name="then_zeros")(first)
    h = layers.SimpleRNN(UNITS, return_sequences=True, name="decoder")(steps)
    return keras.Model(x, layers.Dense(OUTPUTS, name="y")(h))


def many_to_many_in_step() -> keras.Model:
    """Return a model from a sequence to a sequence with one output per input step."""
    import keras
    from keras import layers

    x = keras.Input((None, FEATURES), name="x")
    h = layers.SimpleRNN(UNITS, return_sequences=True, name="rnn")(x)
    return keras.Model(x, layers.Dense(OUTPUTS, name="y")(h))


@dataclass(frozen=True)
class Shape:
    """One of the five shapes.

    Args:
        title: title of the drawing.
        build: returns the smallest model.
        example: an application.
        inputs: steps of the drawing with an input.
        states: steps of the drawing with a state.
        outputs: steps of the drawing with an output.
        presets: names of recipes of that shape. The experiment shows the first shipped one.
    """

    title: str
    build: Callable[[], keras.Model]
    example: str
    inputs: tuple[int, ...]
    states: tuple[int, ...]
    outputs: tuple[int, ...]
    presets: tuple[str, ...]


SHAPES = {
    "one_to_one": Shape(
        "one to one",
        one_to_one,
        "a window of values to the next value",
        (0,),
        (0,),
        (0,),
        ("language/feedforward-ptb", "timeseries/tdnn-laser", "timeseries/ar-laser"),
    ),
    "one_to_many": Shape(
        "one to many",
        one_to_many,
        "an image to a caption",
        (0,),
        (0, 1, 2),
        (0, 1, 2),
        ("vision_language/show-and-tell-rsicd",),
    ),
    "many_to_one": Shape(
        "many to one",
        many_to_one,
        "a sound or a text to its class",
        (0, 1, 2),
        (0, 1, 2),
        (2,),
        ("language/bilstm-sst2", "speech/bilstm-fsdd", "speech/tdnn-fsdd"),
    ),
    "many_to_many": Shape(
        "many to many",
        many_to_many,
        "a sentence to its translation, speech to text",
        (0, 1, 2),
        (0, 1, 2, 3, 4),
        (2, 3, 4),
        (
            "language/attention-multi30k-en-de",
            "language/seq2seq-multi30k-en-de",
            "speech/bilstm-ctc-an4",
        ),
    ),
    "many_to_many_in_step": Shape(
        "many to many, in step",
        many_to_many_in_step,
        "a text to the next character at every step",
        (0, 1, 2),
        (0, 1, 2),
        (0, 1, 2),
        ("language/charlstm-shakespeare",),
    ),
}
