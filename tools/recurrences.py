"""Write docs/recurrences.md from the results of benchmarks, experiments and presets.

    python tools/recurrences.py

A section without results says so. The results are the metrics.json of the presets, and in
benchmarks/results: recurrences.json (`python benchmarks/recurrences.py`), recurrence_references.json
(`python benchmarks/recurrence_references.py`), successors.json (`zoo lab successors`, its numbers.json),
export.json (`python benchmarks/export.py`), and learning_curves/, the metrics.csv of trainings. The page
and its picture, docs/recurrences.png, are written.
"""

import csv
import json
import textwrap
from itertools import accumulate
from pathlib import Path

from zoo.common.core.registry import entry
from zoo.common.layers.cell_states import cell_states
from zoo.common.runtime.preset import load_preset
from zoo.common.utils.plots import figure

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MISSING_SPEED = "Not measured yet: `python benchmarks/recurrences.py`."
CURVES = RESULTS / "learning_curves"
PAGE = ROOT / "docs" / "recurrences.md"
PICTURE = PAGE.with_suffix(".png")
UNITS = 256
LAYERS = (
    ("LSTM", "Hochreiter & Schmidhuber 1997", "no", "input and state"),
    ("QRNN", "Bradbury et al. 2017", "yes", "two inputs"),
    ("MinGRU", "Feng et al. 2024", "yes", "input"),
    ("MinLSTM", "Feng et al. 2024", "yes", "input"),
    ("LRU", "Orvieto et al. 2023", "yes", "none"),
    ("RGLRU", "De et al. 2024 (Griffin)", "yes", "input"),
    ("SLSTM", "Beck et al. 2024 (xLSTM)", "no", "input and state"),
    ("MLSTM", "Beck et al. 2024 (xLSTM)", "by chunks", "input"),
    ("EchoState", "Jaeger 2001", "no", "none; not trained"),
)
LANGUAGE_MODELS = (
    "language/charlstm-shakespeare",
    "language/lstm-block-shakespeare",
    "language/mingru-shakespeare",
    "language/rglru-shakespeare",
    "language/xlstm-shakespeare",
)
WORD_MODELS = ("language/lstm-small-ptb", "language/mingru-small-ptb")
RECOGNIZERS = ("speech/bilstm-ctc-an4", "speech/mingru-ctc-an4")
PHONEMES = ("speech/lstm-ctc-phoneme-an4", "speech/mingru-ctc-phoneme-an4")
DIGITS = ("speech/bilstm-fsdd", "speech/lru-fsdd-raw")
RUNTIMES = {"onnx": "ONNX", "litert": "LiteRT", "tf.function": "Keras"}

