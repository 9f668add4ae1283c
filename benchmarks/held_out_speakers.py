"""Measure digit recognition of unknown speakers: each speaker of FSDD is held out in turn.

    python benchmarks/held_out_speakers.py --data corpora/fsdd --preset speech/tdnn-wide-fsdd

For each speaker, the recipe is trained on the recordings of the other speakers, a tenth of which choose
the epoch, and evaluated on all recordings of that speaker. This takes as long as six trainings.
"""

import argparse
import csv
import statistics
import tempfile
from pathlib import Path

import _timing

PRESETS = ("speech/tdnn-wide-fsdd", "speech/bilstm-fsdd")


def write_manifest(path: Path, folder: Path, speaker: str) -> None:
    """Write a manifest of the corpus in which the recordings of a speaker are the test split."""
    from zoo.speech.detection.corpora.fsdd import FSDD

    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("wav_filename", "transcript", "speaker", "split"))
        for one in FSDD.read(folder, "all"):
            split = "test" if one.speaker == speaker else "train"
            rows.writerow((one.audio.resolve(), one.label, one.speaker, split))


def measure(preset: str, folder: Path, speaker: str, settings: dict) -> dict:
    """Return the metrics of one training on a speaker who is not in the training data."""
    import zoo

    with tempfile.TemporaryDirectory() as work:
        manifest, run = Path(work, "manifest.csv"), Path(work, "run")
        write_manifest(manifest, folder, speaker)
        zoo.train(preset, manifest=manifest, out=run, overrides=settings)
        result = zoo.evaluate(run, manifest=manifest, split="test")
        return {"examples": result.examples, **result.metrics}


def main() -> None:
    """Train and evaluate, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of FSDD")
    parser.add_argument("--preset", action="append", help=f"default: {', '.join(PRESETS)}")
    parser.add_argument("--epochs", type=int, help="default: the epochs of the recipe")
    given = parser.parse_args()
    from zoo.speech.detection.corpora.fsdd import FSDD

    settings = {"training.epochs": given.epochs} if given.epochs else {}
    speakers = sorted({example.speaker for example in FSDD.read(given.data, "all")})
    results = {
        preset: {
            speaker: _timing.in_own_process(measure, preset, given.data, speaker, settings)
            for speaker in speakers
        }
        for preset in given.preset or PRESETS
    }
    rows = [
        [preset, *(f"{row['accuracy']:.4f}" for row in of.values()), f"{_mean(of):.4f}"]
        for preset, of in results.items()
    ]
    print(_timing.table(["accuracy", *speakers, "mean"], rows))
    means = {preset: _mean(of) for preset, of in results.items()}
    report = {"machine": _timing.machine(), "settings": settings, "results": results, "mean": means}
    print(_timing.save("held_out_speakers", report))


def _mean(results: dict) -> float:
    return statistics.mean(row["accuracy"] for row in results.values())


if __name__ == "__main__":
    main()
