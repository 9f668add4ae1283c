"""Test rescoring of CTC texts by a language model, compared with hand-computed sums."""

from pathlib import Path

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, Example, toy
from zoo.api.train import train
from zoo.common.core.errors import ZooError
from zoo.common.ctc.search import beam_search
from zoo.common.ctc.transcribe import transcribe
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.language_model.arpa import read_arpa
from zoo.common.language_model.ngram import END
from zoo.common.tasks.ctc import CTC
from zoo.common.tasks.rescoring import match_case, open_language_model, rescore

LETTERS = Labels(("A", "B", " "))
TEXT = "a b\nb a a\na b\na b a\na b\n" * 4


@pytest.fixture(scope="module")
def lm(tmp_path_factory):
    """Return a run of a bigram model of words in lower case."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "text.txt").write_text(TEXT)
    how = {"model.order": 2, "training.dev_fraction": 0.1}
    train("language/kn5-ptb", manifest=folder / "text.txt", out=folder / "run", overrides=how)
    return str(folder / "run")


def recording_logits():
    """Return logits that make "A A" slightly more probable than "A B"."""
    logits = np.full((5, LETTERS.size), -6.0, np.float32)
    for frame, symbol in enumerate(("A", " ", "A")):
        logits[frame, LETTERS.encode(symbol)] = 6
    logits[2, LETTERS.encode("B")] = 5.8
    logits[3:, 0] = 6  # blanks
    return logits


def log_prob(lm, line):
    """Return the log-probability; that of an unknown word is divided by the vocabulary size."""
    task, predictor = open_language_model(lm)
    unknown = [word for word in line.split() if word not in ("a", "b")]
    if len(unknown) == len(line.split()):  # `score` refuses such a text
        (log_probability,) = task.line_log_probs(predictor, [line])
    else:
        (answer,) = task.score(predictor, [f"{line}\n"])
        log_probability = answer["log_probability"]
    return log_probability - len(unknown) * np.log(len(predictor.data.vocabulary))


def test_texts_are_sorted_by_the_weighted_sum(lm):
    logits = recording_logits()
    decoder = CTCSearch(beam_width=20, n_best=8, rescore=lm, rescore_weight=0.7, word_bonus=0.3)
    recipe = toy(LETTERS, CTC(), decoder)
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits})
    found = [(LETTERS.text(h.labels), h.log_probability) for h in beam_search(logits, 20, 8)]
    assert found[0][0] == "A A"
    assert any(set(text.split()) - {"A", "B"} for text, _ in found)  # such as "AA"
    scores = [
        own + 0.7 * log_prob(lm, text.lower()) + 0.3 * len(text.split()) for text, own in found
    ]
    order = np.argsort(scores)[::-1]
    assert [row["output"] for row in answer["alternatives"]] == [found[i][0] for i in order]
    for row, i in zip(answer["alternatives"], order, strict=True):
        assert row["score"] == pytest.approx(scores[i], abs=1e-5)
        assert row["log_probability"] == pytest.approx(found[i][1])
    assert answer["output"] == "A B"
    assert answer["rescore_log_probability"] == pytest.approx(log_prob(lm, "a b"), abs=1e-6)


@pytest.mark.parametrize(("weight", "wer"), [(0.0, 0.5), (0.7, 0.0)])
def test_evaluate_rescores(lm, weight, wer):
    decoder = CTCSearch(beam_width=20, n_best=8, rescore=lm, rescore_weight=weight, word_bonus=0.0)
    recipe = toy(LETTERS, CTC(), decoder)
    evaluation = recipe.task.evaluate(
        recipe.predictor(GRAPHS), [Example("u", "A B", recording_logits())]
    )
    assert evaluation.metrics["wer"] == wer
    assert evaluation.rows[0]["raw"] == "A A"


def test_silence_has_the_probability_of_an_empty_line(lm):
    silence = np.zeros((3, LETTERS.size), np.float32)
    silence[:, 0] = 9
    decoder = CTCSearch(beam_width=4, n_best=2, rescore=lm)
    (found, *_) = rescore(transcribe(silence, decoder, LETTERS), decoder)
    expected = read_arpa(Path(lm) / "model.arpa.gz").score(np.array([END])).sum()
    assert found.text == ""
    assert found.scores["rescore_log_probability"] == pytest.approx(expected, abs=1e-6)


def test_words_have_the_case_of_the_vocabulary(lm):
    data = open_language_model(lm).predictor.data
    assert match_case(data, "A b XYZ") == "a b XYZ"
    assert match_case(data, "") == ""


def test_invalid_options(lm):
    with pytest.raises(ZooError, match="n_best must be at least 2 with rescore"):
        CTCSearch(beam_width=8, rescore=lm)
    with pytest.raises(ZooError, match=r"rescore_weight must be at least 0 .* Received: -1\.0"):
        CTCSearch(rescore_weight=-1.0)
    for name, message in (
        ("speech/bilstm-ctc-an4", "must name a language model"),
        ("language/nothing", "There is no preset and no run folder 'language/nothing'"),
        ("language/kn5-ptb", "is missing. Train the recipe: zoo train language/kn5-ptb"),
    ):
        recipe = toy(LETTERS, CTC(), CTCSearch(beam_width=8, n_best=4, rescore=name))
        with pytest.raises(ZooError, match=message):
            recipe.task.evaluate(recipe.predictor(GRAPHS), [])
