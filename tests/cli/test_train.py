"""`zoo train`: runs on a corpus and on your own data, and interrupted runs."""

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import AN4, RECIPE, RUN_FILES, TINY, TINY_MODEL, TINY_TRAINING, settings
from zoo.common.tasks.ctc import CTC

TEXTS = ("ja", "öl für wände")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def own_csv(tmp_path, clips) -> Path:
    """Return a manifest of your own recordings: lower case, umlauts, no speakers."""
    path = tmp_path / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("wav_filename", "transcript"), *zip(clips, TEXTS, strict=True)]
        )
    return path


@pytest.fixture
def own_json(tmp_path, clips) -> Path:
    path = tmp_path / "own.jsonl"
    rows = [{"audio_filepath": c, "text": t} for c, t in zip(clips, TEXTS, strict=True)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def test_files_of_a_run(tiny_run):
    assert names(tiny_run) == RUN_FILES
    record = json.loads((tiny_run / "run.json").read_text())
    assert record["examples"] == {"train": 8, "dev": 4}
    assert record["recipe"]["training"]["seed"] == 0
    assert {"versions", "commit", "date", "data_checksum", "recipe"} <= set(record)


def test_own_recordings_from_scratch(run_zoo, tmp_path, own_csv, own_json, clips):
    out = tmp_path / "run"
    source = ("--manifest", own_json, "--dev-manifest", own_csv)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *TINY, "--json")
    assert answer.status == 0
    assert set(answer.json) == {"run", "recipe", "epochs", "best"}
    assert answer.json["run"] == str(out)
    assert answer.json["epochs"] == 1
    assert "wer" in answer.json["best"]
    assert "2 recording(s), in the layout of NeMo" in answer.err
    assert "\nepoch 1/1  loss " in answer.err
    assert json.loads((out / "run.json").read_text())["examples"] == {"train": 2, "dev": 2}
    letters = sorted(set("".join(TEXTS)))
    assert (out / "alphabet.txt").read_text("utf-8").split("\n") == ["<blank>", *letters, ""]
    predictions = run_zoo("predict", out, *clips, "--json").json["predictions"]
    assert all(set(p["output"]) <= set(letters) for p in predictions)
    result = run_zoo("evaluate", out, "--manifest", own_json, "--json").json
    assert result["examples"] == 2


# --overfit, --resume ------------------------------------------------------------------------------


@pytest.mark.slow
def test_overfit(run_zoo, tmp_path):
    out = tmp_path / "run"
    quick = settings(
        *TINY_MODEL,
        *TINY_TRAINING[1:],
        "training.epochs=8",
        "optimizer.learning_rate=0.02",
        "optimizer.warmup_epochs=0",
        "model.dropout=0",
        "training.batch_size=1",
    )
    source = ("--data", AN4, "--overfit", 1)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *quick, "--json")
    assert answer.status == 0
    assert answer.json["best"]["wer"] == 0


def hyperparameters(run):
    """Return the settings in the event file of a run."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    (path,) = (run / "tensorboard").glob("*.settings")
    values = [value for event in EventFileLoader(str(path)).Load() for value in event.summary.value]
    contents = [HParamsPluginData.FromString(v.metadata.plugin_data.content) for v in values]
    (started,) = [each.session_start_info for each in contents if each.session_start_info.hparams]
    return started.hparams


def test_resume_after_ctrl_c_in_the_first_epoch(run_zoo, refused, tmp_path, own_csv, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    out = tmp_path / "run"
    source = ("--manifest", own_csv, "--dev-manifest", own_csv)
    command = ("train", RECIPE, *source, "--out", out, *TINY)
    with monkeypatch.context() as patch:
        patch.setattr(CTC, "evaluate", interrupted)
        answer = run_zoo(*command)
    assert answer.status == 130
    assert "The first step compiles the model.\nThe first step took " in answer.err
    continued = f"zoo train {RECIPE} --out {out} --resume"
    assert f"{out} has no complete epoch. Continue: {continued}\n" in answer.err
    assert "already exists" in refused(*command)
    # The settings and the examples are those of the run.
    resumed = run_zoo(*continued.split()[1:], "--json")
    assert resumed.json["epochs"] == 1
    assert names(out) == RUN_FILES
    # The alphabet also has the letters of the dev examples.
    assert set((out / "alphabet.txt").read_text("utf-8")) >= set("".join(TEXTS))
    assert "model.hidden_size" in hyperparameters(out)
    other = refused("train", "speech/tdnn-ctc-an4", "--out", out, "--resume")
    assert f"its recipe was '{RECIPE}'. Received: 'speech/tdnn-ctc-an4'." in other
    # The answer of a finished run comes from its record.
    again = run_zoo(*command, "--resume", "--json")
    assert again.json == resumed.json


def test_your_own_text_is_not_a_test_split(refused):
    source = ("--manifest", "zoo/language/samples/hello.txt", "--split", "test")
    line = refused("evaluate", "language/charlstm-hello", *source)
    assert "There are: 'all'. Received: 'test'." in line
