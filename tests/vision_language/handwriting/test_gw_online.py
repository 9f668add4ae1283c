"""Tests of the reader of GW Online: on a small folder of the same layout, and on the corpus."""

import gzip
import json
import os
from pathlib import Path

import pytest

from tests.vision_language.handwriting.letters import draw_word
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.splits import split_by_group
from zoo.vision_language.handwriting.corpora.gw_online import GW_ONLINE, TEST_PAGES
from zoo.vision_language.handwriting.ink import parse_ink

CORPUS = Path(os.environ.get("ZOO_DATA", "data")) / "gw_online"


def row(page: str, word: str, seed: int) -> dict:
    points = parse_ink({"strokes": draw_word("lot", seed)}).tolist()
    return {"page": page, "file": f"{seed}_{word}.txt", "word": word, "points": points}


def write(folder: Path, rows: list[dict]) -> Path:
    folder.mkdir(exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in rows)
    (folder / "words.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    return folder


@pytest.fixture
def folder(tmp_path):
    rows = [row("2700270", "lot", 0), row(TEST_PAGES[0], "till", 1), row("3000300", "162 321 0", 2)]
    return write(tmp_path / "gw_online", rows)


def test_the_test_split_is_three_pages(folder):
    (train,) = GW_ONLINE.read(folder, "train")
    (test,) = GW_ONLINE.read(folder, "test")
    assert (train.id, train.transcript, train.page, train.split) == (
        "2700270/0_lot", "lot", "2700270", "train",
    )  # fmt: skip
    assert (test.transcript, test.page, test.split) == ("till", "2790279", "test")
    assert train.points.shape[1] == 3
    # The third row has a point instead of a word.
    assert [word.transcript for word in GW_ONLINE.read(folder, "all")] == ["lot", "till"]


def test_invalid_lines_and_splits_are_errors(folder, tmp_path):
    with pytest.raises(ZooError, match=r"'test', 'train', 'all'. Received: 'dev'"):
        GW_ONLINE.read(folder, "dev")
    with pytest.raises(ZooError, match="no such folder"):
        GW_ONLINE.read(tmp_path / "none", "train")
    with pytest.raises(ZooError, match="is missing"):
        GW_ONLINE.read(tmp_path, "train")
    bad = row("2700270", "lot", 1) | {"points": [[0, 0, 1]]}
    write(folder, [row("2700270", "lot", 0), bad])
    with pytest.raises(ZooError, match=r"line 2: 2700270/1_lot.txt: .* at least 2 points"):
        GW_ONLINE.read(folder, "train")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not available")
def test_the_corpus_has_the_published_splits():
    train, test = GW_ONLINE.read(CORPUS, "train"), GW_ONLINE.read(CORPUS, "test")
    assert (len(train), len(test)) == (3693, 696)
    recipe = entry("vision_language/blstm-ctc-gw-online").recipe()
    training = recipe.training
    kept, dev = split_by_group(train, recipe.data.group_of, training.dev_fraction, training.seed)
    assert {word.page for word in dev} == {"3030303"}
    assert len(dev) == 306
    assert {word.page for word in kept} & {"3030303", *TEST_PAGES} == set()
    assert recipe.data.filter_examples(train, recipe.model)[1] == {}
