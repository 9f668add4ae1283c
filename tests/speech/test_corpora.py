"""Corpora and manifests of recordings, and their splits."""

import csv
import json
import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from zoo.api.sources import split_dev
from zoo.common.core.errors import ZooError
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.manifests import ManifestReader
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.corpora.librispeech import LIBRISPEECH_MINI as LIBRISPEECH
from zoo.speech.recognition.data import TranscribedRecordings
from zoo.speech.utterance import Utterance, labelled_recording, utterance

DATA = Path(__file__).parents[1] / "data"
CLIPS = DATA / "an4"
COLUMNS = ("split", "speaker", "utt_id", "seconds", "transcript")
HEADER = "wav_filename,transcript"


def read_manifest(path, make=utterance):
    return ManifestReader(make).read(path)


def rows(split=None):
    with open(CLIPS / "utterances.tsv") as file:
        table = list(csv.DictReader(file, delimiter="\t"))
    return [row for row in table if split in (None, row["split"])]


def read_as(examples):
    return {e.id: (e.split, e.speaker, e.transcript, round(e.seconds, 2)) for e in examples}


def expected(split=None):
    return {
        row["utt_id"]: (row["split"], row["speaker"], row["transcript"], float(row["seconds"]))
        for row in rows(split)
    }


def clip(row):
    return CLIPS / row["split"] / row["speaker"] / f"{row['utt_id']}.flac"


# AN4


@pytest.mark.parametrize("split", ["train", "test"])
def test_an4_table(split):
    examples = AN4.read(CLIPS, split)
    assert read_as(examples) == expected(split)
    assert all(e.audio == CLIPS / split / e.speaker / f"{e.id}.flac" for e in examples)


def test_all_is_every_split():
    assert read_as(AN4.read(CLIPS, "all")) == expected()


def test_a_folder_with_one_split_is_enough(tmp_path):
    shutil.copy(CLIPS / "utterances.tsv", tmp_path)
    shutil.copytree(CLIPS / "test", tmp_path / "test")
    assert read_as(AN4.read(tmp_path, "test")) == expected("test")
    assert read_as(AN4.read(tmp_path, "all")) == expected("test")
    with pytest.raises(ZooError, match=r"no such split\. There are: 'test', 'all'.*'train'"):
        AN4.read(tmp_path, "train")


def an4_release(folder, splits=("train", "test")):
    """Write the layout of the release, the training set in WAV and the test set in SPHERE."""
    (folder / "etc").mkdir(parents=True)
    recordings = {"train": "an4_clstk", "test": "an4test_clstk"}
    for split in splits:
        files, lines = [], []
        for row in rows(split):
            suffix, kind = {"train": ("wav", "WAV"), "test": ("sph", "NIST")}[split]
            file = f"{recordings[split]}/{row['speaker']}/{row['utt_id']}"
            path = folder / "wav" / f"{file}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            samples, rate = soundfile.read(clip(row), dtype="int16")
            soundfile.write(path, samples, rate, format=kind, subtype="PCM_16")
            marks = ("<s> ", " </s>") if split == "train" else ("", "")
            lines.append(f"{marks[0]}{row['transcript']}{marks[1]} ({row['utt_id']})\n")
            files.append(file + "\n")
        (folder / "etc" / f"an4_{split}.fileids").write_text("".join(files))
        (folder / "etc" / f"an4_{split}.transcription").write_text("".join(lines))
    return folder


def test_an4_as_released(tmp_path):
    folder = an4_release(tmp_path / "an4")
    assert read_as(AN4.read(folder, "train")) == expected("train")
    assert read_as(AN4.read(folder, "test")) == expected("test")
    assert read_as(AN4.read(folder, "all")) == expected()


def test_an4_as_released_with_one_split(tmp_path):
    folder = an4_release(tmp_path / "an4", splits=("test",))
    assert read_as(AN4.read(folder, "test")) == expected("test")
    with pytest.raises(ZooError, match="There are: 'test', 'all'"):
        AN4.read(folder, "train")


