"""The numbers of examples of each class before a training, and warnings."""

from dataclasses import replace
from pathlib import Path

from zoo.api.class_counts import say_class_counts
from zoo.api.sources import TrainingExamples, join, read_train_and_dev
from zoo.common.core.corpus import Source
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.speech.utterance import LabelledRecording


def examples(**counts):
    return [
        LabelledRecording(f"{label}{i}", Path("a.wav"), label=label)
        for label, count in counts.items()
        for i in range(count)
    ]


def recipe(*labels):
    found = entry("speech/tdnn-fsdd").recipe()
    return replace(found, data=replace(found.data, labels=Labels(labels, "class")))


def test_counts_of_splits(capsys):
    rows = TrainingExamples(
        examples(call=30, none=120), examples(call=10, none=40), test=examples(call=5)
    )
    say_class_counts(recipe("call", "none"), rows)
    assert capsys.readouterr().err.splitlines() == [
        "class   train     dev    test",
        "call       30      10       5",
        "none      120      40       0",
    ]


def test_warnings(capsys):
    rows = TrainingExamples(examples(call=9, song=1, none=9), examples(call=2, none=2))
    say_class_counts(recipe("call", "click", "none", "song"), rows)
    warnings = [line for line in capsys.readouterr().err.splitlines() if "Warning" in line]
    assert [line[:50] for line in warnings] == [
        "Warning: no training examples of 'click': no new a",
        "Warning: only one training example of 'song'.",
        "Warning: no dev examples of 'song': the best epoch",
        "Warning: dev has 4 example(s). One of them changes",
    ]
    assert "changes the accuracy by 0.25" in warnings[-1]


def test_many_classes(capsys):
    labels = [f"c{i:03}" for i in range(50)]
    rows = TrainingExamples(
        examples(**dict.fromkeys(labels, 2)), examples(**dict.fromkeys(labels, 1))
    )
    say_class_counts(recipe(*labels), rows)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 42
    assert lines[-1] == "and 10 other classes"


def test_only_classes_are_counted(capsys):
    say_class_counts(entry("speech/bilstm-ctc-an4").recipe(), TrainingExamples([], []))
    assert capsys.readouterr().err == ""


def test_the_test_split_of_a_manifest_is_only_counted(tmp_path):
    clips = sorted((Path(__file__).parents[1] / "data/fsdd/recordings").glob("*"))[:6]
    splits = ("train", "train", "dev", "test", "test", "other")
    rows = [f"{clip},{clip.name[0]},{split}" for clip, split in zip(clips, splits, strict=True)]
    manifest = tmp_path / "clips.csv"
    manifest.write_text("\n".join(["wav_filename,label,split", *rows]) + "\n")
    found = entry("speech/tdnn-fsdd")
    read = read_train_and_dev(found.recipe(), found.corpus, Source(manifest=manifest))
    joined, _ = join([(read, {"train": {}, "dev": {}})] * 2, None, common_dev=True)
    assert (len(joined.train), len(joined.dev), len(joined.test)) == (4, 1, 4)
    assert read.left_out == {"of the split 'other'": 1, "of the split 'test'": 2}
