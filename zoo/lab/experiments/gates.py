"""Draw the gates and cells of the shipped character LSTM over a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.plots import figure
from zoo.lab.experiment import Outcome, register_experiment
from zoo.lab.gate_units import Activity, Unit, choose_units, run_layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.common.runtime.preset import Preset

PRESET = "language/charlstm-shakespeare"
TEXT = (
    "MENENIUS:\nWhy, masters, my good friends, mine honest neighbours,\n"
    "Will you undo yourselves?\n\nFirst Citizen:\nWe cannot, sir, we are undone already."
)
LONGEST, COLUMNS = 400, 56
# Number of characters of the text on which units are chosen and measured.
SAMPLE_LENGTH = 3000
# A gate is saturated below LEFT and above RIGHT (Karpathy, Johnson and Fei-Fei, 2016).
LEFT, RIGHT = 0.1, 0.9


@register_experiment("gates", seconds=9, takes_text=True)
def gates(text: str | None) -> Outcome:
    """Draw cells and gates of the shipped character LSTM over a text (--text).

    Units are chosen by the features of a text that they follow. The choice uses a shipped text, not
    the text of the user.

    Args:
        text: the text; None for a default.
    """
    import zoo
    from zoo.common.data.manifests import read_file
    from zoo.language.modelling.data import SAMPLE

    preset = zoo.load(PRESET)
    text = TEXT if text is None else text
    tokens = _tokens(preset, text)
    sample = read_file(SAMPLE)[:SAMPLE_LENGTH]
    chosen = choose_units(sample, _run(preset.model, _tokens(preset, sample, SAMPLE_LENGTH)))
    activities = _run(preset.model, tokens)
    saturation = [_saturation(activity) for activity in activities]
    numbers = {
        "preset": PRESET,
        "text": text,
        "units": {name: unit._asdict() for name, unit in chosen.items()},
        "saturation": [
            {
                gate: {side: float(np.mean(shares)) for side, shares in sides.items()}
                for gate, sides in layer.items()
            }
            for layer in saturation
        ],
        "cells": {
            name: np.tanh(activities[unit.layer].c[:, unit.unit]).tolist()
            for name, unit in chosen.items()
        },
        "difference_from_preset": _difference(preset, tokens, activities),
    }
    figures = {
        "cells": _draw_cells(text, chosen, activities),
        "gates": _draw_gates(text, chosen, activities),
        "saturation": _draw_saturation(saturation),
    }
    return Outcome(numbers, figures, _text(numbers))


def _tokens(preset: Preset, text: str, longest: int = LONGEST) -> np.ndarray:
    """Return the tokens of a text after a start token.

    Raises:
        ZooError: the text is empty, too long or has characters that are not in the vocabulary.
    """
    data: Any = preset.recipe.data
    vocabulary = data.vocabulary
    if not text.strip():
        raise ZooError("--text must not be empty.")
    if len(text) > longest:
        raise ZooError(f"--text must have at most {longest} characters. Received: {len(text)}.")
    outside = sorted({character for character in text if character not in vocabulary})
    if outside:
        known = "".join(sorted(vocabulary.tokens)).replace("\n", "")
        raise ZooError(
            f"--text must consist of the characters {known} and line ends. "
            f"Received: {''.join(outside)[:40]!r}."
        )
    return data.read_input(text, preset.recipe.model)["tokens"]


def _run(model: Any, tokens: np.ndarray) -> list[Activity]:
    """Return the activations of each layer after each character, without the start token."""
    return [Activity(*(part[1:] for part in activity)) for activity in run_layers(model, tokens)]


def _difference(preset: Preset, tokens: np.ndarray, activities: list[Activity]) -> float:
    """Return the largest difference between the last states and those of the preset's own graph.

    The difference is relative for states above 1, because cells grow beyond 100.
    """
    from zoo.common.core.states import initial_states

    states = initial_states(preset.recipe.model.states, 1)
    outputs = preset.graphs["step"](tokens=tokens[None], **states)
    differences = []
    for i, activity in enumerate(activities):
        for name in "hc":
            computed, own = getattr(activity, name)[-1], outputs[f"next_{name}{i}"][0]
            differences.append((np.abs(computed - own) / np.maximum(1, np.abs(own))).max())
    return float(max(differences))


def _saturation(activity: Activity) -> dict[str, dict[str, np.ndarray]]:
    """Return, for each gate and unit, the share of characters at which it is saturated."""
    return {
        gate: {"left": (values < LEFT).mean(axis=0), "right": (values > RIGHT).mean(axis=0)}
        for gate, values in (("i", activity.i), ("f", activity.f), ("o", activity.o))
    }


def _text(numbers: dict[str, Any]) -> str:
    lines = [
        "units by the feature that their cell follows (correlation on text not used to choose)"
    ]
    for name, unit in numbers["units"].items():
        position = f"layer {unit['layer'] + 1}, unit {unit['unit']}"
        lines.append(f"  {name:26}{position:22}{unit['correlation']:6.2f}")
    lines.append(
        f"share of characters at which a gate is below {LEFT} and above {RIGHT}, mean over units"
    )
    for i, layer in enumerate(numbers["saturation"]):
        row = "   ".join(f"{k} {v['left']:.2f} {v['right']:.2f}" for k, v in layer.items())
        lines.append(f"  layer {i + 1}   {row}")
    difference = numbers["difference_from_preset"]
    lines.append(f"largest difference from the states of the preset's graph: {difference:.1e}")
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw_cells(text: str, chosen: dict[str, Unit], activities: list[Activity]) -> Figure:
    """Draw the text once per unit; the background of a character is the unit's cell after it."""
    import matplotlib

    lines = _wrap(text)
    picture = figure(figsize=(11, len(chosen) * (0.26 * len(lines) + 0.42) + 0.7))
    plots = picture.subplots(len(chosen), 1, squeeze=False)[:, 0]
    colors = matplotlib.colormaps["RdBu"]
    width = max(len(line) for line in lines)
    for axes, (name, unit) in zip(plots, chosen.items(), strict=True):
        cells = np.tanh(activities[unit.layer].c[:, unit.unit])
        title = (
            f"{name}: layer {unit.layer + 1}, unit {unit.unit}, correlation {unit.correlation:.2f}"
        )
        axes.set_title(title, loc="left", fontsize=10)
        axes.set(xlim=(0, max(width, 30)), ylim=(len(lines), 0))
        axes.axis("off")
        for row, line in enumerate(lines):
            for column, position in enumerate(line):
                color = colors(0.5 + 0.5 * cells[position])
                _draw_character(axes, row, column, text[position], color)
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(-1, 1), colors)
    picture.colorbar(
        scale, ax=list(plots), label="tanh(c) after the character", aspect=40, shrink=0.6
    )
    return picture


