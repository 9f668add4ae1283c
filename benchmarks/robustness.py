"""Measure the presets of recordings on changed recordings of their dev splits.

    python benchmarks/robustness.py --data corpora
    python benchmarks/robustness.py --noise
    python benchmarks/robustness.py --draw

The changes are those of users: another level, silence or noise around the sound, added noise, a room,
a telephone, another sample rate, an offset. Noise is seeded by the number of the clip. The first command
measures and saves `results/robustness.json`; with `--preset` it replaces the figures of these presets
only. The second command measures the detections in generated noise. The third command writes
`docs/robustness.md` and its figure from the results, which include those of `robustness_before.json`,
measured before features and training were changed; and the worst changes of each preset into its
metrics.json, for its card.
"""

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import _timing
import numpy as np

PRESETS = (
    "speech/bilstm-ctc-an4",
    "speech/tdnn-ctc-an4",
    "speech/deepspeech-an4",
    "speech/lstm-ctc-an4-streaming",
    "speech/lstm-ctc-phoneme-an4",
    "speech/deepspeech2-librispeech-mini",
    "speech/bilstm-fsdd",
    "speech/tdnn-fsdd",
    "speech/tdnn-wide-fsdd",
    "speech/crnn-watkins",
)
DETECTORS = ("speech/crnn-watkins", "speech/crnn-right-whale")
NOISES = 100
DOCS = Path(__file__).resolve().parents[1] / "docs"
AS_IS = "as is"
# The number of changes in a card.
WORST = 3
NOISE_LEVEL = 10 ** (-60 / 20)