TEXT = """# Successors of the LSTM

<!-- Written by `python tools/recurrences.py`. Do not edit. -->

`zoo.layers` has recurrent layers that Keras does not have. They have the interface of Keras's recurrent
layers: `return_sequences`, `return_state`, `go_backwards`, `stateful`, `initial_state`, masks, and
`Bidirectional`. The docstring of each layer has its equations and the section of its paper.

{layers}

The bytes are those of the state of one sequence in float32, with {units} units.

## Computation
The first five successors are diagonal recurrences, h_t = a_t h_{{t-1}} + b_t, in which a_t and b_t do
not depend on the state. They share one kernel. All matrix products are outside of the loop. On
TensorFlow, XLA compiles the loop for windows of 64 steps, with a hand-written gradient; the loop keeps
only its input and h, and computes a_t and b_t again for the gradient. On JAX and PyTorch,
`keras.ops.associative_scan` computes the recurrence. `MLSTM` computes a chunk of steps by matrix
products, and carries its matrix from chunk to chunk. `SLSTM` and `EchoState` need the state for their
gates, and run step by step.

A masked step leaves the state unchanged. Gates and states are in float32 with mixed precision; products
are not.

`RecurrentBlock` is the block that the papers use: layer normalization, a causal convolution over four
steps, the recurrent layer, and a gated feed-forward layer, with two residual connections. The LSTM in
the same block is the comparison of cells.

## Time of a training step at equal width
One layer, forward pass and gradients, in milliseconds on two threads. `products` are the matrix products
of minGRU alone.

{speed}

{machine}

In the first shape, minGRU has an eighth of the arithmetic of the LSTM. At equal parameters a layer is
wider, and has the same arithmetic; the gain is then only that the products are large and outside of the
loop, which matters most for one long sequence. LRU reads its complex state with a product of its own,
which the other diagonal layers do not have.

## Time of a training step at equal weights
One LSTM layer, and residual blocks with at most as many weights, in milliseconds as above; the width of
each is in brackets.

{blocks}

At equal weights, a block around a diagonal layer is not faster than an LSTM layer in batches of 16 and
32, since it has as many products; it is faster for one long sequence.

## Other implementations
The same weights and inputs, forward pass and gradients, in milliseconds (`python
benchmarks/recurrence_references.py`). `difference` is the largest difference of outputs, divided by the
largest output; then that of the gradients of the inputs.

{references}

mingru-pytorch computes its recurrence from logarithms, which costs it digits in long sequences. The
reference for `SLSTM` on a CPU is a loop of PyTorch over time.

## Forecasts of a chaotic laser
One step ahead, on the last 100 values of the training series (dev) and on the 100 values after it
(test):

{forecasts}

The reservoir of the echo state network is random; only its readout is fitted. docs/timeseries.md has the
other models.

## Language models
Nats per character of Shakespeare's plays. The successors have as many weights as the LSTM (within 5 %),
and the same data and optimizer. The LSTM layers were trained in two runs, of 16 and 18 epochs.

{language_models}

{curves}

![Learning curves](recurrences.png)

The curves are the metric on dev; the dashed lines are the models of LSTM layers without the block.
`language/lstm-block-shakespeare` has LSTM layers in the same block. With 12 epochs, it is better than
the successors with 18 (one seed). So the gain over the LSTM layers comes from the block, its
normalization, convolution and feed-forward layer, and not from the cells.

Perplexity of words on the Penn Treebank, at the small size of Zaremba et al. (2014):

{word_models}

## Recognizers
Word error rate on AN4, greedy, with as many weights (within 5 %) and the same convolutions and data:

{recognizers}

Phoneme error rate on AN4 of recognizers with one direction, which answer while a person speaks. The
minimal GRUs were trained for about a quarter of the time of the LSTM layers:

{phonemes}

## Digits from the waveform
Accuracy on FSDD. The first block of `speech/lru-fsdd-raw` reads the samples one by one, about 4,000 in a
recording; `speech/bilstm-fsdd` reads a spectrogram.

{digits}

## Time of an answer
Milliseconds of one call, medians: a character of a language model, and a batch; a recording, and a batch
of four. The language models were measured side by side; the recognizers with bidirectional LSTMs at
another time, under more load, so that small differences do not count.

{answers}

## Longest lags
Each cell is in the same block of one layer, trained by `zoo lab successors`. In the adding problem, two
marked numbers are added; in the copy problem, three symbols at the start are repeated after a pause; in
the selective copy problem, the three symbols are at random steps. All trials have one seed.

{lags}

![Number of updates until each problem is learnt](successors.png)

Gates that read the input separate the layers: `LRU`, whose recurrence is the same at every step, copies
at once over any of these lags, but does not select symbols by their content, nor add two marked numbers
over a lag of 50. `RGLRU` and `SLSTM` learn all lags. `MinGRU`, `MinLSTM` and the LSTM do not learn to
copy over 20 steps in 1000 updates; a likely cause is their initial gates, which forget a half of the
state at each step, and a quarter of that of the LSTM.

## Exports
- ONNX: the product of all inputs is one `MatMul`, and the steps are a `Scan`. ONNX has no operation for
  these cells. A `Scan` costs some microseconds per step, whatever the size of the layer.
- LiteRT and SavedModel: the product of all inputs, and a loop over the steps. The kernel of the zoo is
  not in these files, since it needs XLA.
- `model.keras` has layers of the zoo. `import zoo.layers` before `keras.saving.load_model`.

## When to use which
| case | layer |
| --- | --- |
| a small series, trained in seconds | `EchoState` and least squares |
| text, at equal weights | a `RecurrentBlock` of `LSTM`; of `MinGRU` or `RGLRU` for long sequences |
| one long sequence per step of training, or streaming on a small processor | `MinGRU` |
| batches of 16 and more on a CPU, at equal weights | the time is that of the LSTM |
| memory over a long, fixed lag | `LRU` or `RGLRU` |
| symbols that must be selected by their content | any of them but `LRU` |
| tracking a state that needs the previous state, such as parity | `LSTM` or `SLSTM` |
| a runtime without loops, or a fused operation in ONNX | `LSTM` or `GRU` |

The row on tracking is from the papers; it was not measured here.
"""


