"""`zoo gallery` and `zoo evaluate --retrieval`: pages of captioned images, and retrieval."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.arguments import KERAS, add_source
from zoo.cli.decoding import given_options
from zoo.cli.output import print_answer
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.verbs import extend_verb, register_verb

if TYPE_CHECKING:
    from zoo.api.results import EvaluateResult

IMAGES = 24


def gallery(
    names: Sequence[str],
    out: Path,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str = "dev",
    images: int = IMAGES,
) -> dict[str, Any]:
    """Write a page of images with their reference captions and the captions of presets.

    Args:
        names: presets or runs. The first one defines the corpus.
        out: a new folder.
        data: folder of the corpus; None for its folder in ZOO_DATA.
        manifest: a list of examples to use instead of the corpus.
        split: name of the split.
        images: number of images, at equal distances in the split.

    Returns:
        The `page` and the number of `images`, JSON-ready.

    Raises:
        ZooError: there is no such preset, corpus or split, a preset is not a captioner, or the folder
            exists.
    """
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.api.sources import find_source, read_split, say_test_reading
    from zoo.common.core import registry
    from zoo.common.core.capabilities import Gallery
    from zoo.common.utils.files import atomic_folder

    check_range("--images", images, at_least=1, at_most=10_000)
    if out.exists():
        raise ZooError(f"{out} already exists. Choose another folder (--out).")
    recipes = [preset_recipe(name) for name in names]
    for name, recipe in zip(names, recipes, strict=True):
        if not isinstance(recipe.task, Gallery):
            raise ZooError(f"{name} does not support galleries.")
    task = recipes[0].task
    assert isinstance(task, Gallery)
    corpus = registry.entry(recipes[0].name).corpus
    source = find_source(data, manifest, corpus)
    examples = read_split(recipes[0], corpus, source, split)
    say_test_reading(corpus, source, split)
    count = min(images, len(examples))
    chosen = [examples[i * len(examples) // count] for i in range(count)]
    opened = [
        (name, open_predictor(name, recipe, KERAS))
        for name, recipe in zip(names, recipes, strict=True)
    ]
    with atomic_folder(out) as folder:
        page = task.write_gallery(opened, chosen, folder)
    return {"page": str(out / page.name), "images": count}


def retrieve(
    name: str,
    *,
    data: Path | None = None,
    manifest: Path | None = None,
    split: str | None = None,
    runtime: str = KERAS,
    rows: Path | None = None,
) -> EvaluateResult:
    """Rank images and texts by each other, and return the recall. Nothing is decoded.

    Args:
        name: a preset or run.
        data: folder of the corpus; None for its folder in ZOO_DATA.
        manifest: a list of examples to use instead of the corpus.
        split: name of the split; None for the test split, or all of a manifest.
        runtime: the runtime.
        rows: a JSON lines file to write, one line per example.

    Raises:
        ZooError: the preset does not support retrieval, or as `zoo.evaluate`.
    """
    from zoo.api.evaluate import find_or_train, measure_preset
    from zoo.api.options import preset_recipe
    from zoo.common.core.capabilities import Retrieval

    preset = find_or_train(name, data)
    recipe = preset_recipe(preset)
    task = recipe.task
    if not isinstance(task, Retrieval):
        raise ZooError(f"{name} does not support retrieval.")
    return measure_preset(
        preset,
        recipe,
        task.retrieve,
        data=data,
        manifest=manifest,
        split=split,
        runtime=runtime,
        rows=rows,
    )


def _add_gallery(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("presets", nargs="+", metavar="PRESET")
    add_source(parser)
    parser.add_argument("--split", default="dev", help="default: dev")
    words = f"number of images; default: {IMAGES}"
    parser.add_argument("--images", type=int, default=IMAGES, metavar="N", help=words)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")


@register_verb(
    "gallery",
    "write a page of images with the captions of presets",
    "zoo gallery vision_language/show-and-tell-rsicd --data corpora/rsicd --out gallery",
    _add_gallery,
)
def run_gallery(options: argparse.Namespace) -> None:
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


def _add_retrieval(parser: argparse.ArgumentParser) -> None:
    words = "captioners: rank images and captions by each other, and report the recall"
    parser.add_argument("--retrieval", action="store_true", help=words)


@extend_verb("evaluate", _add_retrieval)
def run_retrieval(options: argparse.Namespace) -> int | None:
    """Evaluate retrieval if `--retrieval` is given."""
    if not options.retrieval:
        return None
    from zoo.cli.evaluate import print_evaluation

    given: Mapping[str, Any] = given_options(options)
    if options.plots or given:
        raise ZooError("--retrieval cannot be combined with --plots or options of the decoder.")
    result = retrieve(
        options.preset,
        data=options.data,
        manifest=options.manifest,
        split=options.split,
        runtime=options.backend,
        rows=options.rows,
    )
    print_evaluation(options, result)
    return 0
