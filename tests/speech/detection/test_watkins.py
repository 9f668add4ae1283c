"""Whale species: the corpus, its split by tape, segments of long clips, the classifier."""

import numpy as np
import pytest
import soundfile

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.watkins import WATKINS, split_tapes
from zoo.speech.features.spectrogram import mel_spectrogram

HEADER = "clip_id\tspecies\tsample_rate\tseconds"
# The number of clips of each tape of each species.
TAPES = {
    "Fin Whale": {"60009": 3, "61079": 2, "78014": 1},
    "Minke Whale": {"64103": 2, "64104": 1},
    "Melon Headed Whale": {"91012": 2},
}
RATES = {"Fin Whale": 600, "Minke Whale": 1280, "Melon Headed Whale": 16_000}


@pytest.fixture
def corpus(tmp_path):
    """Return a folder in the layout of the corpus, with noise. The first clip of a fin whale is long."""
    (tmp_path / "clips").mkdir()
    generator, lines = np.random.default_rng(0), [HEADER]
    for species, tapes in TAPES.items():
        for tape, clips in tapes.items():
            for number in range(clips):
                name, rate = f"{tape}00{number + 1}", RATES[species]
                seconds = 9.0 if name == "60009001" else 0.5
                samples = 0.1 * generator.standard_normal(int(seconds * rate))
                soundfile.write(tmp_path / "clips" / f"{name}.flac", samples, rate)
                lines.append(f"{name}\t{species}\t{rate}\t{seconds}")
    (tmp_path / "clips.tsv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_no_tape_is_in_two_splits(corpus):
    splits = {name: WATKINS.read(corpus, name) for name in ("train", "dev", "test")}
    tapes = {name: {clip.group for clip in clips} for name, clips in splits.items()}
    assert tapes["train"] >= {"60009", "64103", "91012"}
    assert tapes["test"] | tapes["dev"] == {"61079", "78014", "64104"}
    assert not tapes["test"] & tapes["dev"]
    assert {clip.label for clip in splits["test"]} == {"Fin Whale", "Minke Whale"}
    assert {clip.label for clip in splits["dev"]} == {"Fin Whale"}
    assert all(clip.split == name for name, clips in splits.items() for clip in clips)
    together = WATKINS.read(corpus, "all")
    assert len(together) == sum(map(len, splits.values())) == 11
    assert together[0].seconds == 9


def test_the_split_of_tapes_is_reproducible():
    """The tapes of two species of the corpus."""
    bowhead = split_tapes({"72021": 5, "78018": 6, "88006": 49})
    assert bowhead == {"72021": "dev", "78018": "test", "88006": "train"}
    counts = {"60009": 5, "61039": 1, "61047": 4, "61048": 3, "61064": 10, "61079": 19, "78014": 8}
    fin = split_tapes(dict(reversed(counts.items())))
    assert {tape for tape in fin if fin[tape] == "test"} == {"60009", "61039", "61048"}
    assert {tape for tape in fin if fin[tape] == "dev"} == {"61047"}
    assert split_tapes({"91012": 59}) == {"91012": "train"}


def test_a_copy_is_left_out(corpus):
    with (corpus / "clips.tsv").open("a") as table:
        table.write("91012001 (1)\tMelon Headed Whale\t16000\t0.5\n")
    assert len(WATKINS.read(corpus, "all")) == 11


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("9101\tA\t1\t1", "line 13: clip_id must begin with the five digits of its tape"),
        ("91012009\tA\t1\t1", "line 13: no file .*91012009"),
        ("91012001\t \t1\t1", "line 13: the species is empty"),
        ("91012001\tA\t1\tlong", "line 13: seconds must be a number. Received: 'long'"),
        ("91012001\tA\t1\t1", "line 13: the id '91012001' is not unique"),
    ],
)
def test_invalid_lines(corpus, row, message):
    with (corpus / "clips.tsv").open("a") as table:
        table.write(row + "\n")
    with pytest.raises(ZooError, match=message):
        WATKINS.read(corpus, "train")


def test_invalid_splits_and_folders(corpus):
    with pytest.raises(ZooError, match="There are: 'train', 'dev', 'test', 'all'"):
        WATKINS.read(corpus, "valid")
    with pytest.raises(ZooError, match="no such folder"):
        WATKINS.read(corpus / "none", "train")


@pytest.fixture
def tiny(corpus):
    recipe = entry("speech/crnn-watkins").recipe()
    recipe = recipe.override(
        {
            "model.channels": "4,4,4",
            "model.hidden_size": 4,
            "training.batch_size": 4,
        }
    )
    return recipe.adapt(WATKINS.read(corpus, "train"))


def test_evaluation(tiny, corpus):
    assert (tiny.model.num_classes, tiny.model.bands) == (3, 64)
    graphs = Graphs("keras", tiny.model.functions(tiny.model.build()))
    evaluation = tiny.task.evaluate(tiny.predictor(graphs), WATKINS.read(corpus, "all"))
    assert list(evaluation.metrics) == ["f1_macro", "accuracy"]
    assert {row["output"] for row in evaluation.rows} <= set(tiny.data.labels.symbols)


def test_segments_of_long_clips_in_training(tiny, corpus):
    """An epoch has 4 s of the clip of 9 s, at random; evaluation uses the whole clip."""
    long, *_ = WATKINS.read(corpus, "train")
    assert len(tiny.data.read_example(long, tiny.model)["spectrogram"]) == 1 + 9 * 16_000 // 192
    plain = tiny.override({"data.time_shift": 0, "data.spec_augment.freq_masks": 0})
    plain = plain.override({"data.spec_augment.time_masks": 0})
    waveform = plain.data.read_waveform(long.path, plain.model)
    for epoch in range(3):
        ((x, _, _),) = plain.data.batches([long], plain.model, None, Epoch(epoch, 4, 0))
        (segment,) = x["spectrogram"]
        begin = int(Epoch(epoch, 4, 0).generator().integers(len(waveform) - 64_000 + 1))
        part = waveform[begin : begin + 64_000]
        np.testing.assert_array_equal(segment, mel_spectrogram(part, plain.data.features, 63.0))


def test_a_changed_file_is_read_again(tiny, corpus):
    clip = WATKINS.read(corpus, "train")[-1]

    def shape():
        ((x, _, _),) = tiny.data.batches([clip], tiny.model, None, Epoch(0, 4, 0))
        return x["spectrogram"].shape

    before = shape()
    soundfile.write(clip.path, np.random.default_rng(1).uniform(-1, 1, 16_000), 16_000)
    assert shape()[1] > before[1]
