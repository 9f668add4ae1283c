"""Measure digit recognition of unknown speakers: each speaker of FSDD is held out in turn.

    python benchmarks/held_out_speakers.py --data corpora/fsdd --preset speech/tdnn-wide-fsdd

For each speaker, the recipe is trained on the recordings of the other speakers, a tenth of which choose
the epoch, and evaluated on all recordings of that speaker. This takes as long as six trainings. With
`--baseline`, the baseline of the recipe is measured instead, see `zoo baseline`. The results of other
recipes in `results/held_out_speakers.json` are kept.
"""

import argparse
import csv
import json
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


def measure_baseline(preset: str, folder: Path, speaker: str) -> dict:
    """Return the metrics of the baseline, as `measure`."""
    import zoo

    with tempfile.TemporaryDirectory() as work:
        manifest = Path(work, "manifest.csv")
        write_manifest(manifest, folder, speaker)
        result = zoo.baseline(preset, manifest=manifest, split="test")
        return {"examples": result.examples, **result.metrics}


def main() -> None:
    """Train and evaluate, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of FSDD")
    parser.add_argument("--preset", action="append", help=f"default: {', '.join(PRESETS)}")
    parser.add_argument("--baseline", action="store_true", help="measure the baselines")
    words = "a setting of the training, KEY=VALUE"
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help=words)
    given = parser.parse_args()
    from zoo.cli.train import parse_settings
    from zoo.speech.detection.corpora.fsdd import FSDD

    settings = parse_settings(given.set)
    speakers = sorted({example.speaker for example in FSDD.read(given.data, "all")})
    path = _timing.RESULTS / "held_out_speakers.json"
    results = json.loads(path.read_text())["results"] if path.exists() else {}
    for preset in given.preset or PRESETS:
        name = f"baseline of {preset}" if given.baseline else preset
        results[name] = {"settings": settings, "speakers": {}}
        for speaker in speakers:
            row = (
                _timing.in_own_process(measure_baseline, preset, given.data, speaker)
                if given.baseline
                else _timing.in_own_process(measure, preset, given.data, speaker, settings)
            )
            print(f"{name}  {speaker}  {row['accuracy']:.4f}", flush=True)
            results[name]["speakers"][speaker] = row
        results[name]["mean"] = statistics.mean(
            row["accuracy"] for row in results[name]["speakers"].values()
        )
        _timing.save("held_out_speakers", {"machine": _timing.machine(), "results": results})
    rows = [
        [name, *(f"{row['accuracy']:.4f}" for row in of["speakers"].values()), f"{of['mean']:.4f}"]
        for name, of in results.items()
    ]
    print(_timing.table(["accuracy", *speakers, "mean"], rows))


if __name__ == "__main__":
    main()
