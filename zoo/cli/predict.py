"""`zoo predict` answers inputs."""

from __future__ import annotations

import argparse
import functools
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_inputs, check_json
from zoo.cli.decoding import accept_options, given_options
from zoo.cli.output import error_line, one_line, print_answers, print_line, shown, table
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb


def prediction_text(prediction: dict[str, Any], named: bool) -> str:
    """Return an answer as text: the output, then its tables, such as one of alternatives.

    Args:
        prediction: the answer.
        named: whether the text begins with the input.
    """
    if "error" in prediction:
        return error_line(prediction)
    output = prediction["output"]
    first = f"{shown(prediction['input'])}: {output}" if named else output
    return "\n".join([first, *map(table, filter(_is_table, prediction.values()))])


def file_text(row: dict[str, Any]) -> str:
    """Return the file or the error of an input as text."""
    return error_line(row) if "error" in row else f"{shown(row['input'])}: {shown(row['file'])}"


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_inputs(parser)
    words = (
        "text (default), json, or a format of the preset, such as csv, audacity, raven, srt, vtt"
    )
    parser.add_argument("--format", metavar="NAME", help=words)
    words = "output file, or output directory, one file per input; existing files are skipped"
    parser.add_argument("--out", metavar="FILE|DIR", help=words)
    words = "plot the input with its answer, as `zoo plot` does"
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help=words)
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
    from zoo.api.export import fill_cache
    from zoo.api.options import preset_recipe
    from zoo.api.plot import plot
    from zoo.api.predict import iter_predictions
    from zoo.api.writing import JSON, TEXT, Request, expand, find_format, formatted_lines, write
    from zoo.common.utils.progress import say

    check_json(options)
    if options.format and not options.out and (options.json or options.jsonl):
        raise ZooError("--format cannot be combined with --json or --jsonl, except with --out.")
    if options.plot and len(options.input) > 1:
        raise ZooError(f"--plot takes one input. Received: {len(options.input)}.")
    given = given_options(options)
    recipe = preset_recipe(options.preset, given)
    inputs = expand(recipe, options.input)
    text = functools.partial(prediction_text, named=len(inputs) > 1)
    request = Request(options.preset, recipe, options.format or TEXT, given)
    form = find_format(request, text)
    if options.cache:
        fill_cache(options.preset, options.backend)
    if options.plot:
        source = options.input[0]
        plot(options.preset, source, options.plot, runtime=options.backend, options=given)
    answers = functools.partial(
        iter_predictions,
        options.preset,
        runtime=options.backend,
        options={**given, **form.options},
    )
    if options.out:
        rows = write(form, request, inputs, answers, options.out)
        return print_answers(options, "files", rows, file_text)
    if request.format in (TEXT, JSON):
        options.json |= request.format == JSON
        return print_answers(options, "predictions", answers(options.input), text)
    errors: list[str] = []
    for line in formatted_lines(form, inputs, answers, errors):
        print_line(line)
    for error in errors:
        say("zoo: " + one_line(error))
    return int(bool(errors))
