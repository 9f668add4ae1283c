"""Mistakes of users: one clear line, status 1, and no partial files."""

import errno
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest
import soundfile

from tests.conftest import AN4, RECIPE, TINY, TINY_TRAINING, settings
from zoo.common.presets.store import load_recipe

CLIP = AN4 / "test" / "fcaw" / "an409-fcaw-b.flac"


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


def holds_nothing(folder: Path) -> bool:
    return not any(folder.iterdir())


# Recordings ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recordings(tmp_path_factory) -> Path:
    """A folder of bad recordings, made of a good one."""
    folder = tmp_path_factory.mktemp("recordings")
    speech, rate = soundfile.read(CLIP, dtype="float32")
    broken = speech.copy()
    broken[100] = np.nan
    soundfile.write(folder / "good.wav", speech, rate)
    whole = (folder / "good.wav").read_bytes()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "truncated.wav").write_bytes(whole[: len(whole) // 2])
    (folder / "truncated.flac").write_bytes(CLIP.read_bytes()[:5000])
    (folder / "text.wav").write_text("no audio\nbut text\n")
    soundfile.write(folder / "silent.wav", np.zeros(rate, np.float32), rate)
    soundfile.write(folder / "nan.wav", broken, rate, subtype="FLOAT")
    soundfile.write(folder / "sample.wav", speech[5000:5001], rate)
    soundfile.write(folder / "blink.wav", speech[5000:5800], rate)
    soundfile.write(folder / "long.flac", np.tile(speech, 750), rate)
    (folder / "folder.wav").mkdir()
    return folder


BAD_RECORDINGS = {
    "empty.wav": "empty",
    "truncated.wav": "truncated",
    "truncated.flac": "truncated",
    "text.wav": "not audio",
    "silent.wav": "silent",
    "nan.wav": "NaN",
    "sample.wav": "too short",
    "missing.wav": "no such file",
    "folder.wav": "the folder has no recordings",
    "n" * 300: "cannot be opened",
}


def test_bad_recordings_among_good_ones(run_zoo, tiny_run, recordings):
    inputs = [str(recordings / name) for name in ("good.wav", *BAD_RECORDINGS, "blink.wav")]
    answer = run_zoo("predict", tiny_run, *inputs, "--json")
    assert (answer.status, answer.err) == (1, "")
    first, *bad, last = answer.json["predictions"]
    assert [p["input"] for p in answer.json["predictions"]] == inputs
    assert (first["seconds"], last["seconds"]) == (0.8, 0.05)
    alone = run_zoo("predict", tiny_run, inputs[0], "--json")
    assert alone.status == 0
    assert alone.json["predictions"][0]["output"] == first["output"]
    for prediction, words in zip(bad, BAD_RECORDINGS.values(), strict=True):
        assert set(prediction) == {"input", "error"}
        assert words in prediction["error"]
        assert "\n" not in prediction["error"]


def test_ten_minutes(run_zoo, tiny_run, recordings):
    answer = run_zoo("predict", tiny_run, recordings / "long.flac", "--json")
    (prediction,) = answer.json["predictions"]
    assert (answer.status, prediction["seconds"]) == (0, 600)


def test_a_corpus_clip_that_cannot_be_decoded_counts_as_deleted(run_zoo, tiny_run, tmp_path):
    shutil.copytree(AN4, tmp_path / "an4")
    clip = tmp_path / "an4/test/fcaw/an409-fcaw-b.flac"
    clip.write_bytes(clip.read_bytes()[:5000])  # its header is whole
    answer = run_zoo("evaluate", tiny_run, "--data", tmp_path / "an4")
    assert answer.status == 0
    assert "an409-fcaw-b.flac: truncated" in answer.out
    assert "(10 examples" in answer.out


# Settings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("optimzer.learning_rate=1", "Did you mean 'optimizer'"),
        ("optimizer.learning_rat=1", "Did you mean 'learning_rate'?"),
        ("optimizer.learning_rate=fast", "must be a number"),
        ("optimizer.learning_rate=-1", "must be above 0"),
        ("optimizer.learning_rate=0", "must be above 0"),
        ("optimizer.learning_rate=nan", "must be above 0"),
        ("optimizer.learning_rate=inf", "must be above 0"),
        ("optimizer.clip_norm=0", "must be above 0"),
        ("optimizer.warmup_epochs=-1", "must be at least 0"),
        ("optimizer.weight_decay=nan", "must be at least 0"),
        ("training.epochs=0", "must be at least 1"),
        ("training.epochs=1.5", "must be an integer"),
        ("training.epochs", "KEY=VALUE"),
        ("training.patience=0", "must be at least 1"),
        ("training.batch_size=0", "must be at least 1 and at most 65,536"),
        ("training.batch_size=1000000000000", "must be at least 1 and at most 65,536"),
        ("training.seed=-1", "must be at least 0 and at most"),
        ("training.dev_fraction=1", "must be between 0 and 1"),
        ("training.precision=float64", "'float32', 'mixed_bfloat16', 'auto'"),
        ("model.dropout=2", "must be at least 0 and below 1"),
        ("model.dropout=nan", "must be at least 0 and below 1"),
        ("model.layers=-1", "must be at least 1"),
        ("model.cell=rnn", "must be one of 'lstm', 'gru'"),
        ("model.features=3", "is a group"),
        ("model.features.hop=0", "must be at least 6.25e-05"),
        ("model.features.window=nan", "must be at least 6.25e-05"),
        ("model.features.mel_bins=0", "at least 1"),
        ("model.features.high_hz=9000", "sample_rate / 2"),
        ("model.features.sample_rate=0", "must be at least 1"),
        ("decoder.beam_width=0", "must be at least 1"),
        ("decoder.times=maybe", "must be true or false"),
        ("task.error_rate=ser", "must be one of 'wer', 'cer', 'per'"),
        ("data.speed_perturbation=1,5", "must be at least 0.5 and at most 2"),
        ("data.speed_perturbation=", "must be a number"),
        ("data.max_seconds=nan", "must be above 0"),
        ("data.spec_augment.freq_masks=-1", "must be at least 0"),
        ("data.spec_augment.freq_width=-3", "must be at least 0"),
        ("data.spec_augment.time_width=-1", "must be at least 0"),
        ("data.spec_augment.time_share=1", "must be at least 0 and below 1"),
        ("name=mine", "cannot be overridden"),
    ],
)
def test_settings(refused, tmp_path, setting, words):
    line = refused("train", RECIPE, "--data", AN4, "--out", tmp_path / "run", "--set", setting)
    assert words in line
    assert holds_nothing(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", AN4, "--overfit", 0], "overfit must be at least 1. Received: 0."),
        (["--data", AN4, "--manifest", "own.csv"], "exclude each other"),
        (["--data", AN4, "--dev-manifest", "own.csv"], "--dev-manifest needs --manifest"),
        (["--data", AN4, "--init", "nowhere"], "no run folder 'nowhere'"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--data", AN4.parent], "utterances.tsv"),
        (["--manifest", "nowhere.csv"], "nowhere.csv is missing"),
        (["--manifest", AN4], "a folder of recordings must have metadata.csv"),
        (["--data", AN4, "--resume"], "othing to resume"),
        ([], "--data"),
    ],
)
def test_sources(refused, tmp_path, arguments, words, monkeypatch):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    assert words in refused("train", RECIPE, "--out", tmp_path / "run", *arguments)
    assert holds_nothing(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "VERB"),
        (["sing"], "invalid choice: 'sing'"),
        (["predict", "preset"], "required: input"),
        (["train", RECIPE, "--overfit", "few"], "invalid int value: 'few'"),
        (["export", "preset"], "--to"),
    ],
)
def test_usage(refused, arguments, words):
    line = refused(*arguments, status=2)
    assert words in line
    assert "--help" in line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "speach/*"], "No recipe matches 'speach/*'"),
        (["show", "speech/bilstm-ctc-an5"], f"Did you mean '{RECIPE}'"),
        (["train", "speech/bilstm-ctc-an5"], f"Did you mean '{RECIPE}'"),
        (["predict", "speech/no-such", CLIP], "'speech/no-such'"),
        (["predict", CLIP, CLIP], "no run folder"),
        (["predict", "", CLIP], "no run folder ''"),
        (["predict", "n" * 300, CLIP], "no run folder"),
        (["predict", AN4, CLIP], "recipe.json is missing"),
        (["evaluate", "runs/none", "--data", AN4], "'runs/none'"),
        (["export", "runs/none", "--to", "savedmodel"], "'runs/none'"),
        (["export", "runs/none", "--to", "onyx"], "Valid: savedmodel"),
        (["publish", "runs/none"], "'runs/none'"),
    ],
)
def test_names(refused, arguments, words):
    assert words in refused(*arguments)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", AN4, "--split", "valid"], "'test', 'train', 'all'. Received: 'valid'"),
        (["--manifest", AN4 / "utterances.tsv", "--split", "valid"], "Received: 'valid'"),
        (["--data", AN4 / "test"], "utterances.tsv"),
        (["--manifest", AN4 / "LICENSE"], "LICENSE, line 1: there is no column of recordings"),
    ],
)
def test_splits(refused, tiny_run, arguments, words):
    assert words in refused("evaluate", tiny_run, *arguments)


