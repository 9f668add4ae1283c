"""`zoo predict`: answers to inputs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from zoo.cli.arguments import add_inputs, check_json
from zoo.cli.decoding import given_options, open_preset
from zoo.cli.output import print_answers, table
from zoo.common.core.verbs import register_verb


def predict(
    name: str,
    inputs: Sequence[str],
    *,
    backend: str = "keras",
    options: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Return an answer, or an error, for each input, as they are made.

    Args:
        name: of a preset, or the folder of a run.
        inputs: such as the paths of recordings.
        backend: the runtime; one of `zoo.common.runtime.BACKENDS`.
        options: of the preset's decoder: text or a value by name, such as `{"beam_width": 8}`.

    Raises:
        ZooError: no such preset, runtime or option.

    Example:
        >>> next(predict("speech/bilstm-ctc-an4", ["hello.wav"]))["output"]
        'HELLO'
    """
    recipe, graphs = open_preset(name, backend, options or {})
    return recipe.task.predict(graphs, recipe, inputs)


def prediction_text(prediction: dict[str, Any], named: bool) -> str:
    """Return an answer for a person to read: the output, then its lists, such as of alternatives.

    Args:
        named: whether the input stands before it.
    """
    if "error" in prediction:
        return f"{prediction['input']}: error: {prediction['error']}"
    first = f"{prediction['input']}: {prediction['output']}" if named else prediction["output"]
    return "\n".join([first, *map(table, filter(_is_table, prediction.values()))])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


@register_verb(
    "predict",
    "answer inputs with a preset or run",
    "zoo predict speech/bilstm-ctc-an4 hello.wav goodbye.flac --beam-width 8",
    add_inputs,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    check_json(options)
    answers = predict(
        options.preset, options.input, backend=options.backend, options=given_options(options)
    )
    named = len(options.input) > 1
    return print_answers(
        options, "predictions", answers, lambda answer: prediction_text(answer, named)
    )
