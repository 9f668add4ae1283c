"""Tests of the gallery, a page of images with reference captions and generated captions."""

from dataclasses import replace

import keras
import pytest

from zoo.common.core.model import Graphs
from zoo.vision_language.captioning.models.attend_and_tell import AttendAndTell


@pytest.fixture(scope="module")
def captioner(tiny):
    """A captioner with attention and random weights."""
    keras.utils.set_random_seed(1)
    size = tiny.model.vocabulary_size
    model = AttendAndTell(vocabulary_size=size, hidden_size=8, embedding_size=8, attention_size=4)
    recipe = replace(tiny, model=model, name="vision_language/attend-and-tell-rsicd")
    return recipe, recipe.predictor(Graphs("keras", model.functions(model.build())))


def test_page_has_images_references_and_captions(captioner, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    odd = replace(examples[1], captions=("a <b>road</b> & trees",))
    folder = tmp_path / "gallery"
    folder.mkdir()
    chosen = [examples[0], odd, replace(examples[2], image=text)]
    recipe, predictor = captioner
    page = recipe.task.write_gallery([("runs/<mine>", predictor)], chosen, folder)
    page = page.read_text("utf-8")
    assert page.count("<article>") == 3
    assert "A road crosses green fields ." in page
    assert "a &lt;b&gt;road&lt;/b&gt; &amp; trees" in page
    (answer,) = recipe.task.predict(predictor, [str(examples[0].image)])
    name = "000-vision_language-attend-and-tell-rsicd.png"
    row = f'<td>runs/&lt;mine&gt;<td><a href="images/{name}">{answer["output"]}</a>'
    assert row in page
    assert (folder / "images" / name).exists()
    assert "text.jpg" in page
    assert 'class="error"' in page
    assert not (folder / "images" / "002.png").exists()


def test_only_captioners_have_a_gallery(refused, tmp_path):
    message = refused("gallery", "language/charlstm-hello", "--out", tmp_path / "gallery")
    assert "does not support galleries" in message
