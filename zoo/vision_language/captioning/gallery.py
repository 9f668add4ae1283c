"""A static HTML page of images with reference captions and generated captions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from zoo.common.core.errors import ZooError
from zoo.common.core.task import Task
from zoo.common.utils.files import write_text
from zoo.common.utils.progress import progress
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.data import CaptioningPredictor
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.captioning.plots import has_attention, plot_attention

Presets = Sequence[tuple[str, CaptioningPredictor]]

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
    task: Task, presets: Presets, examples: Sequence[CaptionedImage], folder: Path
) -> Path:
    """Write the page and its images. An unreadable image is replaced by its error.

    Args:
        task: the task of all presets.
        presets: the name on the page and the predictor of each captioner. A captioner with attention
            has a link to a plot of it.
        examples: images with reference captions.
        folder: an empty folder.

    Returns:
        The path of the page.

    Raises:
        ZooError: a file cannot be written.
    """
    (folder / IMAGES).mkdir()
    shown = progress(enumerate(examples), "Captions", len(examples), "image")
    articles = [_article(task, presets, example, f"{i:03}", folder) for i, example in shown]
    write_text(folder / PAGE, _HEAD + "\n".join(articles))
    return folder / PAGE


def _article(
    task: Task, presets: Presets, example: CaptionedImage, number: str, folder: Path
) -> str:
    people = "<br>".join(escape(caption) for caption in example.captions)
    rows = [f'<tr class="people"><td>people<td>{people}']
    picture = f"{IMAGES}/{number}.png"
    try:
        Image.fromarray(read_image(example.image)).save(folder / picture)
        image = f'<img src="{picture}" alt="{escape(example.id)}" width="192" height="192">'
        rows += [_row(task, *preset, example, number, folder) for preset in presets]
    except ZooError as error:
        image = f'<p class="error">{escape(str(error))}</p>'
    return f"<article>{image}<table>{''.join(rows)}</table></article>"


def _row(
    task: Task,
    name: str,
    predictor: CaptioningPredictor,
    example: CaptionedImage,
    number: str,
    folder: Path,
) -> str:
    """Return the table row of one captioner for a readable image."""
    source = str(example.image)
    (answer,) = task.predict(predictor, [source])
    caption = escape(answer["output"])
    if has_attention(predictor):
        picture = f"{IMAGES}/{number}-{predictor.name.replace('/', '-')}.png"
        plot_attention(predictor, source, folder / picture)
        caption = f'<a href="{picture}">{caption}</a>'
    return f"<tr><td>{escape(name)}<td>{caption}"
