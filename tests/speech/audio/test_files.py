"""Answers to recordings in files: detections, output directories, plots."""

import csv
import io
import json
import shutil

import numpy as np
import pytest
import soundfile

from tests.speech.conftest import CLIPS, DIGITS, RECOGNIZER, WHALES, sea
from zoo.common.core.errors import ZooError
from zoo.speech.audio.recording import find_recordings

pytestmark = pytest.mark.usefixtures("opened_once")


# Formats of detections ----------------------------------------------------------------------------


def test_raven(run_zoo, long_folder):
    shown = run_zoo("predict", WHALES, long_folder / "sea.wav", "--format", "raven")
    header, row = (line.split("\t") for line in shown.out.splitlines())
    assert header == [
        *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"),
        *("Low Freq (Hz)", "High Freq (Hz)", "Label", "Confidence", "Begin Path"),
        "File Offset (s)",
    ]
    assert row[:3] == ["1", "Spectrogram 1", "1"]
    assert float(row[3]) <= 10 < float(row[4])
    assert row[5:8] == ["0", "500", "upcall"]
    assert 0.5 < float(row[8]) <= 1
    assert row[9] == str(long_folder / "sea.wav")
    assert row[10] == row[3]


def test_paths_in_a_raven_table_are_absolute(run_zoo, long_folder, monkeypatch):
    """Raven would look for a relative path in the folder of the table."""
    monkeypatch.chdir(long_folder)
    shown = run_zoo("predict", WHALES, "sea.wav", "--format", "raven")
    assert shown.out.splitlines()[1].split("\t")[9] == str(long_folder / "sea.wav")


def test_audacity(run_zoo, long_folder):
    shown = run_zoo("predict", WHALES, long_folder / "sea.wav", "--format", "audacity")
    ((begin, end, label),) = (line.split("\t") for line in shown.out.splitlines())
    assert float(begin) <= 10 < float(end)
    assert label.startswith("upcall 0.")


def test_csv_of_a_folder_with_an_invalid_file(run_zoo, long_folder, tmp_path):
    """Clips and long recordings have the same columns; an unreadable file has a row with its error."""
    recordings = tmp_path / "in"
    shutil.copytree(long_folder, recordings)
    (recordings / "deep").mkdir()
    (recordings / "deep" / "bad.WAV").write_text("no audio")
    (recordings / "notes.txt").write_text("no recording")
    soundfile.write(recordings / "clip.wav", sea()[18_400:22_400], 2000)
    shown = run_zoo("predict", WHALES, recordings, "--format", "csv", "--out", tmp_path / "all.csv")
    assert shown.status == 1
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    (bad,) = (row for row in rows if row["Error"])
    assert bad["File"] == str(recordings / "deep" / "bad.WAV")
    assert "not audio" in bad["Error"]
    calls = [row for row in rows if not row["Error"]]
    assert {row["Label"] for row in calls} == {"upcall"}
    assert {row["File"] for row in calls} >= {str(recordings / n) for n in ("clip.wav", "sea.wav")}
    (clip,) = (row for row in calls if row["File"].endswith("clip.wav"))
    assert (clip["Start (s)"], clip["End (s)"]) == ("0", "2")
    printed = run_zoo("predict", WHALES, recordings, "--format", "csv")
    assert list(csv.DictReader(io.StringIO(printed.out))) == rows
    assert printed.err.count("\n") == 1


# Folders ------------------------------------------------------------------------------------------


