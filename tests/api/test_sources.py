"""Sources of examples: splits of manifests, and the dev split."""

from dataclasses import dataclass

import pytest

from tests.conftest import AN4, RECIPE
from zoo.api.sources import (
    TrainingExamples,
    check_weights,
    find_source,
    join,
    read_split,
    read_train,
    read_train_and_dev,
    say_test_reading,
    source_name,
    split_dev,
)
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry


def read(manifest, function, *arguments):
    found = entry(RECIPE)
    source = find_source(None, manifest, found.corpus)
    return function(found.recipe(), found.corpus, source, *arguments)


def test_find_source(monkeypatch):
    corpus = entry(RECIPE).corpus
    monkeypatch.delenv("ZOO_DATA", raising=False)
    with pytest.raises(ZooError, match="The corpus 'an4' was not found"):
        find_source(None, None, corpus)
    with pytest.raises(ZooError, match="exclude each other"):
        find_source("a", "b", corpus)
    monkeypatch.setenv("ZOO_DATA", str(AN4.parent))
    source = find_source(None, None, corpus)
    assert (source.folder, source_name(source, corpus)) == (AN4, "an4")
    source = find_source(None, "own.csv", corpus)
    assert (source.folder, source_name(source, corpus)) == (None, "own.csv")


def test_a_manifest_with_splits():
    examples = read(AN4 / "utterances.tsv", read_train_and_dev)
    assert (len(examples.train), len(examples.dev)) == (8, 4)  # dev is split off train
    assert examples.left_out == {"of the split 'test'": 10}


@pytest.mark.parametrize("dev_split", ["dev", "valid"])
def test_a_manifest_with_a_dev_split(renamed_splits, dev_split):
    manifest = renamed_splits(
        lambda line: line.replace("test", dev_split) if "fcaw" in line else line
    )
    examples = read(manifest, read_train_and_dev)
    assert len(examples.train) == 12
    assert {example.split for example in examples.dev} == {dev_split}
    assert examples.left_out == {"of the split 'test'": 10 - len(examples.dev)}
    assert read(manifest, read_split, "dev") == examples.dev
    # With another source of dev, that split is left out too.
    assert sum(read(manifest, read_train).left_out.values()) == 10


def test_a_manifest_without_a_train_split(renamed_splits):
    manifest = renamed_splits(lambda line: line.replace("train", "mine"))
    with pytest.raises(ZooError, match="There are: 'mine', 'test', 'all'"):
        read(manifest, read_train_and_dev)


@dataclass(frozen=True)
class Example:
    id: str
    group: str


def test_dev_has_whole_groups(capsys):
    class Groups:
        def group_of(self, example):
            return example.group

    several = [Example(f"{group}{i}", group) for group in "abcd" for i in range(3)]
    train, dev = split_dev(Groups(), several, 0.25, seed=0)
    assert len(dev) == 3
    assert not {e.group for e in train} & {e.group for e in dev}
    assert capsys.readouterr().err == ""
    one = several[:3]
    train, dev = split_dev(Groups(), one, 0.4, seed=0)
    assert (len(train), len(dev)) == (2, 1)
    assert "All examples are in one group" in capsys.readouterr().err


def test_a_reading_of_a_test_split_is_announced(capsys):
    corpus = entry(RECIPE).corpus
    source = find_source(AN4, None, corpus)
    for split, is_announced in (("dev", False), ("train", False), ("test", True), ("all", True)):
        say_test_reading(corpus, source, split)
        assert ("the test split 'test' of an4" in capsys.readouterr().err) == is_announced


def filtered(train, dev, **left_out):
    return TrainingExamples(train, dev), {"train": left_out, "dev": {}}


def test_several_manifests_are_joined_with_weights():
    parts = [filtered(["a", "b"], ["x"], silent=1), filtered(["c"], ["y"], silent=2, short=1)]
    examples, left_out = join(parts, [1, 3], common_dev=False)
    assert examples.train == ["a", "b", "c", "c", "c"]
    assert examples.dev == ["x", "y"]
    assert left_out == {"train": {"silent": 3, "short": 1}, "dev": {}}
    examples, _ = join(parts, None, common_dev=True)
    assert (examples.train, examples.dev) == (["a", "b", "c"], ["x"])


@pytest.mark.parametrize(
    ("manifests", "weights", "overfit", "message"),
    [
        (
            ["a", "b"],
            [1],
            None,
            r"one number of at least 1 for each manifest\. Received: \[1\] for 2",
        ),
        (["a", "b"], [1, 0], None, r"Received: \[1, 0\] for 2 manifest"),
        (["a", "b"], None, 3, r"overfit needs one manifest\. Received: 2"),
        ([], None, None, "at least one path"),
    ],
)
def test_invalid_weights(manifests, weights, overfit, message):
    with pytest.raises(ZooError, match=message):
        check_weights(manifests, weights, overfit)