# Manifests and alphabets --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "lines", "words"),
    [
        ("a.csv", ["wav_filename,transcript", "{},HELLO", "gone.wav,YOU"], "line 3: "),
        (
            "a.csv",
            ["wav_filename,transcript", "{},HELLO", "{},"],
            "line 3: the transcript is empty",
        ),
        ("a.csv", ["wav_filename,said", "{},HELLO"], "line 1: there is no column of texts"),
        ("a.json", ['{{"audio_filepath": "{}", "text": "A"}}', "{{"], "line 2: invalid JSON"),
        ("a.json", ['{{"audio_filepath": "{}"}}'], "line 1: there is no column of texts"),
        ("a.csv", ["wav_filename,transcript", "{},HELLO"], "Two examples are needed"),
    ],
)
def test_manifests(refused, tmp_path, name, lines, words):
    manifest, out = tmp_path / name, tmp_path / "run"
    manifest.write_text("\n".join(line.format(CLIP) for line in lines))
    line = refused("train", RECIPE, "--manifest", manifest, "--out", out, *TINY)
    assert words in line
    assert not out.exists()


def test_letters_outside_the_alphabet(run_zoo, tiny_run, tmp_path):
    """A training that begins with a preset has the letters of its data."""
    manifest, out = tmp_path / "own.csv", tmp_path / "run"
    second = AN4 / "test/fcaw/cen1-fcaw-b.flac"
    rows = f"wav_filename,transcript,speaker\n{CLIP},GO,a\n{second},GRÖßER,b\n"
    manifest.write_text(rows, "utf-8")
    source = ("--manifest", manifest, "--init", tiny_run)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *settings(*TINY_TRAINING))
    assert answer.status == 0
    assert set(load_recipe(out).data.labels.symbols) == set("GOGRÖßER")
    # Such a transcript can be evaluated: its letters count as errors.
    assert run_zoo("evaluate", tiny_run, "--manifest", manifest).status == 0


