"""Tests of the readers of captioned images, their error messages, and the dev split."""

import json
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.vision_language.captioning.captions import (
    CaptionedImage,
    read_manifest,
    split_by_caption,
    words,
)
from zoo.vision_language.captioning.corpora.rsicd import RSICD
from zoo.vision_language.captioning.data import CaptionedImages


def test_words_are_lower_case_without_punctuation():
    assert words("Two  U-shaped trees, it's so !") == ["two", "ushaped", "trees", "its", "so"]
    assert words(" . _ ") == []


def test_words_keep_the_marks_of_their_script():
    assert words("हिन्दी में, पानी।") == ["हिन्दी", "में", "पानी"]
    assert words("தமிழ் நாடு!") == ["தமிழ்", "நாடு"]
    assert words("น้ำ ที่นี่") == ["น้ำ", "ที่นี่"]
    assert words("cafe\u0301\u00a0x\u0323") == ["café", "x\u0323"]
    assert words("می\u200cخواهم") == ["می\u200cخواهم"]


def test_rsicd_reads_splits(rsicd):
    train, test = RSICD.read(rsicd, "train"), RSICD.read(rsicd, "test")
    assert [example.id for example in test] == [f"kind{kind}_2.webp" for kind in range(3)]
    assert train + test != RSICD.read(rsicd, "all")
    assert {*train, *test} == {*RSICD.read(rsicd, "all")}
    assert train[1].captions == (
        "A road crosses green fields .",
        "Many fields are beside a road .",
        "picture 1 of kind 0 .",
    )
    assert train[1].image.is_file()
    with pytest.raises(ZooError, match="There are: 'test', 'train', 'all'"):
        RSICD.read(rsicd, "valid")
    with pytest.raises(ZooError, match="no such folder"):
        RSICD.read(rsicd / "none", "train")
    with pytest.raises(ZooError, match=r"captions\.jsonl is missing"):
        RSICD.read(rsicd / "images", "train")


def test_manifest_joins_lines_of_the_same_image(rsicd, tmp_path):
    image = rsicd / "images" / "kind0_0.webp"
    (tmp_path / "near.webp").write_bytes(image.read_bytes())
    lines = [
        {"image": str(image), "caption": "A road ."},
        {"image": "near.webp", "captions": ["fields", " .", "a road"], "split": "mine"},
        {"image": str(image), "caption": "green fields"},
    ]
    path = tmp_path / "list.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n", encoding="utf-8-sig")
    first, second = read_manifest(path)
    assert first == CaptionedImage(str(image), image, ("A road .", "green fields"))
    assert second == CaptionedImage(
        "near.webp", tmp_path / "near.webp", ("fields", "a road"), "mine"
    )