def test_marks_and_variants_in_an4_transcripts(tmp_path):
    folder = an4_release(tmp_path / "an4", splits=("test",))
    path = folder / "etc/an4_test.transcription"
    path.write_text("<s> go A(2)  <sil> AND(2) </s> (an409-fcaw-b)\r\n\n")
    (example,) = AN4.read(folder, "test")
    assert example.transcript == "GO A AND"
    path.write_text("GO (an409-fcaw-b)\nGO an409\n")
    with pytest.raises(ZooError, match=r"an4_test\.transcription, line 2: not of the form"):
        AN4.read(folder, "test")
    path.write_text("GO (an409-fcaw-b)\nGO (an999-fcaw-b)\n")
    with pytest.raises(ZooError, match=r"line 2: no file .*an999-fcaw-b"):
        AN4.read(folder, "test")


# LibriSpeech


@pytest.fixture
def librispeech(tmp_path):
    """Return a folder in its layout, with subsets in FLAC and Opus, from clips of AN4."""
    for subset, chapter, suffix, split in (
        ("dev-clean-2", "84/121123", "flac", "train"),
        ("dev-clean-2", "174/50561", "flac", "test"),
        ("train-clean-5", "1088/134315", "opus", "test"),
    ):
        folder = tmp_path / subset / chapter
        folder.mkdir(parents=True)
        name = chapter.replace("/", "-")
        lines = []
        for number, row in enumerate(rows(split)[:3]):
            samples, rate = soundfile.read(clip(row))
            path = folder / f"{name}-{number:04}.{suffix}"
            coding = ("FLAC", "PCM_16") if suffix == "flac" else ("OGG", "OPUS")
            soundfile.write(path, samples, rate, format=coding[0], subtype=coding[1])
            lines.append(f"{path.stem} {row['transcript']}\n")
        (folder / f"{name}.trans.txt").write_text("".join(lines))
    return tmp_path


def test_librispeech(librispeech):
    examples = LIBRISPEECH.read(librispeech, "dev-clean-2")
    assert Counter(e.speaker for e in examples) == {"84": 3, "174": 3}
    transcripts = {e.id: e.transcript for e in examples}
    assert transcripts["84-121123-0001"] == "U M N Y H SIX"
    assert transcripts["174-50561-0002"] == "J P E G FOUR"
    assert {e.split for e in examples} == {"dev-clean-2"}
    opus = LIBRISPEECH.read(librispeech, "train")
    assert [round(e.seconds, 2) for e in opus] == [0.8, 2.3, 2.4]
    assert len(LIBRISPEECH.read(librispeech, "all")) == 9


def test_librispeech_errors(librispeech):
    with pytest.raises(ZooError, match=r"There are: 'dev-clean-2', 'train', 'all'"):
        LIBRISPEECH.read(librispeech, "../etc")
    chapter = librispeech / "dev-clean-2/84/121123"
    (chapter / "84-121123-0001.flac").unlink()
    with pytest.raises(ZooError, match=r"84-121123\.trans\.txt, line 2: no file"):
        LIBRISPEECH.read(librispeech, "dev-clean-2")
    (chapter / "84-121123.trans.txt").write_text("84-121123-0000\n")
    with pytest.raises(ZooError, match="line 1: the transcript is empty"):
        LIBRISPEECH.read(librispeech, "dev-clean-2")


def test_errors_of_folders(tmp_path):
    with pytest.raises(ZooError, match="nowhere: no such folder"):
        AN4.read(tmp_path / "nowhere", "test")
    with pytest.raises(
        ZooError, match=r"holds no split of the corpus 'an4'\. It must have utterances"
    ):
        AN4.read(tmp_path, "test")
    with pytest.raises(ZooError, match=r"must have <split>/<speaker>/<chapter>/"):
        LIBRISPEECH.read(CLIPS, "test")
    with pytest.raises(ZooError, match=r"There are: 'test', 'train', 'all'. Received: 'dev'"):
        AN4.read(CLIPS, "dev")


