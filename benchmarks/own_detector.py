"""Train detectors from annotations of long recordings, from scratch and from a preset.

    python benchmarks/own_detector.py --data corpora

Sets of recordings are made: cuts of whale calls in noise (`watkins_whales`: three species), and spoken
digits in noise (`fsdd`: 5 to 9), which a detector with scores of frames learns (digits), or one that
classifies sounds between pauses (sounds). Held-out recordings have other cuts of the same tapes, cuts
of other tapes, and other takes of digits. Each set has a table of its events. For each number of
examples per class, a detector is trained from the table of the training recordings, its threshold is
chosen on dev recordings, and it is run on the held-out recordings. The digit detectors start from one
that was trained on the digits 0 to 4 here; the whale detectors from speech/crnn-right-whale. Cuts of
small sets are planted more than once, in other noise and at another level.
"""

import argparse
import csv
import json
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import _timing
import numpy as np
import soundfile

# Examples per class, each with the epochs of detectors with frames: fewer examples are seen more often.
EPOCHS = {10: 40, 30: 20, 100: 10}
# Examples per class in dev and in the held-out recordings, and events in a recording.
DEV, HELD_OUT, EVENTS = 10, 20, 15
# Tolerance of begins and ends in seconds.
COLLAR = 0.25
SPECIES = ("Bowhead Whale", "Humpback Whale", "Northern Right Whale")
SETS = ("digits", "sounds", "whales")
STARTS = ("scratch", "init")
OLD_DIGITS, NEW_DIGITS = "01234", "56789"


@dataclass(frozen=True)
class Kind:
    """A kind of recordings.

    Args:
        recipe: the recipe of the detector.
        rate: sample rate of the recordings in Hz.
        gaps: shortest and longest time between two events in seconds.
        ratio: lowest and highest ratio of the powers of an event and the noise in dB.
        settings: settings of the training.
        epochs: number of epochs by the number of examples per class.
    """

    recipe: str
    rate: int
    gaps: tuple[float, float]
    ratio: tuple[float, float]
    settings: dict
    epochs: dict[int, int] = field(default_factory=lambda: EPOCHS)


# Windows of events are drawn, so spectrograms need not be rolled in time.
SETTINGS = {"task.monitor": "f1_macro", "training.batch_size": 16, "data.time_shift": 0}
WHALES = Kind(
    "speech/crnn-right-whale", 2_000, gaps=(0.5, 8.0), ratio=(6.0, 20.0), settings=SETTINGS
)
DIGITS = Kind(
    "speech/crnn-right-whale",
    8_000,
    gaps=(0.4, 5.0),
    ratio=(10.0, 25.0),
    settings={
        **SETTINGS,
        "data.features.sample_rate": 8_000,
        "data.features.window": 0.032,
        "data.features.hop": 0.01,
        "data.features.mel_bins": 48,
        "data.features.low_hz": 60.0,
        "data.features.high_hz": 4_000.0,
    },
)
SOUNDS = replace(
    DIGITS,
    recipe="speech/tdnn-wide-fsdd",
    settings={"task.monitor": "f1_macro"},
    epochs=dict.fromkeys(EPOCHS, 10),
)


def plant(
    folder: Path, kind: Kind, sounds: dict[str, list[Path]], split: str, count: int, seed: int
) -> list[tuple]:
    """Write recordings with `count` events of each class, and return the rows of their table."""
    from zoo.speech.audio.augmentation import random_noise
    from zoo.speech.audio.reading import read_audio

    generator = np.random.default_rng(seed)
    labels = generator.permutation([label for label in sounds for _ in range(count)])
    taken = {label: generator.permutation(len(paths)) for label, paths in sounds.items()}
    used = dict.fromkeys(sounds, 0)
    rows = []
    for number, of_file in enumerate(np.split(labels, range(EVENTS, len(labels), EVENTS))):
        name = f"{split}-{number:03}.flac"
        parts, times, at = [], [], 0
        for label in of_file:
            paths, index = sounds[label], used[label]
            path = paths[taken[label][index % len(paths)]]
            used[label] += 1
            gap = np.zeros(round(generator.uniform(*kind.gaps) * kind.rate), np.float32)
            call = read_audio(path, kind.rate)
            level = 10 ** (generator.uniform(*kind.ratio) / 20)
            parts += [gap, call / call.std() * level]
            begin = at + len(gap)
            at = begin + len(call)
            times.append((begin / kind.rate, at / kind.rate, label))
        parts.append(np.zeros(2 * kind.rate, np.float32))
        signal = np.concatenate(parts)
        noise = random_noise(len(signal), kind.rate, generator)
        mixed = signal + noise / noise.std()
        soundfile.write(folder / name, 0.5 * mixed / np.abs(mixed).max(), kind.rate)
        rows += [(name, f"{begin:.3f}", f"{end:.3f}", label, split) for begin, end, label in times]
    return rows


