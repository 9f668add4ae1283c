"""The command line as a person and as a script meets it: answers, JSON, status, silence."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.conftest import AN4, RECIPE, RUN_FILES, TINY, TINY_TRAINING, settings
from zoo.cli import _parse
from zoo.common import presets

VERBS = ("list", "show", "train", "evaluate", "predict", "score", "export", "publish")
TEXTS = ("ja", "öl für wände")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def own_csv(tmp_path, clips) -> Path:
    """Recordings of one's own: lower case, umlauts, no speakers."""
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


# Help and start-up --------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_an_example_that_parses(run_zoo, verb):
    answer = run_zoo(verb, "--help")
    assert answer.status == 0
    example = re.search(r"^example:\n  zoo (.*)$", answer.out, re.MULTILINE)[1]
    assert example.startswith(verb)
    _parse(shlex.split(example))


def test_every_verb_is_in_the_help(run_zoo):
    answer = run_zoo("--help")
    assert answer.status == 0
    assert all(re.search(rf"^    {verb} ", answer.out, re.MULTILINE) for verb in VERBS)


def python(*arguments: str, **more) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(Path(zoo.__file__).parents[1])}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # this process has set it, a user has not
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, **more
    )


@pytest.mark.parametrize("command", [["list"], ["list", "speech/*", "--json"], ["show", RECIPE]])
def test_list_and_show_load_nothing_heavy(command):
    script = (
        "import sys; from zoo.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'tensorflow', 'keras', 'matplotlib', 'h5py'} & set(sys.modules);"
        "sys.exit(status or ','.join(heavy) or 0)"
    )
    started = time.perf_counter()
    done = python("-c", script, *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert RECIPE in done.stdout
    assert time.perf_counter() - started < 10


def test_predict_is_silent_but_for_its_answer(tiny_run, clips):
    done = python("-m", "zoo.cli", "predict", str(tiny_run), clips[0], "missing.wav", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1
    assert len(json.loads(done.stdout)["predictions"]) == 2


def test_train_says_its_epochs_alone_and_stops_at_ctrl_c(tmp_path, own_csv):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "zoo.cli", "train", RECIPE, "--manifest", str(own_csv)]
    command += ["--out", str(out), *TINY, *settings("training.epochs=100000")]
    environment = os.environ | {"PYTHONPATH": str(Path(zoo.__file__).parents[1])}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # Tests that run in the background are started deaf to it, and so would be their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    first = process.stderr.readline()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert first.startswith("epoch 1/100000  loss ")
    *epochs, last = stderr.splitlines()
    assert all(line.startswith("epoch ") for line in epochs)
    assert (process.returncode, stdout, last) == (130, "", "zoo: interrupted")
    assert names(out) == RUN_FILES


def test_nobody_reads_the_answer():
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "zoo.cli", "list"],
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=Path(zoo.__file__).parents[1],
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_the_answer_does_not_fit_on_the_disk():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "zoo.cli", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=Path(zoo.__file__).parents[1],
        )
    assert done.returncode == 1
    assert done.stderr.startswith(b"zoo: ")
    assert done.stderr.count(b"\n") == 1


# list, show ---------------------------------------------------------------------------------------


def test_list(run_zoo):
    rows = run_zoo("list", "speech/*", "--json").json["models"]
    assert [row["name"] for row in rows] == zoo.list_models("speech/*")
    assert set(rows[0]) == {"name", "corpus", "metric", "test", "summary"}
    lines = run_zoo("list").out.splitlines()
    assert [line.split()[0] for line in lines] == ["name", *zoo.list_models()]


def test_show_tells_of_the_corpus(run_zoo):
    about = run_zoo("show", RECIPE, "--json").json
    assert set(about["corpus"]) == {"name", "title", "licence", "source"}
    assert about["settings"]["optimizer.learning_rate"] > 0
    assert "name" not in about["settings"]
    text = run_zoo("show", RECIPE).out
    assert all(about["corpus"][key] in text for key in ("licence", "source"))
    assert "optimizer.learning_rate" in text


# predict ------------------------------------------------------------------------------------------


def test_predict(run_zoo, tiny_run, clips):
    answer = run_zoo("predict", tiny_run, *clips, "--json")
    assert answer.status == 0
    assert answer.err == ""
    assert set(answer.json) == {"preset", "predictions"}
    assert answer.json["preset"] == str(tiny_run)
    for clip, prediction in zip(clips, answer.json["predictions"], strict=True):
        assert set(prediction) == {"input", "output", "log_probability", "seconds"}
        assert prediction["input"] == clip
        assert prediction["log_probability"] < 0
    text = run_zoo("predict", tiny_run, *clips).out.splitlines()
    assert text == [f"{p['input']}: {p['output']}" for p in answer.json["predictions"]]
    (first, _) = answer.json["predictions"]
    assert run_zoo("predict", tiny_run, clips[0]).out == first["output"] + "\n"
    loaded = zoo.load(str(tiny_run))
    assert list(loaded.predict(clips)) == answer.json["predictions"]