def test_a_folder_is_resumed(run_zoo, long_folder, tmp_path, monkeypatch):
    recordings, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(long_folder, recordings)
    (recordings / "bad.wav").write_text("no audio")
    command = ("predict", WHALES, recordings, "--format", "raven", "--out", out, "--json")
    first = run_zoo(*command)
    assert first.status == 1
    files = [row["file"] for row in first.json["files"] if "file" in row]
    assert sorted(files) == sorted(str(path) for path in out.glob("*.selections.txt"))
    assert len(files) == 4
    with (out / "errors.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["input"] == str(recordings / "bad.wav")
    assert not list(out.glob(".part-*"))

    (out / "sea.selections.txt").unlink()
    soundfile.write(recordings / "bad.wav", np.zeros(100), 2000)
    (out / "digits.selections.txt").write_text("mine")
    second = run_zoo(*command)
    assert second.status == 0
    assert "3 of 5 inputs are done already" in second.err
    done = {row["input"] for row in second.json["files"]}
    assert done == {str(recordings / name) for name in ("bad.wav", "sea.wav")}
    assert (out / "digits.selections.txt").read_text() == "mine"
    assert not (out / "errors.csv").exists()

    # No input is left, so no model is opened.
    monkeypatch.setattr("zoo.api.predict.open_predictor", None)
    third = run_zoo(*command)
    assert (third.status, third.json["files"]) == (0, [])


def test_a_folder_of_other_answers(refused, run_zoo, long_folder, tmp_path):
    out = tmp_path / "out"
    run_zoo("predict", WHALES, long_folder / "silent.wav", "--format", "csv", "--out", out)
    assert (out / "silent.csv").exists()
    command = ("predict", WHALES, long_folder / "silent.wav", "--out", out)
    assert "of other settings (format)" in refused(*command, "--format", "raven")
    line = refused(*command, "--format", "csv", "--min-confidence", "0.9")
    assert "of other settings (options)" in line
    settings = json.loads((out / "predict.json").read_text())
    assert settings["files"]["model.keras"]
    settings["files"]["model.keras"] = "other weights"
    (out / "predict.json").write_text(json.dumps(settings))
    assert "of other settings (files)" in refused(*command, "--format", "csv")
    (out / "predict.json").unlink()
    assert "already exists" in refused(*command, "--format", "csv")


def test_files_of_one_name(run_zoo, refused, long_folder, tmp_path):
    for name in ("a.wav", "a.flac", "b/a.wav"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / "in" / name, np.zeros(8000), 2000)
    out = tmp_path / "out"
    assert run_zoo("predict", WHALES, tmp_path / "in", "--out", out).status == 0
    found = {str(path.relative_to(out)) for path in out.rglob("*.txt")}
    assert found == {"a.wav.txt", "a.flac.txt", "b/a.txt"}
    two = [tmp_path / "in" / "a.wav", tmp_path / "in" / "b" / "a.wav"]
    assert "one answer for 'a.wav'" in refused("predict", WHALES, *two, "--out", tmp_path / "o2")


@pytest.mark.parametrize(("form", "name"), [("json", "predict"), ("csv", "Errors")])
def test_an_input_with_the_name_of_another_file(run_zoo, long_folder, tmp_path, form, name):
    """Its answer is not the file of settings or of errors, and is kept by the next call."""
    (tmp_path / "in").mkdir()
    shutil.copy(long_folder / "silent.wav", tmp_path / "in" / f"{name}.wav")
    (tmp_path / "in" / "bad.wav").write_text("no audio")
    command = ("predict", WHALES, tmp_path / "in", "--format", form, "--out", tmp_path / "out")
    for _ in range(2):
        assert run_zoo(*command).status == 1
        assert {path.name for path in (tmp_path / "out").iterdir()} == {
            *("predict.json", "errors.csv", f"{name}.wav.{form}")
        }


def test_an_input_whose_answer_has_no_name(refused, tmp_path):
    (tmp_path / "predict").write_text("no audio")
    line = refused("predict", WHALES, tmp_path / "predict", "--format", "json", "--out", tmp_path)
    assert "cannot hold an answer for 'predict': rename the input" in line


# Invalid use --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "arguments", "words"),
    [
        (
            WHALES,
            ["--format", "xml"],
            "'text', 'json', 'csv', 'audacity', 'raven'. Received: 'xml'",
        ),
        (RECOGNIZER, ["--format", "csv"], "'text', 'json', 'srt', 'vtt'. Received: 'csv'"),
        (WHALES, ["--format", "raven", "again.wav"], "A file of this format has one input"),
        (WHALES, ["--out", "{}/speech.flac/x.csv", "--format", "csv"], "cannot be written"),
        (WHALES, ["--out", "{}/speech.flac/folder"], "cannot be written"),
    ],
)
def test_invalid_arguments(refused, long_folder, preset, arguments, words):
    arguments = [argument.format(long_folder) for argument in arguments]
    assert words in refused("predict", preset, long_folder / "sea.wav", *arguments)


