"""`zoo plot`: an input with what a preset hears or sees in it, as a picture."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_backend, add_preset
from zoo.cli.decoding import accept_options, given_options, open_preset, set_options
from zoo.cli.output import print_answer
from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.runtime import AUTO


def plot(
    name: str,
    source: str,
    out: Path | None = None,
    *,
    backend: str = AUTO,
    options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Draw an input with a preset's answer.

    Args:
        name: of a preset, or the folder of a run.
        source: such as the path of a recording.
        out: the PNG; None for one in this folder, called as the input.
        backend, options: as of `zoo.cli.predict.predict`.

    Returns:
        The preset, the input and the path of the `plot`, JSON-ready.

    Raises:
        ZooError: no such preset, runtime or option, the input cannot be read, there is no picture of
            such inputs, or it cannot be written.
    """
    recipe = set_options(name, store.load_recipe(store.find(name)), options or {})
    path = out or Path(Path(source).stem + ".png")
    if type(recipe.data).plot is Data.plot:
        raise ZooError(f"There is no picture of an input for {recipe.name}.")
    if path.suffix.lower() != ".png":
        raise ZooError(f"A picture's name must end in .png. Received: {str(path)!r}.")
    recipe, graphs = open_preset(name, backend, options or {})
    recipe.data.plot(graphs, recipe, source, path)
    return {"preset": name, "input": source, "plot": str(path)}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    parser.add_argument("input")
    words = "the picture; default: the input's name in this folder"
    parser.add_argument("--out", type=Path, metavar="FILE.png", help=words)
    add_backend(parser)
    accept_options(parser)


@register_verb(
    "plot",
    "draw an input with what a preset hears or sees in it",
    "zoo plot speech/bilstm-ctc-an4 hello.wav --out hello.png",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = plot(
        options.preset,
        options.input,
        options.out,
        backend=options.backend,
        options=given_options(options),
    )
    print_answer(options, answer, lambda: answer["plot"])
