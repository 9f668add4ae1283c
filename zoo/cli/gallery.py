"""`zoo gallery`: a page of examples with the answers of several presets."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_source
from zoo.cli.decoding import open_preset
from zoo.cli.output import print_answer
from zoo.cli.sources import find_source, read_split
from zoo.common.core import registry
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.verbs import register_verb
from zoo.common.utils.files import atomic_folder


def gallery(
    names: Sequence[str],
    out: Path,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = "dev",
    images: int = 24,
) -> dict[str, Any]:
    """Write a page of images with what people and presets say of them.

    Args:
        names: of presets, or the folders of runs. The first says where the images come from.
        out: a folder that is not there yet.
        data, manifest, split: as of `zoo.cli.evaluate.evaluate`.
        images: how many, at equal distances over the split.

    Returns:
        The `page` and how many `images` it has, JSON-ready.

    Raises:
        ZooError: no such preset, data or split, a preset whose answers have no such
            page, or the folder is there.
    """
    check_range("--images", images, at_least=1, at_most=10_000)
    if out.exists():
        raise ZooError(f"{out} exists already. Name another folder (--out).")
    opened = [(name, *open_preset(name, "keras", {})) for name in names]
    recipe = opened[0][1]
    corpus = registry.entry(recipe.name).corpus
    examples = read_split(recipe, corpus, find_source(data, manifest, corpus), split)
    count = min(images, len(examples))
    chosen = [examples[i * len(examples) // count] for i in range(count)]
    with atomic_folder(out) as folder:
        page = recipe.task.write_gallery(opened, chosen, folder)
    return {"page": str(out / page.name), "images": count}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("presets", nargs="+", metavar="PRESET")
    add_source(parser)
    parser.add_argument("--split", default="dev", help="default: dev")
    parser.add_argument("--images", type=int, default=24, metavar="N", help="default: 24")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")


@register_verb(
    "gallery",
    "write a page of images with the sentences of captioners",
    "zoo gallery vision_language/show-and-tell-rsicd --data corpora/rsicd --out gallery",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    answer = gallery(
        options.presets,
        options.out,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        images=options.images,
    )
    print_answer(options, answer, lambda: answer["page"])