def write_table(path: Path, rows: list[tuple]) -> Path:
    """Write an annotation."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("file", "begin", "end", "label", "split"), *rows])
    return path


def whale_sounds(data: Path, splits: tuple[str, ...]) -> dict[str, list[Path]]:
    """Return the cuts of up to three seconds of each species, of the tapes of splits."""
    from zoo.speech.detection.corpora.watkins import WATKINS

    clips = [clip for split in splits for clip in WATKINS.read(data / "watkins_whales", split)]
    return {
        species: [c.path for c in clips if c.label == species and 0.3 <= c.seconds <= 3]
        for species in SPECIES
    }


def digit_sounds(data: Path, split: str, digits: str) -> dict[str, list[Path]]:
    """Return the recordings of digits in a split."""
    from zoo.speech.detection.corpora.fsdd import FSDD

    rows = FSDD.read(data / "fsdd", split)
    return {digit: [row.audio for row in rows if row.label == digit] for digit in digits}


def shared(sounds: dict[str, list[Path]]) -> tuple[dict[str, list[Path]], ...]:
    """Return the sounds for training, every fifth one for dev, and every fifth one to hold out."""
    train = {k: [p for i, p in enumerate(paths) if i % 5 > 1] for k, paths in sounds.items()}
    return train, *({k: paths[i::5] for k, paths in sounds.items()} for i in (0, 1))


def measure(
    kind: Kind, train: dict, dev: dict, tests: dict, count: int, init: str | None, work: Path
) -> dict:
    """Return the event-based F1 of one detector in each set of held-out recordings."""
    import zoo
    from zoo.speech.detection.commands import evaluate_detections

    folder = Path(tempfile.mkdtemp(dir=work))
    rows = plant(folder, kind, train, "train", count, seed=1)
    rows += plant(folder, kind, dev, "dev", DEV, seed=2)
    table = write_table(folder / "calls.csv", rows)
    run = folder / "run"
    settings = {**kind.settings, "training.epochs": kind.epochs[count]}
    result = zoo.train(kind.recipe, manifest=table, init=init, out=run, overrides=settings)
    zoo.evaluate(run, manifest=table, choose_threshold=True)
    found: dict = {}
    for name, sounds in tests.items():
        test = folder / name
        test.mkdir()
        rows = plant(test, kind, sounds, "test", HELD_OUT, seed=3)
        events = write_table(test / "calls.csv", rows)
        found[name] = evaluate_detections(run, events, split="test", collar=COLLAR).metrics
    seconds = sum(row["seconds"] for row in result.history)
    return {"run": str(run), "train_seconds": round(seconds, 1), **found}


def main() -> None:
    """Train and measure, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--set", nargs="+", choices=SETS, help="default: all")
    words = "examples per class (default: all)"
    parser.add_argument("--examples", type=int, nargs="+", choices=EPOCHS, help=words)
    parser.add_argument("--start", nargs="+", choices=STARTS, default=STARTS, help="default: both")
    given = parser.parse_args()
    path = _timing.RESULTS / "own_detector.json"
    results = json.loads(path.read_text())["results"] if path.exists() else {}
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        for name in given.set or SETS:
            if name == "whales":
                kind, init = WHALES, WHALES.recipe
                train, dev, held_out = shared(whale_sounds(given.data, ("train",)))
                others = whale_sounds(given.data, ("dev", "test"))
                tests = {"other cuts": held_out, "other tapes": others}
            else:
                kind, init = {"digits": DIGITS, "sounds": SOUNDS}[name], None
                if "init" in given.start:
                    old_train, old_dev, _ = shared(digit_sounds(given.data, "train", OLD_DIGITS))
                    arguments = (kind, old_train, old_dev, {}, 100, None, work)
                    init = _timing.in_own_process(measure, *arguments)["run"]
                train, dev, _ = shared(digit_sounds(given.data, "train", NEW_DIGITS))
                tests = {"other takes": digit_sounds(given.data, "test", NEW_DIGITS)}
            for count in given.examples or EPOCHS:
                for label in given.start:
                    start = init if label == "init" else None
                    arguments = (kind, train, dev, tests, count, start, work)
                    row = _timing.in_own_process(measure, *arguments)
                    row.pop("run")
                    results.setdefault(name, {}).setdefault(str(count), {})[label] = row
                    print(name, count, label, row, flush=True)
                    report = {"machine": _timing.machine(), "results": results}
                    _timing.save("own_detector", report)


if __name__ == "__main__":
    main()
