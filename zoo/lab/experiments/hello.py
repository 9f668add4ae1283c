"""A character network of four letters that learns to write "hello"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab.drawing import CELL, FORWARD, INPUT, OUTPUT, STATE, arrow, canvas, vector
from zoo.lab.experiment import Outcome, register_experiment

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WORD, ALPHABET = "hello", "helo"
UNITS, UPDATES, LEARNING_RATE, SEED = 3, 200, 0.05, 1


class Weights(NamedTuple):
    """The matrices of the equations.

    Args:
        W_xh: float32 [units, letters].
        W_hh: float32 [units, units].
        W_hy: float32 [letters, units].
    """

    W_xh: np.ndarray
    W_hh: np.ndarray
    W_hy: np.ndarray


class Pass(NamedTuple):
    """The values of the network when it reads a word.

    Args:
        x: one-hot letters, float32 [time, letters].
        h: states, float64 [time, units].
        y: scores of the next letter, float64 [time, letters].
    """

    x: np.ndarray
    h: np.ndarray
    y: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        """The softmax of the scores."""
        exp = np.exp(self.y - self.y.max(axis=1, keepdims=True))
        return exp / exp.sum(axis=1, keepdims=True)


def build_model() -> keras.Model:
    """Return the functional model, which has no biases.

    Its input is `letters`, float32 [batch, time, 4], one-hot. Its outputs are the states `h`
    [batch, time, 3] and the scores `logits` of the next letter [batch, time, 4].
    """
    import keras

    letters = keras.Input((None, len(ALPHABET)), name="letters")
    recurrent = keras.layers.SimpleRNN(
        UNITS, use_bias=False, return_sequences=True, name="recurrent"
    )
    scores = keras.layers.Dense(len(ALPHABET), use_bias=False, name="scores")
    h = recurrent(letters)
    return keras.Model(letters, {"h": h, "logits": scores(h)})


def one_hot(letters: str) -> np.ndarray:
    """Return letters as one-hot vectors, float32 [time, 4]."""
    return np.eye(len(ALPHABET), dtype=np.float32)[[ALPHABET.index(letter) for letter in letters]]


def read(weights: Weights, letters: str) -> Pass:
    """Compute the network by its equations: h = tanh(W_hh h + W_xh x), y = W_hy h."""
    x, h, states = one_hot(letters), np.zeros(UNITS), []
    for step in x:
        h = np.tanh(weights.W_hh @ h + weights.W_xh @ step)
        states.append(h)
    return Pass(x, np.array(states), np.array(states) @ weights.W_hy.T)


def write(weights: Weights, first: str, count: int) -> str:
    """Return `first` and `count` more letters, each the letter with the highest score."""
    text = first
    for _ in range(count):
        text += ALPHABET[int(read(weights, text).y[-1].argmax())]
    return text


@register_experiment("hello", seconds=6)
def hello() -> Outcome:
    """Train the four-letter character network, and show its weights and outputs before and after."""
    import keras

    keras.utils.set_random_seed(SEED)
    model = build_model()
    before = _weights(model)
    scores = keras.Model(model.input, model.output["logits"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scores.compile(keras.optimizers.Adam(LEARNING_RATE), loss, jit_compile=False)
    x = one_hot(WORD[:-1])[None]
    y = np.array([[ALPHABET.index(letter) for letter in WORD[1:]]])
    losses = []
    for _ in range(UPDATES):
        scores.reset_metrics()  # else Keras returns the mean of all losses so far
        losses.append(float(scores.train_on_batch(x, y)))
    after = _weights(model)

    passes = {"before": read(before, WORD[:-1]), "after": read(after, WORD[:-1])}
    outputs = model(x)
    difference = max(
        np.abs(np.asarray(outputs["h"][0]) - passes["after"].h).max(),
        np.abs(np.asarray(outputs["logits"][0]) - passes["after"].y).max(),
    )
    numbers = {
        "alphabet": ALPHABET,
        "weights": {name: matrix.tolist() for name, matrix in after._asdict().items()},
        "weights_before": {name: matrix.tolist() for name, matrix in before._asdict().items()},
        **{
            when: {
                "h": each.h.tolist(),
                "y": each.y.tolist(),
                "probabilities": each.probabilities.tolist(),
                "probability_of_word": _probability(each),
                "written": write(weights, WORD[0], len(WORD) - 1),
            }
            for (when, each), weights in zip(passes.items(), (before, after), strict=True)
        },
        "losses": losses,
        "difference_between_equations_and_keras": float(difference),
    }
    figures = {"hello": _draw_passes(passes), "weights": _draw_weights(before, after, losses)}
    return Outcome(numbers, figures, _text(numbers, after, passes["after"]))


def _weights(model: keras.Model) -> Weights:
    return Weights(*(matrix.T.copy() for matrix in model.get_weights()))


def _probability(each: Pass) -> float:
    wanted = [ALPHABET.index(letter) for letter in WORD[1:]]
    return float(each.probabilities[np.arange(len(wanted)), wanted].prod())


def _text(numbers: dict[str, Any], weights: Weights, read_word: Pass) -> str:
    lines = [f"letters: {', '.join(ALPHABET)}"]
    for name, matrix in weights._asdict().items():
        lines.append(f"{name}, {matrix.shape[0]} x {matrix.shape[1]}")
        lines += ["  " + " ".join(f"{value:7.2f}" for value in row) for row in matrix]
    lines.append(
        "the word, letter by letter: h(t) = tanh(W_hh h(t-1) + W_xh x(t)), y(t) = W_hy h(t)"
    )
    for t, (x, h, y) in enumerate(zip(*read_word, strict=True)):
        best = ALPHABET[int(y.argmax())]
        lines.append(
            f"  {WORD[t]}  x {x.astype(int)}  h {_row(h)}  y {_row(y)}  "
            f"-> {best} ({read_word.probabilities[t].max():.3f}), target {WORD[t + 1]}"
        )
    for when in ("before", "after"):
        found = numbers[when]
        lines.append(
            f"{when} training: p({WORD[1:]!r} after {WORD[0]!r}) = "
            f"{found['probability_of_word']:.4f}, writes {found['written']!r}"
        )
    difference = numbers["difference_between_equations_and_keras"]
    lines.append(f"largest difference between the equations and Keras: {difference:.1e}")
    return "\n".join(lines)


def _row(values: np.ndarray) -> str:
    return " ".join(f"{value:6.2f}" for value in values)


# Figures ------------------------------------------------------------------------------------------


def _draw_passes(passes: dict[str, Pass]) -> Figure:
    """Draw the network unrolled over the word, before and after training."""
    picture = figure(figsize=(14.5, 7.2))
    for axes, (when, each) in zip(picture.subplots(1, 2), passes.items(), strict=True):
        canvas(axes, 8.0, 7.9)
        axes.set_title(
            f"{when.capitalize()} training: p({WORD[1:]!r} after {WORD[0]!r}) = {_probability(each):.4f}"
        )
        for t in range(len(each.x)):
            _draw_step(axes, t, each)
        for height in (1.5, 6.4):
            for i, letter in enumerate(ALPHABET):
                at = height + CELL * (1.5 - i)
                axes.text(0.5, at, letter, va="center", ha="center", fontsize=9, color="gray")
        for height, name in ((1.5, "input"), (4.0, "hidden"), (6.4, "scores")):
            axes.text(0.1, height, name, rotation=90, va="center", ha="center", fontsize=11)
    picture.supxlabel("Green: the score of the next letter. It should be the highest.", fontsize=11)
    return picture


def _draw_step(axes: Axes, t: int, each: Pass) -> None:
    at = 1.1 + 1.9 * t
    wanted = ALPHABET.index(WORD[t + 1])
    colors = ["#7ed07a" if i == wanted else OUTPUT for i in range(len(ALPHABET))]
    vector(axes, (at, 1.5), each.x[t], color=INPUT, digits=0, size=9)
    vector(axes, (at, 4.0), each.h[t], color=STATE, size=9)
    vector(axes, (at, 6.4), each.y[t], colors=colors, size=9)
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 13, "family": "monospace"}
    axes.text(at, 0.35, WORD[t], **style)
    axes.text(at, 7.55, f"{WORD[t + 1]}", weight="bold", color="#2c7d28", **style)
    flow: dict[str, Any] = {"color": FORWARD, "size": 9}
    arrow(axes, (at, 2.34), (at, 3.37), label="$W_{xh}$", offset=(-0.38, 0), **flow)
    arrow(axes, (at, 4.63), (at, 5.56), label="$W_{hy}$", offset=(-0.38, 0), **flow)
    if t:
        arrow(axes, (at - 1.45, 4.0), (at - 0.45, 4.0), label="$W_{hh}$", offset=(0, 0.2), **flow)


def _draw_weights(before: Weights, after: Weights, losses: list[float]) -> Figure:
    """Draw the matrices and the loss over the updates."""
    picture = figure(figsize=(12, 6.6))
    grid = picture.subplot_mosaic(
        [["before0", "before1", "before2", "loss"], ["after0", "after1", "after2", "loss"]],
        width_ratios=(4, 3, 3, 5),
    )
    limit = max(np.abs(matrix).max() for weights in (before, after) for matrix in weights)
    units = [f"$h^{{({i + 1})}}$" for i in range(UNITS)]
    names = {
        "W_xh": (units, list(ALPHABET)),
        "W_hh": (units, units),
        "W_hy": (list(ALPHABET), units),
    }
    for when, weights in (("before", before), ("after", after)):
        for i, (name, (rows, columns)) in enumerate(names.items()):
            axes, matrix = grid[f"{when}{i}"], weights[i]
            axes.imshow(matrix, cmap="RdBu", vmin=-limit, vmax=limit)
            for (row, column), value in np.ndenumerate(matrix):
                dark = abs(value) > 0.6 * limit
                axes.text(
                    column,
                    row,
                    f"{value:.2f}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color="white" if dark else "black",
                )
            axes.set_xticks(range(len(columns)), columns)
            axes.set_yticks(range(len(rows)), rows)
            axes.set(title=f"${name[0]}_{{{name[2:]}}}$ {when}")
    grid["loss"].plot(np.arange(1, len(losses) + 1), losses, color="tab:blue")
    grid["loss"].set(title="Loss", xlabel="update", ylabel="nats per letter", ylim=(0, None))
    grid["loss"].grid(alpha=0.3)
    return picture
