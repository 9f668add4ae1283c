"""Lists of recordings in the layouts of other programs and corpora."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from tests.speech.test_corpora import CLIPS, write
from zoo.api.sources import split_dev
from zoo.cli.decoding import given_data_settings
from zoo.cli.main import main, parse
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.manifests import ManifestReader
from zoo.speech.recognition.data import TranscribedRecordings
from zoo.speech.utterance import labelled_recording

CLIP = CLIPS / "test" / "fcaw" / "an409-fcaw-b.flac"
SECONDS = soundfile.info(CLIP).duration


@pytest.fixture
def folder(tmp_path):
    for name in ("clips/a.flac", "wavs/b.flac", "a.flac", "b.flac", "sub/c.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(CLIP, tmp_path / name)
    return tmp_path


def read(path, **columns):
    return ManifestReader(**columns).read(path)


def texts(examples):
    return {example.id: example.transcript for example in examples}


@pytest.mark.parametrize(
    ("name", "lines", "layout"),
    [
        (
            "train.tsv",
            [
                "client_id\tpath\tsentence\tage",
                'ann\ta.flac\tSay "go".\t',
                "bob\tsub/c.flac\tYes\t9",
            ],
            "Common Voice",
        ),
        (
            "metadata.csv",
            ["file_name,transcription", 'a.flac,"Say ""go""."', "sub/c.flac,Yes"],
            "Hugging Face",
        ),
        (
            "metadata.jsonl",
            [
                json.dumps({"file_name": "a.flac", "transcription": 'Say "go".'}),
                json.dumps({"file_name": "sub/c.flac", "transcription": "Yes"}),
            ],
            "Hugging Face",
        ),
        (
            "m.json",
            [
                json.dumps({"audio_filepath": "a.flac", "text": 'Say "go".', "duration": SECONDS}),
                json.dumps({"audio_filepath": "sub/c.flac", "text": "Yes", "offset": 0}),
            ],
            "NeMo",
        ),
    ],
)
def test_layouts_with_names(folder, capsys, name, lines, layout):
    (folder / "a.flac").unlink(missing_ok=layout == "Common Voice")  # it is in the folder clips
    shutil.copy(CLIP, folder / ("clips/a.flac" if layout == "Common Voice" else "a.flac"))
    manifest = write(folder / name, *lines)
    examples = read(manifest)
    assert [e.transcript for e in examples] == ['Say "go".', "Yes"]
    assert all(e.audio.is_file() and e.excerpt is None for e in examples)
    assert f"2 recording(s), in the layout of {layout} (" in capsys.readouterr().err
    if name.startswith("metadata"):
        assert texts(read(folder)) == texts(examples)
    if layout == "Common Voice":
        assert [e.speaker for e in examples] == ["ann", "bob"]
        assert examples[0].audio == folder / "clips" / "a.flac"


def test_other_columns(folder, capsys):
    manifest = write(folder / "m.csv", "audio,sentence,heard", "a.flac,go,come", "b.flac,no,yes")
    assert texts(read(manifest)) == {"a.flac": "go", "b.flac": "no"}
    assert "in the columns audio, sentence." in capsys.readouterr().err
    heard = {"a.flac": "come", "b.flac": "yes"}
    assert texts(read(manifest, text_column="heard")) == heard
    data = TranscribedRecordings(audio_column="audio", text_column="heard")
    assert texts(data.read_manifest(manifest)) == heard
    lines = write(folder / "m.jsonl", json.dumps({"clip": "a.flac", "said": "go"}))
    assert texts(read(lines, audio_column="clip", text_column="said")) == {"a.flac": "go"}
    labels = write(folder / "l.csv", "file,label,text", "a.flac,digit,one")
    (example,) = ManifestReader(labelled_recording).read(labels)
    assert example.label == "digit"


@pytest.mark.parametrize(
    ("lines", "columns", "message"),
    [
        (["audio,path,text"], {}, "line 1: there is more than one column of recordings: name it"),
        (["clip,text"], {}, "no column of recordings: name it with --audio-column. Known names"),
        (["path,said"], {}, "no column of texts: name it with --text-column"),
        (["path,text"], {"text_column": "texts"}, "no column 'texts'. Did you mean 'text'"),
        (["path,sentence", "a.flac,go", "b.flac, "], {}, "line 3: the transcript is empty"),
        (["path,sentence,start", "a.flac,go,2"], {}, "line 2: 'start' is not supported"),
    ],
)
def test_columns_that_are_not_clear(folder, lines, columns, message):
    manifest = write(folder / "m.csv", *lines, *(["a.flac,go"] if len(lines) == 1 else []))
    with pytest.raises(ZooError, match=message) as error:
        read(manifest, **columns)
    assert str(error.value).startswith(str(manifest))


def test_ljspeech(folder, capsys):
    write(folder / "metadata.csv", 'b|He said "2", and|He said "two", and')
    assert texts(read(folder)) == {"b": 'He said "two", and'}
    assert "the layout of LJSpeech" in capsys.readouterr().err
    write(folder / "metadata.csv", "b|one|", "../a|two|")
    with pytest.raises(ZooError, match=r"metadata.csv, line 2: not a plain file name: '../a'"):
        read(folder)


def test_librispeech(folder, capsys):
    chapter = folder / "dev" / "84" / "121123"
    chapter.mkdir(parents=True)
    for number in (0, 1):
        shutil.copy(CLIP, chapter / f"84-121123-000{number}.flac")
    path = write(chapter / "84-121123.trans.txt", "84-121123-0000 GO ON", "84-121123-0001 NO")
    examples = read(folder / "dev")
    assert texts(examples) == {"84-121123-0000": "GO ON", "84-121123-0001": "NO"}
    assert {e.speaker for e in examples} == {"84"}
    assert "the layout of LibriSpeech" in capsys.readouterr().err
    assert read(path) == examples
    write(path, "84-121123-0000 GO", "84-121123-0002 NO")
    with pytest.raises(ZooError, match=r"trans.txt, line 2: no file .*84-121123-0002"):
        read(folder / "dev")


def test_kaldi(folder, capsys):
    write(folder / "wav.scp", "ann-1 a.flac", f"bob-1 {folder / 'b.flac'}")
    write(folder / "text", "bob-1 NO", "ann-1 GO  ON")
    write(folder / "utt2spk", "ann-1 ann", "bob-1 bob")
    examples = read(folder)
    assert texts(examples) == {"ann-1": "GO ON", "bob-1": "NO"}
    assert [e.speaker for e in examples] == ["ann", "bob"]
    assert "the layout of Kaldi and ESPnet" in capsys.readouterr().err
    write(folder / "segments", "ann-1 ann-1 0.1 0.35", "bob-1 bob-1 0.2 -1")
    first, last = read(folder / "wav.scp")
    assert (first.excerpt.earliest, first.seconds) == (0.1, pytest.approx(0.25))
    assert last.seconds == pytest.approx(SECONDS - 0.2)


@pytest.mark.parametrize(
    ("file", "line", "message"),
    [
        ("wav.scp", "x flac -dcs a.flac |", "it must name a file; commands are not run"),
        ("wav.scp", "x z.flac", r"line 1: .*z.flac: no such file"),
        ("text", "y GO", "there is no transcript of 'x'"),
        ("text", "x", "the transcript is empty"),
        ("segments", "x rec 0 1", "line 1: there is no recording 'rec'"),
        ("segments", "x x 0", "it must be ID RECORDING BEGIN END"),
        ("segments", "x x 0 160000", r"a part must .* within the file, 0 to .* 0 to 160000 s"),
        ("segments", "x x 0.4 0.2", r"a part must begin before its end.*0.4 to 0.2 s"),
        ("segments", "x x nan 0.2", "a part must begin before its end"),
    ],
)
def test_invalid_lines_of_kaldi(folder, file, line, message):
    write(folder / "wav.scp", "x a.flac")
    write(folder / "text", "x GO")
    write(folder / file, line)
    with pytest.raises(ZooError, match=message):
        read(folder)


def test_parts_of_recordings(folder):
    """Parts have the samples of their time, and those of one file are in one part of a split."""
    rows = [
        {"audio_filepath": name, "offset": begin, "duration": 0.2, "text": "GO"}
        for name in ("a.flac", "b.flac")
        for begin in (0.0, 0.2)
    ]
    examples = read(write(folder / "m.json", *map(json.dumps, rows)))
    assert [e.excerpt.earliest for e in examples] == [0.0, 0.2] * 2
    whole, rate = soundfile.read(CLIP, dtype="float32")
    part = whole[round(0.2 * rate) : round(0.4 * rate)]
    np.testing.assert_array_equal(examples[1].excerpt.read(examples[1].audio, rate), part)
    recipe = entry("speech/bilstm-ctc-an4").recipe()
    data = recipe.data
    first, second = (data.read_example(e, recipe.model)["waveform"] for e in examples[:2])
    assert 0 < len(second) <= len(part)
    assert not np.array_equal(first, second)
    assert len({data.checksum([e]) for e in examples}) == 4
    for part in split_dev(data, examples, 0.5, seed=0):
        assert len({e.audio for e in part}) == 1
    with pytest.raises(ZooError, match=r"line 1: a part must .*within the file"):
        read(write(folder / "m.json", json.dumps(rows[0] | {"offset": 30})))
    with pytest.raises(ZooError, match="line 1: 'offset' must be a number"):
        read(write(folder / "m.json", json.dumps(rows[0] | {"offset": "late"})))


def test_columns_on_the_command_line(folder, capsys):
    manifest = str(write(folder / "m.csv", "clip,said", "a.flac,GO"))
    arguments = ["speech/bilstm-ctc-an4", "--manifest", manifest, "--audio-column", "clip"]
    for verb in ("train", "evaluate"):
        assert main([verb, *arguments, "--text-column", "sad"]) == 1
        assert "there is no column 'sad'. Did you mean 'said'?" in capsys.readouterr().err
    options = parse(["train", *arguments, "--text-column=said"])
    assert given_data_settings(options) == ["data.audio_column=clip", "data.text_column=said"]
    assert main(["train", *arguments, "--beam-width", "8"]) == 1
    assert "has no option --beam-width. Valid: " in capsys.readouterr().err
