"""Compare a traditional recognizer (PocketSphinx: GMM-HMM, dictionary, n-gram) with presets on AN4.

    python benchmarks/traditional_asr.py --data corpora/an4 --lm an4.arpa --decoder an4.json

PocketSphinx uses the acoustic model of its package, which was trained on much more English speech than
AN4, and the given dictionary and language model. Presets run with their default decoder, and with the
same language model. Each contender has a process of its own and answers one recording at a time, read
from the disk. The first answer is not timed. This benchmark requires `pip install pocketsphinx`.
"""

import argparse
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import _timing

from zoo.common.core.corpus import Source

CORPUS_PRESET = "speech/bilstm-ctc-an4"  # its recipe defines the dev split


def utterances(folder: Path, split: str) -> list[tuple[str, str, float]]:
    """Return (path, transcript, seconds) of each recording of a split."""
    from zoo.api.sources import read_split
    from zoo.common.core import registry

    entry = registry.entry(CORPUS_PRESET)
    examples = read_split(entry.recipe(), entry.corpus, Source(folder=folder), split)
    return [(str(example.audio), example.transcript, example.seconds) for example in examples]


def pocketsphinx_answers(lm: Path, dictionary: Path, weight: float) -> Callable:
    """Return a function that yields the texts of PocketSphinx for paths."""
    import pocketsphinx
    import soundfile

    decoder = pocketsphinx.Decoder(
        lm=str(lm), dict=str(dictionary), lw=weight, samprate=16000, loglevel="FATAL"
    )

    def answers(paths: list[str]) -> Iterator[str]:
        for path in paths:
            samples, _ = soundfile.read(path, dtype="int16")
            decoder.start_utt()
            decoder.process_raw(samples.tobytes(), full_utt=True)
            decoder.end_utt()
            yield decoder.hyp().hypstr if decoder.hyp() else ""

    return answers


def preset_answers(name: str, backend: str, options: dict) -> Callable:
    """Return a function that yields the texts of a preset for paths."""
    from zoo.api.options import open_predictor, preset_recipe

    recipe = preset_recipe(name, options)
    predictor = open_predictor(name, recipe, backend)

    def answers(paths: list[str]) -> Iterator[str]:
        for answer in recipe.task.predict(predictor, paths):
            yield answer["output"]

    return answers


def measure(make: Callable, arguments: tuple, rows: list[tuple[str, str, float]]) -> dict:
    """Return the word error rate, real-time factor and peak memory of a contender."""
    import jiwer

    answers = make(*arguments)
    paths, references, seconds = zip(*rows, strict=True)
    next(answers(list(paths[:1])))
    start = time.perf_counter()
    texts = list(answers(list(paths)))
    elapsed = time.perf_counter() - start
    return {
        "wer": jiwer.wer(list(references), texts),
        "real_time_factor": elapsed / sum(seconds),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure all contenders on a split, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of AN4")
    parser.add_argument("--split", default="dev")
    parser.add_argument("--lm", type=Path, required=True, help="an ARPA file, not gzipped")
    parser.add_argument(
        "--decoder", type=Path, help="decoder file of the presets, written by zoo tune-lm"
    )
    parser.add_argument("--lexicon", type=Path, help="lexicon of the presets")
    parser.add_argument(
        "--dictionary",
        type=Path,
        help="dictionary of PocketSphinx; default: etc/an4.dic of the corpus",
    )
    parser.add_argument(
        "--language-weight",
        type=float,
        default=6.5,
        help="weight of the language model in PocketSphinx",
    )
    parser.add_argument("--preset", action="append", help=f"default: {CORPUS_PRESET}")
    parser.add_argument("--backend", default="keras")
    given = parser.parse_args()
    from zoo.common.decoding.decoder_file import read_options

    rows = utterances(given.data, given.split)
    dictionary = given.dictionary or given.data / "etc" / "an4.dic"
    tuned = read_options(given.decoder) if given.decoder else {}
    known = {"lm": given.lm} | ({"lexicon": given.lexicon} if given.lexicon else {})
    contenders = {
        "PocketSphinx": (pocketsphinx_answers, (given.lm, dictionary, given.language_weight))
    }
    for name in given.preset or [CORPUS_PRESET]:
        contenders[name] = (preset_answers, (name, given.backend, {}))
        contenders[f"{name} with the LM"] = (preset_answers, (name, given.backend, tuned | known))
    results = {
        name: _timing.in_own_process(measure, make, arguments, rows)
        for name, (make, arguments) in contenders.items()
    }
    heads = ["", "wer", "real-time factor", "peak memory, MB"]
    print(_timing.table(heads, [[name, *_shown(row)] for name, row in results.items()]))
    report = {
        "machine": _timing.machine(),
        "split": given.split,
        "recordings": len(rows),
        "audio_seconds": sum(seconds for *_, seconds in rows),
        "lm": given.lm.name,
        "language_weight": given.language_weight,
        "backend": given.backend,
        "results": results,
    }
    print(_timing.save(f"traditional_asr_{given.split}", report))


def _shown(row: dict) -> list[str]:
    return [f"{row['wer']:.4f}", f"{row['real_time_factor']:.3f}", f"{row['peak_memory_mb']:.0f}"]


if __name__ == "__main__":
    main()
