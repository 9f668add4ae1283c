"""The baselines of recognizers."""

import json

import pytest

import zoo
from tests.conftest import AN4
from zoo.common.data.labels import Labels

pytest.importorskip("pocketsphinx")

WORDS, PHONEMES = "speech/bilstm-ctc-an4", "speech/lstm-ctc-phoneme-an4"


def test_symbols_without_a_label_are_left_out():
    from zoo.speech.recognition.baselines import _encode, _in_case

    letters = Labels(("A", "B", " "))
    assert letters.text(_encode(_in_case("a-b a", letters), letters)) == "AB A"
    phonemes = Labels(("AH", "B"), "word")
    assert phonemes.text(_encode("SIL AH B +NSN+ AH", phonemes)) == "AH B AH"


def test_other_languages_are_refused(run_zoo, tmp_path):
    clips = sorted(AN4.glob("train/*/*.flac"))[:4]
    rows = [{"audio": str(clip), "text": "DREIUNDZWANZIG FENSTERLÄDEN"} for clip in clips]
    path = tmp_path / "talk.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    answer = run_zoo("baseline", WORDS, "--manifest", path)
    assert answer.status == 1
    line = answer.err.splitlines()[-1]
    assert "English transcripts" in line
    assert "Received: 0 such words of" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "metric", "most"), [(WORDS, "wer", 0.6), (PHONEMES, "per", 0.8)]
)
def test_pocketsphinx_recognizes_clips_of_an4(recipe, metric, most):
    result = zoo.baseline(recipe, data=AN4)
    assert result.baseline.startswith("PocketSphinx with")
    assert result.metrics[metric] <= most
    assert len(result.candidates) == 2
