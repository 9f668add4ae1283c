"""A page of images, with what people and captioners say of them: static HTML, to be opened from disk."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import write_text
from zoo.common.utils.progress import progress
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.captioning.plots import ATTENTION, plot_attention

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

Captioner = tuple[str, "Recipe", "Graphs"]

PAGE, IMAGES = "index.html", "images"
_HEAD = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Captions</title>
<style>
body { font: 15px sans-serif; margin: 2em auto; max-width: 60em; }
article { display: flex; gap: 1.5em; margin-bottom: 2em; }
table { border-collapse: collapse; } td { padding: 0 1em 0.4em 0; vertical-align: top; }
.people { color: gray; } .error { color: #a00; }
</style>
"""


def write_gallery(
    captioners: Sequence[Captioner], examples: Sequence[CaptionedImage], folder: Path
) -> Path:
    """Write the page, and its images beside it.

    Args:
        captioners: the name on the page, the recipe and the graphs of each. Of one with attention, a
            picture of it is linked.
        examples: the images, with what people say of each.
        folder: is there, and empty.

    Returns:
        The path of the page. An image that cannot be read has an error in its place.

    Raises:
        ZooError: a file cannot be written.
    """
    (folder / IMAGES).mkdir()
    shown = progress(enumerate(examples), "Captions", len(examples), "image")
    articles = [_article(captioners, example, f"{i:03}", folder) for i, example in shown]
    write_text(folder / PAGE, _HEAD + "\n".join(articles))
    return folder / PAGE


def _article(
    captioners: Sequence[Captioner], example: CaptionedImage, number: str, folder: Path
) -> str:
    people = "<br>".join(escape(caption) for caption in example.captions)
    rows = [f'<tr class="people"><td>people<td>{people}']
    picture = f"{IMAGES}/{number}.png"
    try:
        Image.fromarray(read_image(str(example.image))).save(folder / picture)
        image = f'<img src="{picture}" alt="{escape(example.id)}" width="192" height="192">'
        rows += [_row(captioner, example, number, folder) for captioner in captioners]
    except ZooError as error:
        image = f'<p class="error">{escape(str(error))}</p>'
    return f"<article>{image}<table>{''.join(rows)}</table></article>"


def _row(captioner: Captioner, example: CaptionedImage, number: str, folder: Path) -> str:
    """What a captioner says of an image that can be read."""
    name, recipe, graphs = captioner
    source = str(example.image)
    (answer,) = recipe.task.predict(graphs, recipe, [source])
    said = escape(answer["output"])
    if ATTENTION in {spec.name for spec in recipe.model.step_outputs}:
        picture = f"{IMAGES}/{number}-{recipe.name.replace('/', '-')}.png"
        plot_attention(recipe, graphs, source, folder / picture)
        said = f'<a href="{picture}">{said}</a>'
    return f"<tr><td>{escape(name)}<td>{said}"
