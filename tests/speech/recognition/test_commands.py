"""From transcripts to a tuned language model: texts, train, tune-lm, predict."""

import json

import pytest

from tests.conftest import AN4

PRESET = "speech/bilstm-ctc-an4"
CLIP = AN4 / "test" / "mmxg" / "cen8-mmxg-b.flac"
OTHER_CLIP = AN4 / "test" / "fcaw" / "cen1-fcaw-b.flac"
SAID = "OCTOBER TWENTY FOUR NINETEEN SEVENTY"


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    """The ARPA file of AN4's texts here, as the documented commands make it."""
    from zoo.cli.main import main

    folder = tmp_path_factory.mktemp("lm")
    texts, run = folder / "an4.txt", folder / "run"
    command = ["texts", PRESET, "--data", str(AN4), "--split", "all", "--out", str(texts)]
    assert main(command) == 0
    order = ["--set", "model.order=3", "--set", "training.dev_fraction=0.02"]
    command = ["train", "language/kn5-ptb", "--manifest", str(texts), "--out", str(run)]
    assert main([*command, *order]) == 0
    return run / "model.arpa.gz"


@pytest.mark.parametrize(("split", "lines"), [("learnt", 8), ("dev", 4), ("test", 10), ("all", 22)])
def test_texts(run_zoo, tmp_path, split, lines):
    out = tmp_path / "texts.txt"
    chosen = [] if split == "learnt" else ["--split", split]
    answer = run_zoo("texts", PRESET, "--data", AN4, *chosen, "--out", out, "--json").json
    assert (answer["split"], answer["lines"]) == (split, lines)
    written = out.read_text().splitlines()
    assert len(written) == lines
    assert answer["words"] == sum(len(line.split()) for line in written)


def test_examples_without_transcripts_are_refused(refused, ar_run, laser_corpus, tmp_path):
    out = tmp_path / "texts.txt"
    line = refused("texts", ar_run, "--data", laser_corpus, "--out", out)
    assert "its examples have no transcripts" in line
    assert not out.exists()


def test_labels_are_not_texts(refused, tmp_path):
    manifest, out = tmp_path / "clips.csv", tmp_path / "texts.txt"
    manifest.write_text(f"wav_filename,label\n{CLIP},zero\n{OTHER_CLIP},one\n")
    line = refused(
        "texts", "speech/tdnn-fsdd", "--manifest", manifest, "--split", "all", "--out", out
    )
    assert "its examples have labels, not transcripts" in line
    assert not out.exists()


def test_the_weight_is_tuned_on_dev_and_used(run_zoo, lm, tmp_path):
    pytest.importorskip("flashlight.lib.text")
    out = tmp_path / "decoder.json"
    source = ("--data", AN4, "--split", "dev")
    tuning = ("--lm", lm, "--beam-width", 20, "--out", out, "--json")
    tuned = run_zoo("tune-lm", PRESET, *source, *tuning).json
    best = min(tuned["trials"], key=lambda trial: (trial["wer"], trial["cer"]))
    assert tuned["metrics"] == {"wer": best["wer"], "cer": best["cer"]}
    assert tuned["metrics"]["wer"] <= tuned["greedy"]["wer"]
    assert tuned["options"].keys() == {"beam_width", "lm_weight", "word_bonus"}
    assert tuned["options"]["beam_width"] == 20
    assert json.loads(out.read_text())["options"] == tuned["options"]

    rows = tmp_path / "rows.jsonl"
    known = ("--lm", lm, "--decoder", out)
    result = run_zoo("evaluate", PRESET, *source, *known, "--rows", rows, "--json").json
    assert result["metrics"]["wer"] == pytest.approx(tuned["metrics"]["wer"], abs=1e-6)
    lines = [json.loads(line) for line in rows.read_text().splitlines()]
    assert {"id", "reference", "output", "raw", "wer", "cer", "confidence"} == lines[0].keys()

    options = ("--n-best", 3, "--times", "--hot-word", "OCTOBER:2", "--hot-word", "GO:1", "--json")
    (answer,) = run_zoo("predict", PRESET, CLIP, *known, *options).json["predictions"]
    assert answer["output"] == SAID
    assert [word["word"] for word in answer["words"]] == SAID.split()
    assert all(0 < word["confidence"] <= 1 for word in answer["words"])
    scores = [one["score"] for one in answer["alternatives"]]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert answer["lm_log_probability"] < 0


def test_options_override_the_file(run_zoo, tmp_path, tiny_run):
    file = tmp_path / "decoder.json"
    file.write_text('{"options": {"beam_width": 2, "n_best": 2}}')
    options = ("--decoder", file, "--beam-width", 3, "--json")
    (answer,) = run_zoo("predict", tiny_run, CLIP, *options).json["predictions"]
    assert len(answer["alternatives"]) == 2
    narrow = ("--decoder", file, "--beam-width", 1, "--json")  # n_best widens the beam
    (answer,) = run_zoo("predict", tiny_run, CLIP, *narrow).json["predictions"]
    assert len(answer["alternatives"]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("{", "is not a decoder file"),
        ("[]", "is not a decoder file"),
        ('{"options": {"lm": "/etc/passwd"}}', "is not a decoder file"),
        ('{"options": {"lm_weight": NaN}}', "lm_weight must be at least 0"),
        ('{"options": {"weight": 1}}', "has no option --weight"),
    ],
)
def test_a_bad_decoder_file(refused, tiny_run, tmp_path, content, message):
    file = tmp_path / "decoder.json"
    file.write_text(content)
    assert message in refused("predict", tiny_run, CLIP, "--decoder", file)


def test_errors_of_the_search_are_reported_once(refused, tiny_run, lm, tmp_path):
    pytest.importorskip("flashlight.lib.text")
    lexicon = tmp_path / "words.txt"
    lexicon.write_text("caf\u00e9\n")
    inputs = (tiny_run, CLIP, CLIP)
    assert "has no word that the model can write" in refused(
        "predict", *inputs, "--lexicon", lexicon
    )
    assert "is missing" in refused("predict", *inputs, "--lm", tmp_path / "no.arpa")
    hot = ("--lm", lm, "--hot-word", "caf\u00e9:3")
    assert "hot_word has no word that the model can write" in refused("predict", *inputs, *hot)
    assert "hot_word requires lm or lexicon" in refused("predict", *inputs, "--hot-word", "GO:3")
    assert "lm must be given" in refused("tune-lm", tiny_run, "--data", AN4)


def test_a_preset_without_words_cannot_be_tuned(refused, ar_run, laser_corpus):
    line = refused("tune-lm", ar_run, "--data", laser_corpus)
    assert "does not decode with a language model of words" in line