# Free Spoken Digit Dataset


def test_fsdd():
    """The first five takes are in test; the digit is the label."""
    examples = FSDD.read(DATA / "fsdd", "test")
    assert [(e.id, e.label, e.speaker, e.split, round(e.seconds, 2)) for e in examples] == [
        ("0_george_0", "0", "george", "test", 0.3),
        ("0_jackson_0", "0", "jackson", "test", 0.64),
        ("1_george_0", "1", "george", "test", 0.57),
        ("1_jackson_0", "1", "jackson", "test", 0.52),
        ("7_george_0", "7", "george", "test", 0.64),
        ("7_jackson_0", "7", "jackson", "test", 0.43),
    ]
    train = FSDD.read(DATA / "fsdd", "train")
    assert [e.id for e in train] == [e.id[:-1] + "5" for e in examples]
    assert {e.id for e in FSDD.read(DATA / "fsdd", "all")} == {e.id for e in train + examples}


def test_fsdd_errors(tmp_path):
    with pytest.raises(ZooError, match=r"no split of the corpus 'fsdd'\. It must have recordings"):
        FSDD.read(tmp_path, "train")
    (tmp_path / "recordings").mkdir()
    clips = sorted((DATA / "fsdd/recordings").iterdir())
    shutil.copy(clips[0], tmp_path / "recordings")
    (tmp_path / "recordings/notes.txt").write_text("not a recording")
    with pytest.raises(ZooError, match=r"There are: 'test', 'all'. Received: 'train'"):
        FSDD.read(tmp_path, "train")
    shutil.copy(clips[0], tmp_path / "recordings/ten_george_5.flac")
    with pytest.raises(
        ZooError, match=r"ten_george_5\.flac must be named <digit>_<speaker>_<take>"
    ):
        FSDD.read(tmp_path, "test")


# Manifests


@pytest.fixture
def folder(tmp_path):
    """Return a folder with three clips, one of them in a subfolder, for manifests."""
    for name, row in zip(("a.flac", "b.flac", "sub/c.flac"), rows("test"), strict=False):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(clip(row), tmp_path / name)
    return tmp_path


def write(path, *lines, newline="\n"):
    path.write_bytes("".join(line + newline for line in lines).encode())
    return path


def test_csv_manifest(folder):
    outside = clip(rows("train")[0])
    manifest = write(
        folder / "mine.csv",
        "wav_filename,wav_filesize,transcript,speaker",
        'a.flac,1,"yes, of course",ann',
        "",
        "sub/c.flac,2,say \u2009E\u0301TÉ\u200b,bob",
        f"{outside},3,yes,",
    )
    examples = read_manifest(manifest)
    assert [e.id for e in examples] == ["a.flac", "sub/c.flac", outside.as_posix()]
    assert [e.audio for e in examples] == [folder / "a.flac", folder / "sub/c.flac", outside]
    assert [e.transcript for e in examples] == ["yes, of course", "say ÉTÉ", "yes"]
    assert [e.speaker for e in examples] == ["ann", "bob", ""]
    assert [round(e.seconds, 2) for e in examples] == [0.8, 2.4, 1.0]
    # Spreadsheets write byte order marks, Windows line ends, semicolons, tabs and UTF-16.
    text, table = manifest.read_text("utf-8"), folder / "table"
    table.write_bytes(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read_manifest(table) == examples
    for delimiter in ";\t":
        table.write_bytes(
            text.replace("yes, of", "yes@ of")
            .replace(",", delimiter)
            .replace("@", ",")
            .encode("utf-16")
        )
        assert read_manifest(table) == examples


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "offset",
            0.2,
            "'offset' is not supported: each row must be a whole file. Received: '0.2'",
        ),
        ("duration", 0.25, r"'duration' must be that of the whole file, 0.80 s. Received: 0.25"),
        ("duration", "long", "'duration' must be a number. Received: 'long'"),
    ],
)
def test_parts_of_recordings_are_rejected(folder, key, value, message):
    manifest = write(folder / "m.csv", f"{HEADER},{key}", f"a.flac,go,{value}")
    with pytest.raises(ZooError, match=f"line 2: {message}"):
        read_manifest(manifest)