def changes(waveform: np.ndarray, rate: int, seed: int):
    """Yield the name of each change, the changed recording and its sample rate."""
    import soxr

    from zoo.speech.audio import augmentation as effects

    def silence(seconds: float) -> np.ndarray:
        return np.zeros(round(seconds * rate))

    generator = np.random.default_rng(seed)
    white = effects.coloured_noise(len(waveform), 0.0, generator)
    room = effects.impulse_response(0.5, rate, generator)
    low = NOISE_LEVEL * generator.standard_normal(5 * rate)
    yield AS_IS, waveform, rate
    for level in (-12, -20, -30, -40):
        yield f"{level} dB", waveform * 10 ** (level / 20), rate
    yield "2 s of zeros before", np.concatenate([silence(2), waveform]), rate
    yield "5 s of zeros before", np.concatenate([silence(5), waveform]), rate
    yield "0.5 s of zeros around", np.pad(waveform, rate // 2), rate
    yield "5 s of -60 dB noise before", np.concatenate([low, waveform]), rate
    for ratio in (20, 10):
        yield f"noise at {ratio} dB", effects.add_noise(waveform, white, ratio), rate
    yield "room, 0.5 s", effects.reverberate(waveform, room), rate
    yield "telephone", effects.telephone(waveform, rate), rate
    yield "at 8 kHz", soxr.resample(waveform, rate, 8_000), 8_000
    yield "at 44.1 kHz", soxr.resample(waveform, rate, 44_100), 44_100
    yield "offset of 0.1", waveform + 0.1, rate


def measure(name: str, data: Path, clips: int) -> dict:
    """Return the monitored metric of a preset for each change."""
    import soundfile

    from zoo.api.options import open_predictor, preset_recipe
    from zoo.api.sources import find_source, read_split
    from zoo.common.core import registry

    recipe, corpus = preset_recipe(name), registry.entry(name).corpus
    predictor = open_predictor(name, recipe, "keras")
    source = find_source(data / corpus.name, None, corpus)
    examples = _spread(read_split(recipe, corpus, source, "dev"), clips)
    field = "audio" if hasattr(examples[0], "audio") else "path"
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        changed: dict[str, list] = {}
        for number, example in enumerate(examples):
            waveform, rate = soundfile.read(getattr(example, field), always_2d=True)
            for change, samples, new_rate in changes(waveform.mean(axis=1), rate, number):
                path = Path(folder, f"{number} {change}.wav")
                soundfile.write(path, samples, new_rate, "FLOAT")
                changed.setdefault(change, []).append(replace(example, **{field: path}))
        for change, rows in changed.items():
            metrics = recipe.task.evaluate(predictor, rows).metrics
            figures[change] = metrics[recipe.task.monitor]
            print(f"{name}  {change}  {recipe.task.monitor} {figures[change]:.3f}", flush=True)
    return {"metric": recipe.task.monitor, "examples": len(examples), "figures": figures}


def detections_in_noise(name: str) -> dict[str, float]:
    """Return the share of windows of generated noise with a detection, by kind of noise."""
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.common.core.capabilities import Segment
    from zoo.speech.audio import augmentation as effects

    recipe = preset_recipe(name)
    predictor, data = open_predictor(name, recipe, "keras"), recipe.data
    rate, seconds = data.features.sample_rate, data.window
    kinds = {
        "white": lambda size, generator: effects.coloured_noise(size, 0.0, generator),
        "pink": lambda size, generator: effects.coloured_noise(size, 1.0, generator),
        "brown": lambda size, generator: effects.coloured_noise(size, 2.0, generator),
        "rain": lambda size, generator: effects.rain(size, rate, generator),
        "engine": lambda size, generator: effects.engine(size, rate, generator),
    }
    shares = {}
    for kind, noise in kinds.items():
        segments = []
        for seed in range(NOISES):
            samples = noise(round(seconds * rate), np.random.default_rng((1_000, seed)))
            samples = 0.1 * samples / np.abs(samples).max()
            item = data.read_input((samples.astype(np.float32), rate), recipe.model)
            segments.append(Segment(0.0, seconds, item))
        found = [label for _, label, _ in recipe.task.detect_segments(predictor, segments)]
        shares[kind] = sum(map(bool, found)) / NOISES
    print(name, shares, flush=True)
    return shares


def _spread(examples: list, count: int) -> list:
    """Return at most `count` examples at equal distances."""
    step = max(1, len(examples) // count)
    return examples[::step][:count]


def errors(row: dict) -> dict[str, float]:
    """Return the error of each change: the metric, or 1 minus an accuracy or F1."""
    rate = row["metric"] in ("wer", "per", "cer")
    return {name: value if rate else 1 - value for name, value in row["figures"].items()}


def record_worst(name: str, row: dict) -> None:
    """Add the changes with the highest errors to the metrics.json of a preset."""
    from zoo.common.presets import store
    from zoo.common.presets.measurements import record_robustness

    figures, error = row["figures"], errors(row)
    changed = sorted(set(figures) - {AS_IS}, key=lambda change: -error[change])
    worst = {change: round(figures[change], 4) for change in changed[:WORST]}
    as_is = round(figures[AS_IS], 4)
    record_robustness(store.folder_of(name), row["metric"], row["examples"], as_is, worst)


def page(results: dict, before: dict) -> str:
    """Return the text of docs/robustness.md."""
    names = list(next(iter(results.values()))["figures"])
    lines = [
        "# Robustness\n",
        "The table shows the error of each preset of recordings on changed recordings of its dev",
        "split: WER or PER for recognizers; for classifiers 1 - accuracy or 1 - macro F1. A second line",
        "of a preset, in brackets, is its error before its features and its training were changed.",
        "`python benchmarks/robustness.py --data corpora` measures it; `--draw` writes this page.\n",
        "![Errors by change](robustness.png)\n",
        f"| preset | clips | {' | '.join(names)} |",
        f"| {' | '.join(['---'] * (len(names) + 2))} |",
    ]
    for preset, row in results.items():
        now, old = errors(row), errors(before[preset]) if preset in before else {}
        cells = [f"{now[name]:.3f}" for name in names]
        lines.append(f"| `{preset}` | {row['examples']} | {' | '.join(cells)} |")
        if old and old != now:
            cells = [f"({old[name]:.3f})" for name in names]
            lines.append(f"| | | {' | '.join(cells)} |")
    lines.append(NOTES)
    return "\n".join(lines)


NOTES = """
- Levels are relative to the recording. Noise at 20 dB is white, 20 dB below the power of the recording.
- The room has a decay time (RT60) of 0.5 s. The telephone has 8 kHz and mu-law with 8 bits.
- Silence and low noise before a recording are trimmed by presets that process whole recordings.
- `speech/crnn-right-whale` is not in the table: its corpus has spectrograms, not recordings.
  `speech/tdnn-fsdd` and `speech/deepspeech2-librispeech-mini` were not measured.
- Presets with one line have the same features and training as before. They were measured when the
  limit of digital silence did not depend on the peak of a quiet recording.

Features with `model.features.dynamic_range` (for detectors `data.features.dynamic_range`) do not depend
on the level, the offset and the silence of a recording; see `zoo/speech/features/loudness.py`. Training
can change recordings in the same ways; `data.augmentation` has the settings, which are documented in
`zoo/speech/audio/augmentation.py`:

```sh
zoo train speech/bilstm-ctc-an4 --manifest mine.csv --set data.augmentation.noise=0.5
```
"""


def draw(results: dict, before: dict, path: Path) -> None:
    """Draw the errors of each preset by change, now and before."""
    from matplotlib.figure import Figure

    rows = -(-len(results) // 2)
    figure = Figure(figsize=(11, 3.6 * rows), layout="constrained")
    axes = list(figure.subplots(rows, 2, squeeze=False, sharey=True).flat)
    for axis in axes[len(results) :]:
        axis.set_axis_off()
    for axis, (preset, row) in zip(axes, results.items(), strict=False):
        now = errors(row)
        if preset in before and errors(before[preset]) != now:
            axis.plot(list(errors(before[preset]).values()), "o-", color="0.7", label="before")
        axis.plot(list(now.values()), "o-", color="tab:blue", label="now")
        axis.axhline(now[AS_IS], color="tab:blue", lw=0.5)
        axis.set(title=f"{preset}, {row['metric']}", ylim=(0, 1.05))
        axis.set_xticks(range(len(now)), list(now), rotation=90)
        axis.legend(fontsize="small")
    figure.supylabel("error")
    figure.savefig(path, dpi=80)


def main() -> None:
    """Measure, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with the folders of the corpora")
    parser.add_argument("--preset", action="append", help="default: all presets of recordings")
    parser.add_argument("--clips", type=int, default=40, help="number of clips; default: 40")
    parser.add_argument("--name", default="robustness", help="name of the results")
    parser.add_argument("--draw", action="store_true", help="write the page from the results")
    parser.add_argument("--noise", action="store_true", help="measure detectors on noise alone")
    given = parser.parse_args()
    if given.noise:
        shares = {one: _timing.in_own_process(detections_in_noise, one) for one in DETECTORS}
        print(_timing.save("detections_in_noise", {"results": shares}))
    path = _timing.RESULTS / f"{given.name}.json"
    results = json.loads(path.read_text())["results"] if path.exists() else {}
    if given.data:
        for name in given.preset or PRESETS:
            results[name] = _timing.in_own_process(measure, name, given.data, given.clips)
            ordered = {one: results[one] for one in PRESETS if one in results}
            print(_timing.save(given.name, {"results": ordered}))
    if given.draw:
        path = _timing.RESULTS / "robustness_before.json"
        before = json.loads(path.read_text())["results"]
        for name, row in results.items():
            record_worst(name, row)
        draw(results, before, DOCS / "robustness.png")
        (DOCS / "robustness.md").write_text(page(results, before))


if __name__ == "__main__":
    main()