def test_options_of_the_task(run_zoo, refused, tiny_run, clips):
    def answer(*options):
        (prediction,) = run_zoo("predict", "--json", *options).json["predictions"]
        return prediction

    wide = answer(tiny_run, clips[0])
    greedy = answer("--beam-width", "1", tiny_run, clips[0])
    assert greedy["log_probability"] < wide["log_probability"]  # of one path, not of all
    assert answer(tiny_run, "--beam-width=1", "--", clips[0]) == greedy
    line = refused("predict", tiny_run, clips[0], "--beam-with", "8")
    assert "has no option --beam-with. Valid: --beam-width." in line
    assert "task.beam_width is a whole number" in refused(
        "predict", tiny_run, clips[0], "--beam-width", "eight"
    )
    assert "expected one argument" in refused(
        "predict", tiny_run, clips[0], "--beam-width", status=2
    )


def test_score_is_for_texts(refused, tiny_run):
    assert "has no scores" in refused("score", tiny_run, "hello")


def test_a_name_that_is_no_text(run_zoo, tiny_run):
    answer = run_zoo("predict", tiny_run, "\udcff.wav", "--json")
    assert answer.json["predictions"][0]["input"] == "\udcff.wav"
    answer = run_zoo("predict", tiny_run, "\udcff.wav")
    assert (answer.status, answer.err) == (1, "")


# evaluate -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("split", "examples"),
    [([], 10), (["--split", "train"], 12), (["--split", "dev"], 4), (["--split", "all"], 22)],
)
def test_evaluate(run_zoo, tiny_run, split, examples):
    answer = run_zoo("evaluate", tiny_run, "--data", AN4, *split, "--json")
    assert (answer.status, answer.err) == (0, "")
    result = answer.json
    assert list(result) == ["preset", "corpus", "split", "examples", "seconds", "metrics"]
    assert result["preset"] == str(tiny_run)
    assert result["corpus"] == "an4"
    assert result["split"] == (split[1] if split else "test")
    assert result["examples"] == examples
    assert result["seconds"] > 0
    assert set(result["metrics"]) == {"wer", "cer"}


def test_dev_is_what_the_run_was_steered_by(run_zoo, tiny_run):
    result = run_zoo("evaluate", tiny_run, "--data", AN4, "--split", "dev", "--json").json
    (row,) = csv.DictReader((tiny_run / "metrics.csv").open())
    for metric, value in result["metrics"].items():
        assert value == pytest.approx(float(row[metric]), abs=1e-6)


def test_evaluate_reports(run_zoo, tiny_run):
    text = run_zoo("evaluate", tiny_run, "--data", AN4).out
    for word in ("substituted", "deleted", "inserted", "best", "median", "worst", "wer", "cer"):
        assert word in text


def test_evaluate_takes_the_corpus_from_the_environment(run_zoo, tiny_run, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(AN4.parent))
    assert run_zoo("evaluate", tiny_run, "--json").json["examples"] == 10


def test_a_folder_with_the_asked_for_split_alone(run_zoo, tiny_run, tmp_path):
    shutil.copytree(AN4 / "test", tmp_path / "test")
    shutil.copy(AN4 / "utterances.tsv", tmp_path)
    for split in ("test", "all"):
        answer = run_zoo("evaluate", tiny_run, "--data", tmp_path, "--split", split, "--json")
        assert answer.json["examples"] == 10


@pytest.mark.parametrize(("split", "examples"), [(None, 22), ("test", 10), ("train", 12)])
def test_evaluate_a_manifest(run_zoo, tiny_run, split, examples):
    manifest = AN4 / "utterances.tsv"
    chosen = ["--split", split] if split else []
    result = run_zoo("evaluate", tiny_run, "--manifest", manifest, *chosen, "--json").json
    assert result["corpus"] == str(manifest)
    assert result["split"] == (split or "all")
    assert result["examples"] == examples


# train --------------------------------------------------------------------------------------------


def test_train_leaves_a_run(run_zoo, tiny_run):
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
    assert answer.err.startswith("epoch 1/1  loss ")
    assert json.loads((out / "run.json").read_text())["examples"] == {"train": 2, "dev": 2}
    letters = sorted(set("".join(TEXTS)))
    assert (out / "alphabet.txt").read_text("utf-8").split("\n") == ["<blank>", *letters, ""]
    predictions = run_zoo("predict", out, *clips, "--json").json["predictions"]
    assert all(set(p["output"]) <= set(letters) for p in predictions)
    result = run_zoo("evaluate", out, "--manifest", own_json, "--json").json
    assert result["examples"] == 2