def test_json_manifest(folder):
    manifest = write(
        folder / "mine.json",
        json.dumps(
            {"audio_filepath": "a.flac", "duration": 0.7, "offset": 0, "text": "go", "speaker": 7}
        ),
        json.dumps({"audio_filepath": "sub/c.flac", "text": "ÉTÉ", "speaker": None}),
    )
    assert [
        (e.id, e.transcript, e.speaker, round(e.seconds, 2)) for e in read_manifest(manifest)
    ] == [
        ("a.flac", "go", "7", 0.8),
        ("sub/c.flac", "ÉTÉ", "", 2.4),
    ]


def test_manifests_with_splits(folder):
    """A column `split` in CSV, and a key in JSON, may be empty."""
    table = write(
        folder / "m.csv", "split,wav_filename,transcript", "train,a.flac,go", ",b.flac,stop"
    )
    lines = write(
        folder / "m.jsonl",
        json.dumps({"audio_filepath": "a.flac", "text": "go", "split": "train"}),
        json.dumps({"audio_filepath": "b.flac", "text": "stop", "split": None}),
    )
    for manifest in (table, lines):
        examples = TranscribedRecordings().read_manifest(manifest)
        assert [(e.id, e.split) for e in examples] == [("a.flac", "train"), ("b.flac", "")]


def test_manifest_of_labels(folder):
    manifest = write(folder / "m.csv", HEADER, "a.flac,go", "b.flac, turn  left ")
    examples = read_manifest(manifest, labelled_recording)
    assert [(e.id, e.label) for e in examples] == [("a.flac", "go"), ("b.flac", "turn left")]
    manifest = write(folder / "m.csv", HEADER, "a.flac, ")
    with pytest.raises(ZooError, match="line 2: the label is empty"):
        read_manifest(manifest, labelled_recording)


def test_tsv_manifest():
    assert read_as(read_manifest(CLIPS / "utterances.tsv")) == expected()


