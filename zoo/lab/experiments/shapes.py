"""Show the smallest functional model and a preset of the five shapes of recurrent networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core import registry
from zoo.common.presets import store
from zoo.common.utils.plots import figure
from zoo.lab.drawing import INPUT, OUTPUT, PLAIN, STATE, arrow, box, canvas
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.shape_models import FEATURES, SHAPES, STEPS, Shape

if TYPE_CHECKING:
    import keras
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SEED = 0


@register_experiment("shapes", seconds=10)
def shapes() -> Outcome:
    """Show the smallest model of each shape, from one to one to many to many, and a preset."""
    import keras

    keras.utils.set_random_seed(SEED)
    models = {name: shape.build() for name, shape in SHAPES.items()}
    numbers = {
        name: {
            "title": SHAPES[name].title,
            "example": SHAPES[name].example,
            "input_shape": list(_example(model).shape),
            "output_shape": list(model(_example(model)).shape),
            "parameters": model.count_params(),
            "layers": _layers(model),
            "output_depends_on_input": dependence(model),
            "preset": _preset(SHAPES[name]),
        }
        for name, model in models.items()
    }
    return Outcome(numbers, {"shapes": _draw(numbers)}, _text(numbers))


def dependence(model: keras.Model) -> list[list[bool]]:
    """Return whether each step of the output depends on each step of the input.

    Args:
        model: a model with one input and one output. A vector is a sequence of one step.

    Returns:
        One row per step of the output, with one value per step of the input.
    """
    x = _example(model)
    y = _by_step(model(x))
    rows = np.zeros((len(y), len(_by_step(x))), bool)
    for step in range(rows.shape[1]):
        moved = x.copy()
        _by_step(moved)[step] += 1.0  # a view of `moved`
        rows[:, step] = np.abs(_by_step(model(moved)) - y).max(axis=1) > 0
    return rows.tolist()


def _by_step(batch: Any) -> np.ndarray:
    """Return a batch of one sequence or vector as [steps, features]."""
    array = np.asarray(batch)
    return array.reshape(-1, array.shape[-1])


def _example(model: keras.Model) -> np.ndarray:
    steps = (STEPS,) if len(model.input.shape) == 3 else ()
    return np.random.default_rng(SEED).normal(size=(1, *steps, FEATURES)).astype(np.float32)


def _layers(model: keras.Model) -> list[dict[str, Any]]:
    """Return name, type and output shape of each layer. None is a free axis."""
    return [
        {"name": layer.name, "type": type(layer).__name__, "output": list(layer.output.shape)}
        for layer in model.layers
    ]


def _preset(shape: Shape) -> dict[str, Any] | None:
    """Return the first shipped preset of a shape with its inputs and outputs; None if there is none."""
    import zoo

    recipes = {entry.name for entry in registry.entries()}
    for name in shape.presets:
        if name not in recipes or name not in store.names():
            continue
        model = zoo.load(name).model
        about: dict[str, Any] = {"name": name}
        for part in ("input", "output"):
            tensors = getattr(model, part, None)  # models that are not Keras models have none
            if isinstance(tensors, dict):
                about[f"{part}s"] = {key: list(tensor.shape) for key, tensor in tensors.items()}
        return about
    return None


def _text(numbers: dict[str, Any]) -> str:
    lines = []
    for about in numbers.values():
        chain = " -> ".join(layer["name"] for layer in about["layers"])
        lines.append(f"{about['title']}: {about['example']}")
        lines.append(
            f"  {about['input_shape']} -> {about['output_shape']}, "
            f"{about['parameters']} parameters: {chain}"
        )
        preset = about["preset"]
        lines.append(f"  preset: {preset['name'] if preset else 'none is shipped'}")
    return "\n".join(lines)


# Figure -------------------------------------------------------------------------------------------


def _draw(numbers: dict[str, Any]) -> Figure:
    """Draw one column per shape: unrolled in time, and the layers of its smallest model."""
    widths = [6.4 if len(shape.states) > 3 else 4.2 for shape in SHAPES.values()]
    picture = figure(figsize=(17, 9.6))
    axes = picture.subplots()
    canvas(axes, sum(widths), 13.0)
    middles = np.cumsum(widths) - np.array(widths) / 2
    for (name, shape), middle in zip(SHAPES.items(), middles, strict=True):
        axes.text(middle, 12.7, shape.title, ha="center", va="center", fontsize=13)
        _draw_unrolled(axes, shape, middle)
        _draw_layers(axes, numbers[name], middle)
    return picture


def _draw_unrolled(axes: Axes, shape: Shape, middle: float) -> None:
    size: dict[str, Any] = {"width": 0.6, "height": 0.9}
    for step in shape.states:
        at = middle + 1.2 * (step - (len(shape.states) - 1) / 2)
        box(axes, (at, 10.3), "", color=STATE, **size)
        if step:
            arrow(axes, (at - 0.9, 10.3), (at - 0.3, 10.3))
        if step in shape.inputs:
            box(axes, (at, 8.8), "", color=INPUT, **size)
            arrow(axes, (at, 9.25), (at, 9.85))
        if step in shape.outputs:
            box(axes, (at, 11.8), "", color=OUTPUT, **size)
            arrow(axes, (at, 10.75), (at, 11.35))


def _draw_layers(axes: Axes, about: dict[str, Any], middle: float) -> None:
    layers, preset = about["layers"], about["preset"]
    for i, layer in enumerate(layers):
        height = 7.4 - 1.15 * i
        color = STATE if layer["type"] in ("SimpleRNN", "Dense") else PLAIN
        color = {0: INPUT, len(layers) - 1: OUTPUT}.get(i, color)
        shape = ", ".join("any" if size is None else str(size) for size in layer["output"])
        words = f"{layer['name']}: {layer['type']}\n({shape})"
        box(axes, (middle, height), words, color=color, width=3.6, height=0.8, size=9.5)
        if i:
            arrow(axes, (middle, height + 0.75), (middle, height + 0.4))
    words = f"{about['parameters']} parameters\n{about['example']}\n"
    words += preset["name"] if preset else "no preset is shipped"
    axes.text(middle, 1.0, words, ha="center", va="top", fontsize=9.5, linespacing=1.4)
