"""Measure the speed of the speech recognizers on recordings and on streams.

    python benchmarks/recognizers.py

The real-time factor is the time of an answer divided by the duration of its recording, averaged over the
clips in the package. Each preset has a process of its own. A preset that supports streaming receives
blocks of 100 ms: `delay_ms` is the duration of audio that a step needs, `step_ms` the median time of a
block, `slowest_ms` its 99th percentile, and `finish_ms` the time from the end to the answer. The first
answer is not timed.
"""

import argparse
import statistics
import time
from itertools import cycle, islice

import _timing

BLOCK_SECONDS = 0.1
ROUNDS = 5


def measure(name: str, backend: str) -> dict:
    """Return the times of a preset in one runtime."""
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.speech.audio.reading import audio_seconds
    from zoo.speech.data import EXAMPLE_CLIPS
    from zoo.speech.recognition.streaming import StreamingModel

    recipe = preset_recipe(name)
    predictor = open_predictor(name, recipe, backend)
    clips = list(map(str, EXAMPLE_CLIPS))
    list(recipe.task.predict(predictor, clips))
    start = time.perf_counter()
    list(recipe.task.predict(predictor, clips * ROUNDS))
    seconds = ROUNDS * sum(map(audio_seconds, clips))
    figures = {"real_time_factor": (time.perf_counter() - start) / seconds}
    if isinstance(recipe.model, StreamingModel):
        figures |= stream_figures(recipe, predictor, clips)
    return figures


def stream_figures(recipe, predictor, clips: list[str]) -> dict:
    """Return the times of the steps and of the end of streams, in milliseconds."""
    from zoo.speech.audio.reading import read_audio

    rate = recipe.model.features.sample_rate
    size = round(BLOCK_SECONDS * rate)
    steps, ends = [], []
    for turn, clip in enumerate(islice(cycle(clips), (ROUNDS + 1) * len(clips))):
        stream, waveform = recipe.data.open_stream(predictor, recipe.task), read_audio(clip, rate)
        times = [
            _time(stream.accept, waveform[i : i + size]) for i in range(0, len(waveform), size)
        ]
        end = _time(stream.finish)
        if turn >= len(clips):  # the first round is a warm-up
            steps, ends = steps + times, [*ends, end]
    return {
        "delay_ms": 1000 * recipe.model.chunk_samples / rate,
        "step_ms": statistics.median(steps),
        "slowest_ms": statistics.quantiles(steps, n=100)[-1],
        "finish_ms": statistics.median(ends),
    }


def _time(function, *arguments) -> float:
    start = time.perf_counter()
    function(*arguments)
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    """Measure all presets in all runtimes, print a table and save it."""
    from zoo.common.core.registry import entries
    from zoo.common.presets.store import names
    from zoo.common.tasks.ctc import CTC

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", action="append", help="default: keras; others need zoo export")
    given = parser.parse_args()
    presets = [
        entry.name
        for entry in entries()
        if entry.name.startswith("speech/")
        and entry.name in names()
        and isinstance(entry.recipe().task, CTC)
    ]
    backends = given.backend or ["keras"]
    results = {
        name: {backend: _timing.in_own_process(measure, name, backend) for backend in backends}
        for name in presets
    }
    columns = ("real_time_factor", "delay_ms", "step_ms", "slowest_ms", "finish_ms")
    rows = [
        [name, backend, *(_shown(figures.get(column)) for column in columns)]
        for name, of in results.items()
        for backend, figures in of.items()
    ]
    print(_timing.table(["preset", "runtime", *columns], rows))
    report = {"machine": _timing.machine(), "block_seconds": BLOCK_SECONDS, "results": results}
    print(_timing.save("recognizers", report))


def _shown(value: float | None) -> str | None:
    return None if value is None else f"{value:.3g}"


if __name__ == "__main__":
    main()