TSV = "\t".join(COLUMNS)
GOOD = '{"audio_filepath": "a.flac", "text": "go"}'


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        (
            "m.csv",
            ["wav_filename,said", "a.flac,go"],
            "line 1: there is no column of texts: name it with --text-column. .*Received",
        ),
        ("m.csv", ["a.flac,go"], "line 1: there is no column of recordings: name it"),
        ("m.tsv", ["split\tspeaker\tutt_id"], "line 1: the header lacks transcript"),
        ("m.csv", ['"'], "line 1: invalid CSV"),
        ("m.csv", [HEADER, "a.flac,go", "b.flac"], "line 3: 1 fields where the header has 2"),
        ("m.csv", [HEADER, "a.flac,yes, of course"], "line 2: 3 fields where the header has 2"),
        ("m.csv", [HEADER, 'a.flac,"go', "b.flac,go"], "line 2: invalid CSV"),
        ("m.csv", [HEADER, "", "a.flac,  "], "line 3: the transcript is empty"),
        ("m.csv", [HEADER, ",go"], "line 2: the audio path is empty"),
        ("m.csv", [HEADER, "z.flac,go"], r"line 2: .*z\.flac: no such file"),
        ("m.csv", [HEADER, "m.csv,go"], r"line 2: .*m\.csv: not audio"),
        ("m.csv", [HEADER, "a.flac,go", "./a.flac,go"], "line 3: the id 'a.flac' is not unique"),
        (
            "m.csv",
            [HEADER, "z.flac,go", "a.flac,go", "y.flac,go", "b.flac,"],
            "further invalid lines: 2",
        ),
        ("m.csv", [HEADER], "the list has no examples"),
        ("m.csv", [], "is empty"),
        ("m.json", ["[" + GOOD + "]"], "line 1: not a JSON object"),
        ("m.json", ["go"], "line 1: invalid JSON"),
        ("m.txt", [GOOD, '{"audio_filepath": "b.flac", '], "line 2: invalid JSON"),
        (
            "m.json",
            [GOOD, '{"audio_filepath": "b.flac"}'],
            "line 2: no text under the key 'text'",
        ),
        ("m.json", [GOOD, '{"audio_filepath": 3, "text": "go"}'], "line 2: .* 'audio_filepath'"),
        ("m.json", ['{"audio_filepath": "a.flac", "text": "\\ud800"}'], "line 1: invalid JSON"),
        ("m.tsv", [TSV, "test\tx\ty\t1.0\tGO"], "line 2: no file .*/test/x/y with one of"),
        ("m.tsv", [TSV, "..\tx\ty\t1.0\tGO"], r"line 2: not a plain file name: '\.\.'"),
        ("m.tsv", [TSV, "test\tx\t../../a\t1.0\tGO"], "line 2: not a plain file name"),
        ("m.tsv", [TSV, "test\tx\t" + "y" * 300 + "\t1.0\tGO"], "line 2: no file"),
    ],
)
def test_invalid_lines(folder, name, lines, message):
    manifest = write(folder / name, *lines)
    with pytest.raises(ZooError, match=message) as error:
        read_manifest(manifest)
    assert str(error.value).startswith(str(manifest))
    assert "\n" not in str(error.value)


def test_invalid_utf8(folder):
    manifest = folder / "latin.csv"
    manifest.write_bytes(f"{HEADER}\na.flac,go\nb.flac,été\n".encode("latin-1"))
    with pytest.raises(ZooError, match=r"latin\.csv, line 3: not UTF-8"):
        read_manifest(manifest)
    manifest.write_bytes(f"{HEADER}\na.flac,go\n".encode("utf-16")[:-1])
    with pytest.raises(ZooError, match=r"latin\.csv: not UTF-16"):
        read_manifest(manifest)


def test_utf16_with_a_byte_order_mark_is_read(folder):
    manifest = folder / "m.csv"
    manifest.write_bytes(f"{HEADER}\na.flac,go\n".encode("utf-16"))
    assert [example.transcript for example in read_manifest(manifest)] == ["go"]


def test_truncated_recordings(folder):
    samples, rate = soundfile.read(folder / "b.flac")
    soundfile.write(folder / "b.wav", samples, rate)
    (folder / "b.wav").write_bytes((folder / "b.wav").read_bytes()[:9000])
    manifest = write(folder / "m.csv", HEADER, "a.flac,go", "b.wav,stop")
    with pytest.raises(ZooError, match=r"m\.csv, line 3: .*b\.wav: truncated"):
        read_manifest(manifest)


def test_no_manifest(tmp_path):
    with pytest.raises(ZooError, match=r"nothing\.csv is missing"):
        read_manifest(tmp_path / "nothing.csv")
    with pytest.raises(ZooError, match=r"must have metadata.csv, .*, wav.scp with text, or \*"):
        read_manifest(tmp_path)


# Splits and checksums


def examples_of(speakers):
    return [
        Utterance(f"{speaker}-{number}", Path("none.wav"), speaker, transcript="GO")
        for speaker, count in speakers.items()
        for number in range(count)
    ]