def _draw_character(axes: Axes, row: int, column: int, character: str, color: tuple) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((column, row), 1, 1, facecolor=color))
    dark = 0.3 * color[0] + 0.59 * color[1] + 0.11 * color[2] < 0.5
    axes.text(
        column + 0.5,
        row + 0.55,
        _shown(character),
        ha="center",
        va="center",
        fontsize=11,
        family="monospace",
        color="white" if dark else "black",
    )


def _draw_gates(text: str, chosen: dict[str, Unit], activities: list[Activity]) -> Figure:
    """Draw the input, forget and output gate and the cell of each unit over the characters."""
    count = min(len(text), 2 * COLUMNS)
    picture = figure(figsize=(4 + 0.125 * count, 9))
    parts = (
        ("input gate i", "i", "viridis", 0.0),
        ("forget gate f", "f", "viridis", 0.0),
        ("output gate o", "o", "viridis", 0.0),
        ("cell, tanh(c)", "c", "RdBu", -1.0),
    )
    plots = picture.subplots(len(parts), 1, sharex=True)
    for axes, (title, part, colors, low) in zip(plots, parts, strict=True):
        rows = [getattr(activities[u.layer], part)[:count, u.unit] for u in chosen.values()]
        values = np.tanh(rows) if part == "c" else np.array(rows)
        image = axes.imshow(values, aspect="auto", cmap=colors, vmin=low, vmax=1.0)
        axes.set_title(title, loc="left", fontsize=10)
        axes.set_yticks(range(len(chosen)), list(chosen), fontsize=9)
        axes.tick_params(axis="x", length=0)
        picture.colorbar(image, ax=axes, pad=0.01)
    style = {"fontsize": 9, "family": "monospace"}
    plots[-1].set_xticks(range(count), [_shown(c) for c in text[:count]], **style)
    plots[-1].set_xlabel(
        "character just read" + (f", the first {count}" if count < len(text) else "")
    )
    return picture


def _draw_saturation(saturation: list[dict[str, dict[str, np.ndarray]]]) -> Figure:
    """Draw one dot per unit: how often its gate is nearly closed and nearly open."""
    picture = figure(figsize=(11, 4.3))
    names = {"i": "input gate", "f": "forget gate", "o": "output gate"}
    plots = picture.subplots(1, len(names), sharex=True, sharey=True)
    for axes, (gate, name) in zip(plots, names.items(), strict=True):
        for i, layer in enumerate(saturation):
            left, right = layer[gate]["left"], layer[gate]["right"]
            color = ("tab:orange", "tab:blue")[i % 2]
            axes.plot(right, left, ".", color=color, alpha=0.45, label=f"layer {i + 1}")
        axes.plot([0, 1], [1, 0], color="gray", linewidth=0.8)
        axes.set(title=name, aspect="equal")
        axes.grid(alpha=0.3)
    plots[0].set(
        ylabel=f"share of characters under {LEFT} (closed)", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03)
    )
    plots[-1].legend(loc="upper right")
    picture.supxlabel(f"share of characters over {RIGHT} (open); a dot is a unit", fontsize=10)
    return picture


def _wrap(text: str) -> list[list[int]]:
    """Return the positions of the characters of each line of at most COLUMNS characters."""
    lines: list[list[int]] = [[]]
    for position, character in enumerate(text):
        lines[-1].append(position)
        if (character == "\n" or len(lines[-1]) == COLUMNS) and position < len(text) - 1:
            lines.append([])
    return lines


def _shown(character: str) -> str:
    return "↵" if character == "\n" else character