def test_init_starts_from_the_weights_of_a_run(run_zoo, tmp_path, tiny_run):
    out = tmp_path / "run"
    shutil.copytree(AN4 / "test" / "fcaw", tmp_path / "mine" / "fcaw")
    header, *lines = (AN4 / "utterances.tsv").read_text().splitlines()
    mine = [line.replace("test", "mine", 1) for line in lines if "fcaw" in line]
    manifest = tmp_path / "own.tsv"
    manifest.write_text("\n".join([header, *mine]))
    still = settings(*TINY_TRAINING, "optimizer.learning_rate=1e-12")
    source = ("--manifest", manifest, "--init", tiny_run)
    assert run_zoo("train", RECIPE, *source, "--out", out, *still).status == 0
    assert (out / "alphabet.txt").read_text() == (tiny_run / "alphabet.txt").read_text()
    weights = zip(
        zoo.load(str(out)).model.weights, zoo.load(str(tiny_run)).model.weights, strict=True
    )
    assert all(np.allclose(new, old, atol=1e-7) for new, old in weights)


def test_overfit_learns_what_it_is_given(run_zoo, tmp_path):
    out = tmp_path / "run"
    quick = settings(
        "training.epochs=8",
        "optimizer.learning_rate=0.02",
        "optimizer.warmup_epochs=0",
        "model.dropout=0",
        "training.batch_size=1",
    )
    source = ("--data", AN4, "--overfit", 1)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *TINY, *quick, "--json")
    assert answer.status == 0
    assert answer.json["best"]["wer"] == 0


def test_resume_after_ctrl_c_in_the_first_epoch(run_zoo, refused, tmp_path, own_csv, monkeypatch):
    from zoo.speech.task import SpeechCTC

    def interrupted(*_):
        raise KeyboardInterrupt

    out = tmp_path / "run"
    command = ("train", RECIPE, "--manifest", own_csv, "--out", out, *TINY)
    with monkeypatch.context() as patch:
        patch.setattr(SpeechCTC, "evaluate", interrupted)
        assert refused(*command, status=130) == "zoo: interrupted\n"
    assert "exists already" in refused(*command)
    resumed = run_zoo(*command, "--resume", "--json")
    assert resumed.json["epochs"] == 1
    assert names(out) == RUN_FILES
    # Letters of the dev clip, cut from the manifest, are in the alphabet too.
    assert set((out / "alphabet.txt").read_text("utf-8")) >= set("".join(TEXTS))
    # What is finished is answered from the record.
    again = run_zoo(*command, "--resume", "--json")
    assert again.json == resumed.json


# export, publish ----------------------------------------------------------------------------------


def test_export(run_zoo, refused, tiny_run, tmp_path):
    command = ("export", tiny_run, "--to", "savedmodel", "--out", tmp_path / "out")
    answer = run_zoo(*command, "--json")
    assert set(answer.json) == {"preset", "files"}
    (file,) = answer.json["files"]
    assert file["format"] == "savedmodel"
    assert Path(file["path"], "saved_model.pb").is_file()
    assert file["max_difference"] <= file["tolerance"]
    assert "exists already" in refused(*command)


def test_a_format_that_fails_does_not_stop_the_others(run_zoo, tiny_run, tmp_path, monkeypatch):
    from zoo.common.export import litert

    monkeypatch.setattr(litert, "TOLERANCE", -1.0)
    command = ("export", tiny_run, "--to", "litert,onnx", "--out", tmp_path)
    answer = run_zoo(*command, "--json")
    assert answer.status == 1
    assert [file["format"] for file in answer.json["files"]] == ["onnx"]
    assert answer.err.startswith("zoo: The litert file of 'model' differs from the Keras model by")
    assert answer.err.count("\n") == 1
    assert names(tmp_path) == {"onnx", "recipe.json", "alphabet.txt"}


def test_another_preset_is_not_overwritten(refused, tiny_run, tmp_path):
    shutil.copy(tiny_run / "alphabet.txt", tmp_path)
    recipe = json.loads((tiny_run / "recipe.json").read_text())
    recipe["training"]["epochs"] += 1
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    line = refused("export", tiny_run, "--to", "onnx", "--out", tmp_path)
    assert "holds another preset" in line
    assert names(tmp_path) == {"alphabet.txt", "recipe.json"}


def test_publish_makes_a_run_a_preset(run_zoo, refused, tiny_run, tmp_path, monkeypatch, clips):
    monkeypatch.setattr(presets, "ROOT", tmp_path / "saved_models")
    assert "Where is the corpus" in refused("publish", tiny_run)
    assert not presets.ROOT.exists()  # what cannot be measured is not published
    answer = run_zoo("publish", tiny_run, "--data", AN4, "--json")
    assert answer.status == 0
    assert answer.json["preset"] == RECIPE
    folder = presets.ROOT / RECIPE
    files = {"CARD.md", "alphabet.txt", "metrics.json", "model.keras", "recipe.json"}
    assert names(folder) == files
    assert names(folder.parent) == {folder.name}
    wer = answer.json["metrics"]["wer"]
    (row,) = run_zoo("list", RECIPE, "--json").json["models"]
    assert row["test"] == wer
    assert run_zoo("show", RECIPE, "--json").json["shipped"]
    assert f"{wer:.4f}" in (folder / "CARD.md").read_text()
    assert zoo.load(RECIPE).metrics["figures"]["test"]["metrics"]["wer"] == wer
    assert run_zoo("predict", RECIPE, clips[0]).status == 0
