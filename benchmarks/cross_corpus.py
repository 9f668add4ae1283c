"""Measure every recognizer of words on every corpus of English speech.

    python benchmarks/cross_corpus.py --data corpora

The splits are dev of AN4 and of the mini LibriSpeech corpus, and 60 strings of five digits of one
speaker of FSDD, which is not in any training. The decoder is that of the recipe. The table has the word
error rate. The results go to `results/cross_corpus.json`.
"""

import argparse
import tempfile
from pathlib import Path

import _timing
import numpy as np

PRESETS = (
    "speech/bilstm-ctc-an4",
    "speech/tdnn-ctc-an4",
    "speech/deepspeech-an4",
    "speech/deepspeech2-librispeech-mini",
)
WORDS = ["ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE"]
STRINGS, DIGITS, PAUSE = 60, 5, 0.1


def digit_strings(folder: Path, work: Path) -> list:
    """Return utterances of digits, each of one speaker of FSDD's test split, with short pauses."""
    import soundfile

    from zoo.speech.detection.corpora.fsdd import FSDD
    from zoo.speech.utterance import utterance

    generator = np.random.default_rng(0)
    by_speaker: dict[str, list] = {}
    for example in FSDD.read(folder, "test"):
        by_speaker.setdefault(example.speaker, []).append(example)
    speakers, strings = sorted(by_speaker), []
    for number in range(STRINGS):
        clips = by_speaker[speakers[number % len(speakers)]]
        chosen = [clips[i] for i in generator.integers(len(clips), size=DIGITS)]
        parts = []
        for one in chosen:
            samples, rate = soundfile.read(one.audio)
            parts += [samples, np.zeros(round(PAUSE * rate))]
        path = work / f"{number}.wav"
        soundfile.write(path, np.concatenate(parts), rate, "FLOAT")
        text = " ".join(WORDS[int(one.label)] for one in chosen)
        strings.append(utterance(path, text, id=path.name))
    return strings


def measure(name: str, data: Path) -> dict:
    """Return the word error rate of a preset on each corpus."""
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.api.sources import find_source, read_split
    from zoo.common.core import registry

    recipe = preset_recipe(name)
    predictor = open_predictor(name, recipe, "keras")
    figures = {}
    with tempfile.TemporaryDirectory() as work:
        sets = {"fsdd strings": digit_strings(data / "fsdd", Path(work))}
        for owner in ("speech/bilstm-ctc-an4", "speech/deepspeech2-librispeech-mini"):
            corpus = registry.entry(owner).corpus
            source = find_source(data / corpus.name, None, corpus)
            sets[corpus.name] = read_split(preset_recipe(owner), corpus, source, "dev")
        for corpus_name, examples in sorted(sets.items()):
            figures[corpus_name] = recipe.task.evaluate(predictor, examples).metrics["wer"]
            print(f"{name}  {corpus_name}  wer {figures[corpus_name]:.3f}", flush=True)
    return figures


def main() -> None:
    """Measure, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    given = parser.parse_args()
    results = {name: _timing.in_own_process(measure, name, given.data) for name in PRESETS}
    names = list(next(iter(results.values())))
    rows = [[preset, *(f"{row[name]:.4f}" for name in names)] for preset, row in results.items()]
    print(_timing.table(["wer", *names], rows))
    print(_timing.save("cross_corpus", {"results": results}))


if __name__ == "__main__":
    main()
