"""`zoo predict`: answers to inputs."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.cli import stream
from zoo.cli.arguments import add_inputs, check_json
from zoo.cli.decoding import accept_options, given_options, open_preset, set_options
from zoo.cli.export import fill_cache
from zoo.cli.output import error_line, print_answers, shown, table
from zoo.cli.plot import plot
from zoo.cli.writing import (
    JSON,
    TEXT,
    expand,
    file_text,
    find_format,
    print_formatted,
    write,
)
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.runtime import AUTO


def predict(
    name: str,
    inputs: Sequence[str],
    *,
    backend: str = AUTO,
    options: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Return an answer, or an error, for each input, as they are made.

    Args:
        name: of a preset, or the folder of a run.
        inputs: such as the paths of recordings, or of folders of them.
        backend: the runtime; see `zoo.common.runtime.open_graphs`.
        options: of the preset's decoder: text or a value by name, such as `{"beam_width": 8}`.

    Raises:
        ZooError: no such preset, runtime or option.

    Example:
        >>> next(predict("speech/bilstm-ctc-an4", ["hello.wav"]))["output"]
        'HELLO'
    """
    recipe, graphs = open_preset(name, backend, options or {})

    def answers() -> Iterator[dict[str, Any]]:
        for source in inputs:
            try:
                found = recipe.data.find_inputs(source)
            except ZooError as error:
                yield {"input": source, "error": str(error)}
            else:
                yield from recipe.task.predict(graphs, recipe, found)

    return answers()


def prediction_text(prediction: dict[str, Any], named: bool) -> str:
    """Return an answer for a person to read: the output, then its lists, such as of alternatives.

    Args:
        named: whether the input stands before it.
    """
    if "error" in prediction:
        return error_line(prediction)
    first = (
        f"{shown(prediction['input'])}: {prediction['output']}" if named else prediction["output"]
    )
    return "\n".join([first, *map(table, filter(_is_table, prediction.values()))])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plot(options: argparse.Namespace) -> None:
    if len(options.input) > 1:
        raise ZooError(f"--plot goes with one input. Received: {len(options.input)}.")
    given = given_options(options)
    plot(options.preset, options.input[0], options.plot, backend=options.backend, options=given)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    words = "text (default), json, and what fits the preset, such as csv, audacity, raven, srt, vtt"
    parser.add_argument("--format", metavar="NAME", help=words)
    words = "a file, or a folder for a file an input: what is there already is not done again"
    parser.add_argument("--out", metavar="FILE|DIR", help=words)
    words = "draw the one input with its answer, as `zoo plot` does"
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help=words)
    stream.add_argument(parser)
    accept_options(parser)
    parser.set_defaults(gives_example=True)


@register_verb(
    "predict",
    "answer inputs with a preset or run",
    "zoo predict speech/bilstm-ctc-an4 hello.wav goodbye.flac --beam-width 8",
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    check_json(options)
    if options.cache:
        fill_cache(options.preset, options.backend)
    if options.stream:
        return stream.run_stream(options, functools.partial(prediction_text, named=False))
    recipe = set_options(
        options.preset, store.load_recipe(store.find(options.preset)), given_options(options)
    )
    inputs = expand(recipe, options.input)
    text = functools.partial(prediction_text, named=len(inputs) > 1)
    form = find_format(recipe, options, text)
    if options.plot:
        _plot(options)
    answers = functools.partial(
        predict,
        options.preset,
        backend=options.backend,
        options={**given_options(options), **form.options},
    )
    if options.out:
        rows = write(form, options, recipe, inputs, answers)
        return print_answers(options, "files", rows, file_text)
    if options.format in (None, TEXT, JSON):
        options.json |= options.format == JSON
        return print_answers(options, "predictions", answers(options.input), text)
    return print_formatted(form, inputs, answers)
