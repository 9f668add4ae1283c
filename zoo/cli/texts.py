"""`zoo texts`: the texts of a split, a line each, such as for a language model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_preset, add_source
from zoo.cli.decoding import find_recipe
from zoo.cli.output import print_answer
from zoo.cli.sources import find_source, read_split, read_train_and_dev
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.utils.files import atomic_file

# What a run of the recipe learns from: the train split without dev.
LEARNT = "learnt"


def texts(
    name: str,
    out: Path,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = LEARNT,
) -> dict[str, Any]:
    """Write the transcripts of a split.

    Args:
        name: of a preset or recipe, or the folder of a run.
        out: a text file, a transcript a line.
        data, manifest: as of `zoo.cli.evaluate.evaluate`.
        split: "learnt" is what a run of the recipe trains on, without dev; else the corpus's own name,
            "dev" or "all".

    Returns:
        The file, its lines and its words, JSON-ready.

    Raises:
        ZooError: no such preset or split, or its examples have no transcripts.
    """
    recipe = find_recipe(name)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    if split == LEARNT:
        examples = read_train_and_dev(recipe, corpus, source).train
    else:
        examples = read_split(recipe, corpus, source, split)
    if not all(hasattr(example, "transcript") for example in examples):
        raise ZooError(f"{name} has no transcripts: its examples are of another kind.")
    lines = [example.transcript for example in examples]
    with atomic_file(out) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    words = sum(len(line.split()) for line in lines)
    return {"file": str(out), "split": split, "lines": len(lines), "words": words}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_source(parser)
    words = "learnt (default): what a run trains on, without dev; or the corpus's own, dev or all"
    parser.add_argument("--split", default=LEARNT, help=words)
    parser.add_argument("--out", type=Path, metavar="FILE", required=True, help="a text file")


@register_verb(
    "texts",
    "write the texts of a split, a line each",
    "zoo texts speech/bilstm-ctc-an4 --data corpora/an4 --out an4.txt",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
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