def test_no_clip_is_usable(refused, tmp_path):
    short = settings("data.max_seconds=0.5")
    line = refused("train", RECIPE, "--data", AN4, "--out", tmp_path / "run", *TINY, *short)
    assert "No clip is usable: 8 longer than 0.5 s of 8 clips." in line
    assert holds_nothing(tmp_path)


# Folders to write ---------------------------------------------------------------------------------


def test_out_exists(refused, tmp_path, tiny_run):
    (tmp_path / "mine.txt").write_text("mine")
    for out in (tmp_path, tmp_path / "mine.txt", tiny_run):
        assert "already exists" in refused("train", RECIPE, "--data", AN4, "--out", out, *TINY)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("out", ["mine.txt/run", "mine.txt/a/b", "n" * 300])
def test_out_cannot_be_written(refused, tmp_path, tiny_run, out):
    (tmp_path / "mine.txt").write_text("mine")
    line = refused("train", RECIPE, "--data", AN4, "--out", tmp_path / out, *TINY)
    assert "cannot be written" in line
    line = refused("export", tiny_run, "--to", "savedmodel", "--out", tmp_path / out)
    assert "cannot be written" in line
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_disk_is_full_from_the_start(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", full_disk)
    out = tmp_path / "deep" / "run"
    line = refused("train", RECIPE, "--data", AN4, "--out", out, *TINY)
    assert "run.json cannot be written: No space left on device" in line
    assert holds_nothing(tmp_path)


def test_the_disk_is_full_after_an_epoch(run_zoo, tmp_path, monkeypatch, clips):
    monkeypatch.setattr(keras.Model, "save", full_disk)
    manifest, out = tmp_path / "own.csv", tmp_path / "deep" / "run"
    rows = "".join(f"{clip},ja,{clip}\n" for clip in clips)
    manifest.write_text(f"wav_filename,transcript,speaker\n{rows}")
    answer = run_zoo("train", RECIPE, "--manifest", manifest, "--out", out, *TINY)
    assert answer.status == 1
    line = answer.err.splitlines()[-1]
    assert line.startswith("zoo: ")
    assert "model.keras cannot be written: No space left on device" in line
    assert not out.exists()


def test_the_disk_is_full_in_an_export(refused, tiny_run, tmp_path, monkeypatch):
    import tensorflow as tf

    def full(module, folder, *_):
        Path(folder, "saved_model.pb").write_bytes(b"half")
        words = f"{folder}/variables/part; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, words)

    monkeypatch.setattr(tf.saved_model, "save", full)
    line = refused("export", tiny_run, "--to", "savedmodel", "--out", tmp_path / "a" / "b")
    assert line.endswith("/a/b/1 cannot be written: No space left on device.\n")
    assert holds_nothing(tmp_path)


def test_an_export_that_differs_is_removed(refused, tiny_run, tmp_path, monkeypatch):
    from zoo.common.export import onnx

    monkeypatch.setattr(onnx, "TOLERANCE", -1.0)
    line = refused("export", tiny_run, "--to", "onnx", "--out", tmp_path / "out")
    assert "differs from the Keras model" in line
    assert holds_nothing(tmp_path)
