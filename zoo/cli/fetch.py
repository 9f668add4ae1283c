"""`zoo fetch` downloads corpora from their publishers."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.cli.output import one_line, print_answer
from zoo.common.core.corpus import DATA_VARIABLE
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.utils.progress import say


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("corpus", nargs="*", help="name of a corpus; zoo list shows the names")
    parser.add_argument("--all", action="store_true", help="all corpora that can be downloaded")
    words = f"folder that will hold a folder of each corpus; default: {DATA_VARIABLE}, else a cache"
    parser.add_argument("--data", type=Path, metavar="DIR", help=words)
    words = "accept the licences, which may restrict the use"
    parser.add_argument("--accept-licence", action="store_true", help=words)


@register_verb(
    "fetch",
    "download corpora, and compare them with those of the presets",
    "zoo fetch an4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    from zoo.api.fetch import downloadable, fetch

    if bool(options.corpus) == options.all:
        raise ZooError("Give the name of a corpus, or --all.")
    names = downloadable() if options.all else options.corpus
    result = fetch(names, data=options.data, accept_licence=options.accept_licence)
    print_answer(options, result.to_dict(), lambda: "\n".join(result.lines()))
    for name, error in result.errors.items():
        say(f"zoo: {name}: {one_line(error)}")
    return int(bool(result.errors))