def test_split_by_speaker():
    examples = examples_of({f"s{number}": 5 + number % 7 for number in range(40)})
    train, dev = split_dev(TranscribedRecordings(), examples, 0.2, seed=0)
    assert not {e.speaker for e in train} & {e.speaker for e in dev}
    assert sorted(train + dev, key=lambda e: e.id) == sorted(examples, key=lambda e: e.id)
    assert abs(len(dev) / len(examples) - 0.2) < 0.02
    random.Random(1).shuffle(examples)
    assert split_dev(TranscribedRecordings(), examples, 0.2, seed=0) == (train, dev)
    assert split_dev(TranscribedRecordings(), examples, 0.2, seed=1) != (train, dev)


def test_the_split_is_reproducible():
    train, dev = split_dev(TranscribedRecordings(), AN4.read(CLIPS, "train"), 0.3, seed=0)
    assert {e.speaker for e in dev} == {"fash"}
    assert {e.speaker for e in train} == {"mblw", "mjbh"}


@pytest.mark.parametrize("fraction", [0.001, 0.5, 0.999])
@pytest.mark.parametrize("speakers", [{"a": 5, "b": 1}, {"a": 1, "b": 9, "c": 3}, {"": 2, "a": 2}])
def test_both_parts_have_a_speaker(fraction, speakers):
    train, dev = split_dev(TranscribedRecordings(), examples_of(speakers), fraction, seed=3)
    assert train
    assert dev
    assert not {e.speaker for e in train} & {e.speaker for e in dev}


@pytest.mark.parametrize("speaker", ["", "only"])
def test_one_speaker_is_split_by_utterance(speaker):
    train, dev = split_dev(TranscribedRecordings(), examples_of({speaker: 20}), 0.2, seed=0)
    assert (len(train), len(dev)) == (16, 4)
    assert len({e.id for e in train + dev}) == 20


def test_fsdd_is_split_by_utterance():
    """The speakers of dev are in train, as those of test are."""
    examples = examples_of({"a": 50, "b": 50, "c": 50})
    train, dev = split_dev(TranscribedRecordings(split_by="utterance"), examples, 0.1, seed=0)
    assert (len(train), len(dev)) == (135, 15)
    assert {e.speaker for e in dev} == {"a", "b", "c"}


def test_split_by_speaker_errors():
    with pytest.raises(ZooError, match=r"between 0 and 1. Received: 1.0"):
        split_dev(TranscribedRecordings(), examples_of({"a": 3}), 1.0, seed=0)
    with pytest.raises(ZooError, match=r"Two examples are needed.*Received: 1"):
        split_dev(TranscribedRecordings(), examples_of({"a": 1}), 0.5, seed=0)


def test_checksum(folder):
    manifest = write(folder / "m.csv", HEADER, "a.flac,go", "b.flac,stop")
    before = TranscribedRecordings().checksum(read_manifest(manifest))
    assert len(before) == 64
    assert TranscribedRecordings().checksum(reversed(read_manifest(manifest))) == before
    moved = folder / "moved"
    moved.mkdir()
    for name in ("m.csv", "a.flac", "b.flac"):
        shutil.copy(folder / name, moved)
    assert TranscribedRecordings().checksum(read_manifest(moved / "m.csv")) == before
    write(moved / "m.csv", HEADER, "a.flac,go", "b.flac,stops")
    assert TranscribedRecordings().checksum(read_manifest(moved / "m.csv")) != before
    shutil.copy(folder / "sub/c.flac", folder / "a.flac")
    assert TranscribedRecordings().checksum(read_manifest(manifest)) != before


def test_the_split_of_one_speaker_is_reported(capsys):
    examples = AN4.read(CLIPS, "train")
    split_dev(TranscribedRecordings(), examples, 0.3, 0)
    assert capsys.readouterr().err == ""
    _, dev = split_dev(TranscribedRecordings(), [replace(e, speaker="") for e in examples], 0.3, 0)
    assert len(dev) == round(0.3 * len(examples))
    assert "dev is split off by example" in capsys.readouterr().err
