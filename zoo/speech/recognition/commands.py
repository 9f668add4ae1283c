"""`zoo texts`, `zoo tune-lm` and `zoo predict --stream`: transcripts, language models and streams."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoo.api.display import figures
from zoo.cli.arguments import KERAS, add_backend, add_preset, add_source
from zoo.cli.decoding import accept_options, given_options
from zoo.cli.output import print_answer, print_line, table
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import extend_verb, register_verb
from zoo.speech.recognition.endpoints import DEFAULT_ENDPOINTS, PARTIAL, Endpoints

# The examples that a run is trained on: the train split without dev.
LEARNT = "learnt"
DEFAULT_OUT = Path("decoder.json")
# Number of settings that are printed.
SHOWN = 8


def texts(
    name: str,
    out: Path,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = LEARNT,
) -> dict[str, Any]:
    """Write the transcripts of a split to a text file.

    Args:
        name: a preset, recipe or run.
        out: the text file, one transcript per line.
        data: folder of the corpus; None for its folder in ZOO_DATA.
        manifest: a list of examples to use instead of the corpus.
        split: "learnt" for the examples that a run is trained on, without dev; else a split of the
            corpus, "dev" or "all".

    Returns:
        The file, its number of lines and its number of words, JSON-ready.

    Raises:
        ZooError: there is no such preset or split, or its examples have no transcripts.
    """
    from zoo.api.options import find_recipe
    from zoo.api.sources import find_source, read_split, read_train_and_dev, say_test_reading
    from zoo.common.core import registry
    from zoo.common.utils.files import atomic_file

    recipe = find_recipe(name)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    if split == LEARNT:
        examples = read_train_and_dev(recipe, corpus, source).train
    else:
        examples = read_split(recipe, corpus, source, split)
        say_test_reading(corpus, source, split)
    if not all(hasattr(example, "transcript") for example in examples):
        others = "labels, not transcripts" if hasattr(examples[0], "label") else "no transcripts"
        raise ZooError(f"{name} has no texts: its examples have {others}.")
    lines = [example.transcript for example in examples]
    with atomic_file(out) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    words = sum(len(line.split()) for line in lines)
    return {"file": str(out), "split": split, "lines": len(lines), "words": words}


def tune_lm(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = "dev",
    runtime: str = KERAS,
    options: Mapping[str, Any] | None = None,
    out: Path = DEFAULT_OUT,
) -> dict[str, Any]:
    """Tune the weight of a language model and the bonus of a word, and write them to a decoder file.

    Args:
        name: a preset or run.
        data: folder of the corpus; None for its folder in ZOO_DATA.
        manifest: a list of examples to use instead of the corpus.
        split: split on which error rates are measured. The text of the language model should not
            include it.
        runtime: the runtime.
        options: options of the decoder; `lm` is one of them.
        out: the decoder file, which `predict` and `evaluate` read by `--decoder`.

    Returns:
        The file, the options in it, the metrics with and without the search, and all trials, sorted by
        error rate. JSON-ready.

    Raises:
        ZooError: there is no such preset, split, runtime or option, the preset does not decode with a
            language model, or an example cannot be read.
    """
    from zoo.api.evaluate import EXTRA
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.api.sources import find_source, read_split, say_test_reading, source_name
    from zoo.common.core import registry
    from zoo.common.decoding.decoder_file import write_options
    from zoo.common.utils.packages import check_packages
    from zoo.speech.recognition.tuning import check_tunable, tune

    recipe = preset_recipe(name, options)
    task, decoder = check_tunable(recipe)
    check_packages(task.packages, EXTRA)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    examples = read_split(recipe, corpus, source, split)
    say_test_reading(corpus, source, split)
    tuned = tune(task, open_predictor(name, recipe, runtime), examples)
    names = ("beam_width", "lm_weight", "word_bonus")
    best = {option: getattr(tuned.best, option) for option in names}
    assert decoder.lm is not None
    about = {
        "preset": name,
        "lm": decoder.lm.name,
        "corpus": source_name(source, corpus),
        "split": split,
        "examples": len(examples),
        "greedy": tuned.greedy,
        "metrics": {key: value for key, value in tuned.trials[0].items() if key not in best},
    }
    write_options(out, best, about)
    return {"decoder": str(out), "options": best, **about, "trials": tuned.trials}


def stream_events(
    name: str,
    source: str,
    *,
    runtime: str,
    options: Mapping[str, Any],
    sample_rate: int | None = None,
    endpoints: Endpoints | None = DEFAULT_ENDPOINTS,
) -> Iterator[dict[str, Any]]:
    """Yield the events of a recording; see `zoo.speech.recognition.streaming.Stream`.

    Args:
        name: a preset or run.
        source: path of the recording, "-" for 16-bit PCM on standard input, or "microphone".
        runtime: the runtime.
        options: options of the decoder.
        sample_rate: sample rate of standard input and of the microphone in Hz; None for that of the
            model.
        endpoints: the rules that end an utterance.

    Raises:
        ZooError: the preset does not support streaming, or the recording cannot be read.
    """
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.common.runtime.preset import check_stream

    recipe = preset_recipe(name, options)
    check_stream(name, recipe)
    data: Any = recipe.data
    predictor = open_predictor(name, recipe, runtime)
    yield from data.open_stream(predictor, recipe.task, source, sample_rate, endpoints)


def tuned_text(answer: dict[str, Any]) -> str:
    """Return the answer of `tune_lm` as text."""
    return (
        f"{table(answer['trials'][:SHOWN])}\n\n{answer['preset']} on {answer['corpus']}, "
        f"{answer['split']}: {figures(answer['metrics'])}, without a search "
        f"{figures(answer['greedy'])}.  Written: {answer['decoder']}"
    )


def _add_texts(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    words = "learnt (default): the examples that a run is trained on; or a split, dev or all"
    parser.add_argument("--split", default=LEARNT, help=words)
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="a text file")


@register_verb(
    "texts",
    "write the transcripts of a split, one per line",
    "zoo texts speech/bilstm-ctc-an4 --data corpora/an4 --out an4.txt",
    _add_texts,
)
def run_texts(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = texts(
        options.preset,
        options.out,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
    )
    line = f"{answer['file']}: {answer['lines']} lines, {answer['words']} words"
    print_answer(options, answer, lambda: line)


def _add_tune_lm(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    words = "split on which error rates are measured; default: dev"
    parser.add_argument("--split", default="dev", help=words)
    words = f"the decoder file; default: {DEFAULT_OUT}"
    parser.add_argument("--out", type=Path, metavar="FILE", default=DEFAULT_OUT, help=words)
    add_backend(parser, KERAS)
    accept_options(parser)


@register_verb(
    "tune-lm",
    "tune the weight of a language model on dev",
    "zoo tune-lm speech/bilstm-ctc-an4 --data corpora/an4 --lm an4.arpa --beam-width 100",
    _add_tune_lm,
)
def run_tune_lm(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = tune_lm(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        runtime=options.backend,
        options=given_options(options),
        out=options.out,
    )
    print_answer(options, answer, lambda: tuned_text(answer))


def _add_stream(parser: argparse.ArgumentParser) -> None:
    words = (
        "print events while the input is read: a file, - for 16-bit PCM on standard input, or "
        "microphone. With --jsonl, one JSON object per event"
    )
    parser.add_argument("--stream", action="store_true", help=words)
    words = "with --stream: sample rate of - and microphone in Hz; default: that of the model"
    parser.add_argument("--sample-rate", type=int, metavar="HZ", help=words)
    for name, words in (
        ("silence", "silence that ends an utterance"),
        ("silence-without-text", "silence after which input without text is discarded"),
        ("longest", "duration after which a shorter silence ends an utterance"),
    ):
        default = getattr(DEFAULT_ENDPOINTS, name.replace("-", "_"))
        words = f"with --stream: {words}; default: {default:g}"
        parser.add_argument(f"--{name}", type=float, metavar="SECONDS", default=default, help=words)


@extend_verb("predict", _add_stream)
def run_stream(options: argparse.Namespace) -> int | None:
    """Print the events of a recording if `--stream` is given."""
    if not options.stream:
        return None
    from zoo.api.export import fill_cache
    from zoo.api.options import preset_recipe
    from zoo.common.runtime.preset import check_stream

    if len(options.input) > 1 or options.format or options.out or options.plot or options.json:
        raise ZooError(
            "--stream takes one input, and cannot be combined with --json, --format, --out or --plot."
        )
    check_stream(options.preset, preset_recipe(options.preset))
    if options.cache:
        fill_cache(options.preset, options.backend)
    events = stream_events(
        options.preset,
        options.input[0],
        runtime=options.backend,
        options=given_options(options),
        sample_rate=options.sample_rate,
        endpoints=Endpoints(options.silence, options.silence_without_text, options.longest),
    )
    for event in events:
        print_line(json.dumps(event, ensure_ascii=False) if options.jsonl else event_text(event))
    return 0


def event_text(event: dict[str, Any]) -> str:
    """Return an event of a stream as text."""
    if event["event"] == PARTIAL:
        return f"{event['seconds']:6.2f} s  {event['output']}"
    return f"{event['begin']:.2f}-{event['end']:.2f} s: {event['output']}"
