"""Fixtures: a corpus of drawn pictures in the layout of RSICD, and a small captioning recipe."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import entry
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.corpora.rsicd import RSICD
from zoo.vision_language.captioning.samples import pictures

RECIPE = "vision_language/show-and-tell-rsicd"
CAPTIONS = (
    ["A road crosses green fields .", "Many fields are beside a road ."],
    ["a river runs through a dark wood ."],
    ["many cars are parked in lines .", "There are many cars, red and white ."],
)


def turned(picture: int, turns: int) -> Image.Image:
    """Return a drawn picture after a number of quarter turns."""
    return Image.fromarray(pictures(96)[picture]).rotate(90 * turns)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Use a temporary cache of features."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def rsicd(tmp_path_factory) -> Path:
    """Nine pictures with captions: three kinds with three turns; the last turn is the test split."""
    folder = tmp_path_factory.mktemp("data") / "rsicd"
    (folder / "images").mkdir(parents=True)
    rows = []
    for kind, captions in enumerate(CAPTIONS):
        for turn in range(3):
            name = f"kind{kind}_{turn}.webp"
            turned(kind, turn).save(folder / "images" / name, lossless=True)
            split = "test" if turn == 2 else "train"
            own = [*captions, f"picture {turn} of kind {kind} ."]
            rows.append({"split": split, "filename": name, "captions": own})
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "captions.jsonl").write_text(text)
    return folder


@pytest.fixture(scope="session")
def examples(rsicd) -> list[CaptionedImage]:
    """All examples of the corpus."""
    return RSICD.read(rsicd, "all")


@pytest.fixture(scope="session")
def tiny(examples) -> Recipe:
    """The recipe with a small decoder and the vocabulary of the drawn corpus."""
    recipe = entry(RECIPE).recipe()
    model = replace(recipe.model, hidden_size=24, embedding_size=16)
    training = replace(recipe.training, batch_size=4)
    data = replace(recipe.data, min_count=1, max_length=8)
    decoder = replace(recipe.decoder, max_length=8)
    recipe = replace(recipe, data=data, model=model, decoder=decoder, training=training)
    return recipe.adapt(examples)