def test_columns_of_tables_by_name(rsicd):
    path = rsicd / "images" / "list.csv"
    path.write_text(
        'file_name,text,split\nkind0_0.webp,"a road, and trees",\nkind0_1.webp,fields,mine\n'
        "kind0_0.webp,a road,\n"
    )
    first, second = CaptionedImages(image_column="file_name", caption_column="text").read_manifest(
        path
    )
    assert first.captions == ("a road, and trees", "a road")
    assert (second.id, second.captions, second.split) == ("kind0_1.webp", ("fields",), "mine")
    lines = path.with_suffix(".jsonl")
    lines.write_text('{"file_name": "kind0_0.webp", "text": ["a road", "trees"]}\n')
    (found,) = read_manifest(lines, "file_name", "text")
    assert found.captions == ("a road", "trees")
    with pytest.raises(ZooError, match="the header lacks image, caption"):
        read_manifest(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "invalid JSON"),
        ("[1]", "not a JSON object"),
        ('{"caption": "a"}', "no text under the key 'image'"),
        ('{"image": 3, "caption": "a"}', "no text under the key 'image'. Received: '3'"),
        ('{"image": "kind0_0.webp"}', "no text under the key 'caption'"),
        ('{"image": "kind0_0.webp", "captions": []}', "a caption with at least one word"),
        ('{"image": "kind0_0.webp", "captions": [3]}', "'captions' must be a list of texts"),
        ('{"image": "kind0_0.webp", "caption": " . "}', "a caption with at least one word"),
        ('{"image": "none.webp", "caption": "a"}', "does not exist"),
        ('{"image": "' + "x" * 5000 + '", "caption": "a"}', "image"),
        ('{"image": "a\\u0000b", "caption": "a"}', "image"),
        ("[" * 100_000, "invalid JSON"),
    ],
)
def test_invalid_lines_are_reported_by_number(rsicd, line, reason):
    path = rsicd / "images" / "list.jsonl"
    good = '{"image": "kind0_0.webp", "caption": "a road"}'
    path.write_text("\n".join([good, "", line, "{"]))
    with pytest.raises(
        ZooError, match=rf"list\.jsonl, line 3: .*{reason}.*further invalid lines: 1"
    ) as error:
        read_manifest(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 6000


def test_manifest_must_be_text(tmp_path):
    path = tmp_path / "list.jsonl"
    path.write_bytes(b'{"image": "\xff"}')
    with pytest.raises(ZooError, match=r"list\.jsonl, line 1: not UTF-8: byte 11 is 0xff"):
        read_manifest(path)
    path.write_text("\n \n")
    with pytest.raises(ZooError, match="empty"):
        read_manifest(path)


def test_rsicd_file_name_must_not_be_a_path(tmp_path):
    row = {"split": "train", "filename": "../captions.jsonl", "captions": ["a"]}
    (tmp_path / "captions.jsonl").write_text(json.dumps(row))
    with pytest.raises(ZooError, match="line 1: 'filename' must be the name of a file in images/"):
        RSICD.read(tmp_path, "all")


def example(i: int, *captions: str) -> CaptionedImage:
    return CaptionedImage(f"{i:03}", Path(f"{i}.png"), captions)


def test_dev_shares_no_caption_with_train():
    """Chains of images with shared captions, such as 0-1-2, are in one split."""
    examples = [
        example(10 * chain + i, f"chain {chain} link {i}", f"Chain {chain}, link {i + 1} !")
        for chain in range(40)
        for i in range(3)
    ] + [example(900 + i, f"alone {i}", f"by itself {i}") for i in range(480)]
    train, dev = split_by_caption(examples, 0.2, seed=3)
    assert {*train, *dev} == {*examples}
    assert len(dev) == pytest.approx(120, abs=2)

    def captions(part):
        return {tuple(words(caption)) for e in part for caption in e.captions}

    assert not captions(train) & captions(dev)
    assert any(len(e.captions) == 2 for e in dev)
    assert split_by_caption(examples[::-1], 0.2, seed=3) == (train, dev)
    assert split_by_caption(examples, 0.2, seed=4) != (train, dev)


def test_large_groups_go_to_train():
    examples = [example(i, "the same words") for i in range(100)]
    examples += [example(100 + i, f"words {i}") for i in range(400)]
    for seed in range(5):
        train, dev = split_by_caption(examples, 0.2, seed)
        assert len(dev) == 100
        assert {*examples[:100]} < {*train}


def test_dev_prefers_images_with_several_captions():
    examples = [example(i, f"words {i}") for i in range(60)]
    examples += [example(100 + i, f"words {100 + i}", f"others {i}") for i in range(40)]
    _, few = split_by_caption(examples, 0.3, seed=0)
    assert len(few) == 30
    assert {len(e.captions) for e in few} == {2}
    _, many = split_by_caption(examples, 0.5, seed=0)
    assert {*examples[60:]} < {*many}
    assert len(many) == 50


def test_split_errors():
    with pytest.raises(ZooError, match="without a common caption"):
        split_by_caption([example(0, "a"), example(1, "A.")], 0.5, seed=0)
    with pytest.raises(ZooError, match="between 0 and 1"):
        split_by_caption([example(0, "a"), example(1, "b")], 1.0, seed=0)
    parts = split_by_caption([example(0, "a"), example(1, "b")], 0.01, 0)
    assert [len(part) for part in parts] == [1, 1]
