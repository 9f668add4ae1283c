"""CTC on a small example: all paths, the recursion and the zoo's loss; spikes during a training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab import ctc_paths, spikes
from zoo.lab.ctc_paths import SYMBOLS
from zoo.lab.drawing import INPUT, OUTPUT, PLAIN, STATE, arrow, box, canvas
from zoo.lab.experiment import Outcome, register_experiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABELLING = "ab"
# p(symbol) at each of four frames. The columns are the blank, a and b. The best path is "aab".
PROBABILITIES = np.array([[0.1, 0.7, 0.2], [0.5, 0.4, 0.1], [0.1, 0.6, 0.3], [0.1, 0.1, 0.8]])
EPOCHS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 20, 24, 32, 40, 48)
SHOWN_EPOCHS = (0, 1, 4, 12, 24, 48)


@register_experiment("ctc", seconds=19)
def ctc() -> Outcome:
    """Sum the paths of a three-symbol example in three ways, and show spikes during a training."""
    from zoo.common.ctc.search import beam_search, greedy_search

    labellings = ctc_paths.by_hand(PROBABILITIES)
    paths = {
        path: probability
        for path, probability in ctc_paths.all_paths(PROBABILITIES).items()
        if ctc_paths.collapse(path) == LABELLING
    }
    paths = dict(sorted(paths.items(), key=lambda item: -item[1]))
    recursion, alpha = ctc_paths.by_recursion(PROBABILITIES, LABELLING)
    sums = {
        "by_hand": sum(paths.values()),
        "by_recursion": recursion,
        "by_loss": ctc_paths.by_loss(PROBABILITIES, LABELLING),
    }
    logits = np.log(PROBABILITIES)
    greedy, beam = greedy_search(logits), beam_search(logits, beam_width=8)[0]
    searches = {
        name: {
            "labelling": "".join(SYMBOLS[label] for label in found.labels),
            "probability": float(np.exp(found.log_probability)),
        }
        for name, found in (("greedy", greedy), ("beam", beam))
    }
    truth, snapshots = spikes.train(EPOCHS)
    numbers = {
        "probabilities": PROBABILITIES.tolist(),
        "labelling": LABELLING,
        "paths": paths,
        "labellings": labellings,
        "alpha": alpha.tolist(),
        "sums": sums,
        "largest_difference": max(sums.values()) - min(sums.values()),
        "searches": searches,
        "training": [
            {
                "epoch": each.epoch,
                "loss": each.loss,
                "label_error_rate": each.label_error_rate,
                "height": each.height,
                "width": each.width,
            }
            for each in snapshots
        ],
    }
    figures = {
        "paths": _draw_paths(paths, labellings, alpha, searches),
        "spikes": _draw_spikes(truth, snapshots),
        "training": _draw_training(snapshots),
    }
    return Outcome(numbers, figures, _text(paths, sums, searches, snapshots))


def _text(
    paths: dict[str, float],
    sums: dict[str, float],
    searches: dict[str, dict],
    snapshots: list[spikes.Snapshot],
) -> str:
    lines = [f"p({LABELLING!r}) over {len(PROBABILITIES)} frames"]
    for name, words in (
        ("by_hand", f"the sum over its {len(paths)} paths"),
        ("by_recursion", "the forward recursion"),
        ("by_loss", "exp(-loss) by the zoo, float32"),
    ):
        lines.append(f"  {words:32}{sums[name]:.9f}")
    for name, words in (("greedy", "best path"), ("beam", "best labelling, by prefix beam search")):
        found = searches[name]
        lines.append(f"{words}: {found['labelling']!r}, probability {found['probability']:.4f}")
    lines.append("training: spikes on sequences it was not trained on")
    lines.append("  epoch   loss  label errors  height  width, frames")
    lines += [
        f"  {s.epoch:5} {s.loss:6.2f} {s.label_error_rate:13.3f} {s.height:7.2f} {s.width:14.2f}"
        for s in snapshots
    ]
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw_paths(
    paths: dict[str, float],
    labellings: dict[str, float],
    alpha: np.ndarray,
    searches: dict[str, dict],
) -> Figure:
    """Draw the lattice of the recursion, the paths of the labelling, and the labellings."""
    picture = figure(figsize=(13.5, 9))
    grid = picture.subplot_mosaic(
        [["lattice", "paths"], ["lattice", "labellings"]], width_ratios=(3, 2)
    )
    _draw_lattice(grid["lattice"], alpha)
    total = sum(paths.values())
    _draw_bars(grid["paths"], paths, f"The {len(paths)} paths of {LABELLING!r}: sum {total:.4f}")
    shown = dict(list(labellings.items())[:10])
    best_path = searches["greedy"]["labelling"]
    _draw_bars(
        grid["labellings"],
        shown,
        f"The 10 likeliest of {len(labellings)} labellings (the best path says {best_path!r})",
    )
    return picture


def _draw_bars(axes: Axes, values: dict[str, float], title: str) -> None:
    names = [name or "(nothing)" for name in values]
    axes.barh(range(len(values)), list(values.values()), color="tab:blue")
    for i, value in enumerate(values.values()):
        axes.text(value, i, f" {value:.4f}", va="center", fontsize=8)
    axes.set_yticks(range(len(values)), names, family="monospace")
    axes.invert_yaxis()
    axes.set(title=title, xlabel="probability", xlim=(0, max(values.values()) * 1.18))


def _draw_lattice(axes: Axes, alpha: np.ndarray) -> None:
    """Draw the states of the recursion by frame with their alpha, and the transitions of paths."""
    states, frames = ctc_paths.extend(LABELLING), len(alpha)
    canvas(axes, 1.9 * frames + 1.5, 1.35 * len(states) + 3.3)
    axes.set_title("The recursion: alpha(t, s) sums all beginnings of paths in state s at frame t")

    def place(t: int, s: int) -> tuple[float, float]:
        return 1.9 * t + 1.9, 1.35 * (len(states) - s) + 1.7

    for t in range(frames):
        for s, symbol in enumerate(states):
            x, y = place(t, s)
            color = PLAIN if symbol == SYMBOLS[0] else STATE
            last = t == frames - 1 and s >= len(states) - 2
            label = f"{alpha[t, s]:.4f}"
            edge = "tab:red" if last else "#444444"
            box(axes, (x, y), label, color=OUTPUT if last else color, width=1.0, edge=edge)
            if t == 0 or not alpha[t, s]:
                continue
            sources = [s, s - 1] + [s - 2] * ctc_paths.may_skip(states, s)
            for source in sources:
                if source >= 0 and alpha[t - 1, source]:
                    start = place(t - 1, source)
                    arrow(axes, (start[0] + 0.5, start[1]), (x - 0.5, y), width=0.9)
        x, _ = place(t, 0)
        axes.text(x, 9.15 + 0.6, f"frame {t + 1}", ha="center", va="center")
        for i, symbol in enumerate(SYMBOLS):
            words = f"y({symbol}) = {PROBABILITIES[t, i]:.1f}"
            box(axes, (x, 1.6 - 0.5 * i), words, color=INPUT, width=1.35, height=0.42)
    for s, symbol in enumerate(states):
        style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 14}
        style["family"] = "monospace"
        axes.text(0.7, place(0, s)[1], symbol, **style)
    total = alpha[-1, -2:].sum()
    x, y = place(frames - 1, len(states) - 1)
    axes.text(x, y - 0.62, f"p = {total:.4f}", ha="center", color="tab:red", weight="bold")


def _draw_spikes(truth: spikes.Sequences, snapshots: list[spikes.Snapshot]) -> Figure:
    """Draw the posteriors of one sequence over its frames, after increasing numbers of epochs."""
    shown = [each for each in snapshots if each.epoch in SHOWN_EPOCHS]
    # A sequence with different labels, so that each label has its own color.
    row = next(i for i, labels in enumerate(truth.labels) if len(set(labels)) == spikes.LABELS)
    colors = ["gray", "tab:blue", "tab:orange", "tab:green"]
    names = ["blank", *spikes.letters(range(1, spikes.SYMBOLS))]
    picture = figure(figsize=(10, 1.75 * len(shown) + 0.8))
    plots = picture.subplots(len(shown), 1, sharex=True, sharey=True)
    frames = np.arange(1, spikes.FRAMES + 1)
    for axes, each in zip(plots, shown, strict=True):
        for label, (start, end) in zip(truth.labels[row], truth.spans[row], strict=True):
            axes.axvspan(start + 0.5, end + 0.5, color=colors[label], alpha=0.15, linewidth=0)
        for symbol, (name, color) in enumerate(zip(names, colors, strict=True)):
            style = ":" if symbol == 0 else "-"
            axes.plot(frames, each.posteriors[row, :, symbol], style, color=color, label=name)
        axes.set(ylim=(0, 1.05), xlim=(1, spikes.FRAMES), ylabel="posterior")
        axes.set_title(f"epoch {each.epoch}" if each.epoch else "before training", size=10)
    plots[-1].set_xlabel("frame (shaded: where the label really is, in its colour)")
    handles, labels = plots[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside upper right", ncols=len(names))
    return picture


def _draw_training(snapshots: list[spikes.Snapshot]) -> Figure:
    """Draw loss, label error rate, height and width of the spikes over the epochs."""
    picture = figure(figsize=(10, 6))
    epochs = [each.epoch for each in snapshots]
    panels = (
        ("loss", "loss, nats per sequence", (0, 10)),
        ("label_error_rate", "label error rate", (0, 1.1)),
        ("height", "height of spikes, posterior", (0, 1.05)),
        ("width", "width of spikes, frames", (0, None)),
    )
    for axes, (name, words, limits) in zip(picture.subplots(2, 2).flat, panels, strict=True):
        axes.plot(epochs, [getattr(each, name) for each in snapshots], "o-", color="tab:blue")
        axes.set(xlabel="epoch", ylabel=words, ylim=limits)
        axes.grid(alpha=0.3)
    return picture