def test_format_and_json(run_zoo, long_folder):
    answer = run_zoo("predict", WHALES, long_folder / "sea.wav", "--format", "csv", "--json")
    assert answer.status == 1
    assert "--format cannot be combined with --json" in answer.json["error"]


@pytest.mark.parametrize("preset", [RECOGNIZER, WHALES])
def test_invalid_long_recordings(run_zoo, long_folder, tmp_path, preset):
    whole = (long_folder / "sea.wav").read_bytes()
    (tmp_path / "cut.wav").write_bytes(whole[: len(whole) // 2])
    flac = (long_folder / "speech.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(flac[: len(flac) // 2])
    broken = sea(40.0)
    broken[60_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken, 2000, subtype="FLOAT")
    (tmp_path / "empty").mkdir()
    names = ("cut.wav", "cut.flac", "nan.wav", "empty", "missing.wav")
    answer = run_zoo("predict", preset, *(tmp_path / name for name in names), "--json")
    assert answer.status == 1
    # A detector analyses a truncated recording up to its end, with a warning.
    key = "warning" if preset == WHALES else "error"
    predictions = answer.json["predictions"]
    assert [key in one for one in predictions[:2]] == [True, True]
    assert answer.err.count("Warning: ") == (2 if preset == WHALES else 0)
    errors = [one.get("error") or one["warning"] for one in predictions]
    for error, word in zip(
        errors,
        ("truncated", "truncated", "NaN", "the folder has no recordings", "no such"),
        strict=True,
    ):
        assert word in error
        assert "\n" not in error


def test_recordings_in_a_folder(tmp_path):
    for name in ("b.wav", "a/c.FLAC", "a/.hidden.wav", "notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(tmp_path / name) for name in ("a/c.FLAC", "b.wav")]
    assert find_recordings(str(tmp_path)) == found
    assert find_recordings("one.xyz") == ["one.xyz"]
    with pytest.raises(ZooError, match="the folder has no recordings"):
        find_recordings(str(tmp_path / "a"), (".mp3",))


# Plots --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "name"),
    [
        (RECOGNIZER, "clip.flac"),
        (DIGITS, "digits.wav"),
        (WHALES, "sea.wav"),
        (WHALES, "silent.wav"),
    ],
)
def test_plot(run_zoo, long_folder, tmp_path, preset, name):
    source = CLIPS[0] if name == "clip.flac" else long_folder / name
    answer = run_zoo("plot", preset, source, "--out", tmp_path / "x.png", "--json")
    assert answer.status == 0
    assert answer.json["plot"] == str(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_invalid_plots(refused, long_folder, tmp_path):
    assert "does not support plots of inputs" in refused("plot", "language/charlstm-hello", "h")
    line = refused("plot", RECOGNIZER, long_folder / "speech.flac", "--out", tmp_path / "x.png")
    assert "at most 30 s" in line
    assert "no such file" in refused("plot", WHALES, "missing.wav")
    line = refused("plot", WHALES, long_folder / "sea.wav", "--out", tmp_path / "x.gif")
    assert "must end in .png" in line
    line = refused("plot", WHALES, CLIPS[0], "--out", long_folder / "sea.wav" / "x.png")
    assert "cannot be written" in line
    assert not list(tmp_path.iterdir())