def table(heads: list[str], rows: list[list]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def read(path: Path) -> dict | None:
    """Return a JSON file; None if there is none."""
    return json.loads(path.read_text()) if path.exists() else None


def layers() -> str:
    """Return the table of layers."""
    rows = [
        [f"`{name}`", paper, parallel, gates, 4 * sum(cell_states(name, UNITS).values())]
        for name, paper, parallel, gates in LAYERS
    ]
    heads = ["layer", "paper", "parallel over time", "its gates read", "bytes of state"]
    return table(heads, rows)


def speed(report: dict | None) -> tuple[str, str]:
    """Return the table of times of layers, and a note about the machine."""
    if report is None:
        return MISSING_SPEED, ""
    names = list(report["results"][0]["milliseconds"])
    rows = [
        [
            ", ".join(map(str, case["shape"])),
            *(
                f"{case['milliseconds'][n]:.0f}" if n in case["milliseconds"] else "-"
                for n in names
            ),
        ]
        for case in report["results"]
    ]
    machine = report["machine"]
    note = (
        f"Minimum of {report['repeats']} alternating steps on {machine['cores']} cores "
        f"({machine['processor']}); load of the machine before: {machine['load']:.1f}."
    )
    return table(["batch, steps, inputs, units", *names], rows), textwrap.fill(note, 105)


def blocks(report: dict | None) -> str:
    """Return the table of times of blocks with as many weights as an LSTM layer."""
    if report is None:
        return MISSING_SPEED
    names = list(report["blocks"][0]["milliseconds"])
    rows = [
        [
            ", ".join(map(str, case["shape"])),
            *(f"{case['milliseconds'][n]:.0f} ({case['widths'][n]})" for n in names),
        ]
        for case in report["blocks"]
    ]
    return table(["batch, steps, units", *names], rows)


def references(report: dict | None) -> str:
    """Return the table of differences and times of other implementations."""
    if report is None:
        return "Not measured yet: `python benchmarks/recurrence_references.py`."
    rows = []
    for case in report["results"]:
        gradient, times = case["gradient_difference"], case["milliseconds"]
        rows.append(
            [
                f"`{case['layer']}`",
                f"`{case['reference']}`",
                ", ".join(map(str, case["shape"])),
                f"{case['difference']:.0e}",
                "-" if gradient is None else f"{gradient:.0e}",
                *(f"{times[side]:.0f}" for side in ("zoo", "reference")),
            ]
        )
    heads = ["layer", "reference", "batch, steps, units", "difference", "of gradients"]
    return table([*heads, "zoo, ms", "reference, ms"], rows)


def learning_curve(name: str) -> tuple[list[float], list[float]] | None:
    """Return the minutes of training after each epoch and its metric on dev; None if not recorded."""
    path = CURVES / f"{name.rpartition('/')[2]}.csv"
    if not path.exists():
        return None
    with path.open() as file:
        rows = list(csv.DictReader(file))
    metric = list(rows[0])[2]
    minutes = accumulate(float(row["seconds"]) / 60 for row in rows)
    return list(minutes), [float(row[metric]) for row in rows]


def figure_on(name: str, split: str) -> float:
    """Return the figure of a preset on a split."""
    metrics = read(ROOT / "saved_models" / name / "metrics.json")
    return metrics["figures"][split]["metrics"][entry(name).metric]


def curves() -> str:
    """Draw the learning curves of the language models, and return a table of them."""
    picture, rows = figure(figsize=(10, 4)), []
    sides = (
        (LANGUAGE_MODELS[0], LANGUAGE_MODELS[1:]),
        (WORD_MODELS[0], WORD_MODELS[1:]),
    )
    for axes, (lstm, names) in zip(picture.subplots(1, 2), sides, strict=True):
        wanted, metric = figure_on(lstm, "dev"), entry(lstm).metric
        best = wanted
        for name in names:
            curve = learning_curve(name)
            if curve is None:
                continue
            minutes, values = curve
            best = min(best, *values)
            axes.plot(minutes, values, label=name)
            reached = next((m for m, v in zip(*curve, strict=True) if v <= wanted), None)
            rows.append(
                [
                    f"`{name}`",
                    f"{min(values):.4f}",
                    len(values),
                    f"{minutes[-1] / len(minutes):.1f}",
                    "not reached" if reached is None else f"{reached:.0f}",
                ]
            )
        axes.axhline(wanted, color="gray", linestyle="--", label=lstm)
        axes.set(
            xlabel="minutes of training",
            ylabel=f"{metric}, dev",
            ylim=(0.98 * best, 1.3 * wanted),
        )
        axes.legend(fontsize=8)
    picture.savefig(PICTURE, dpi=100)
    heads = ["model", "dev", "epochs", "minutes per epoch", "minutes to the figure of the LSTM"]
    return table(heads, rows)


def forecasts() -> str:
    """Return the table of the shipped forecasters of the laser."""
    rows = []
    for cell in ("ar", "esn", "rnn", "gru", "lstm", "lru"):
        name = f"timeseries/{cell}-laser"
        rows.append([f"`{name}`", *(f"{figure_on(name, split):.4f}" for split in ("dev", "test"))])
    return table(["preset", "nmse, dev", "nmse, test"], rows)


def models(names: tuple[str, ...]) -> str:
    """Return the table of recipes with one metric, and a note about those without a preset."""
    rows, missing = [], []
    for name in names:
        recipe = entry(name).recipe()
        metrics = read(ROOT / "saved_models" / name / "metrics.json")
        if metrics is None:
            missing.append(f"`{name}`")
            continue
        runs = [metrics["training"], *metrics["training"].get("earlier", ())]
        epochs = sum(run["history"]["epochs"] for run in runs)
        minutes = sum(run["history"]["minutes"] for run in runs)
        state = 4 * sum(size(spec.shape) for spec in recipe.model.states)
        rows.append(
            [
                f"`{name}`",
                f"{load_preset(name).model.count_params():,}",
                f"{state:,}" if state else "-",
                *(f"{figure_on(name, split):.4f}" for split in ("dev", "test")),
                epochs,
                f"{minutes:.0f}",
            ]
        )
    heads = ["preset", "weights", "bytes of state", "dev", "test", "epochs", "minutes"]
    note = f"\n\nNot trained yet: {', '.join(missing)}." if missing else ""
    return table(heads, rows) + note


def answers(report: dict) -> str:
    """Return the table of the times of answers of presets."""
    rows = [
        [
            f"`{case['preset']}`",
            "x".join(map(str, next(iter(case["shapes"].values())))),
            *(f"{case['milliseconds'][runtime]:.1f}" for runtime in RUNTIMES),
        ]
        for case in report["results"]
        if case["preset"] in (*LANGUAGE_MODELS, *WORD_MODELS, *RECOGNIZERS, *PHONEMES)
    ]
    return table(["preset", "input", *RUNTIMES.values()], rows)


def size(shape: tuple) -> int:
    """Return the number of elements."""
    count = 1
    for length in shape:
        count *= length
    return count


def lags(numbers: dict | None) -> str:
    """Return the table of the longest lags."""
    if numbers is None:
        return "Not measured yet: `zoo lab successors`."
    cells = list(next(iter(numbers.values()))["longest_lag"])
    rows = [
        [cell, *(part["longest_lag"].get(cell) or "-" for part in numbers.values())]
        for cell in cells
    ]
    return table(
        ["cell", *(f"{name}, of {part['lags'][-1]}" for name, part in numbers.items())], rows
    )


def main() -> None:
    """Write the page."""
    times = read(RESULTS / "recurrences.json")
    speeds, machine = speed(times)
    PAGE.write_text(
        TEXT.format(
            layers=layers(),
            units=UNITS,
            speed=speeds,
            machine=machine,
            blocks=blocks(times),
            forecasts=forecasts(),
            references=references(read(RESULTS / "recurrence_references.json")),
            language_models=models(LANGUAGE_MODELS),
            curves=curves(),
            word_models=models(WORD_MODELS),
            recognizers=models(RECOGNIZERS),
            phonemes=models(PHONEMES),
            digits=models(DIGITS),
            answers=answers(read(RESULTS / "export.json")),
            lags=lags(read(RESULTS / "successors.json")),
        )
    )


if __name__ == "__main__":
    main()
