"""Test the CTC task: hand-computed error rates, answers, timestamps, and the answers of a graph."""

import numpy as np
import pytest

from tests.common.tasks.toy import GRAPHS, Example, toy
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.ctc.loss import ctc_loss
from zoo.common.data.labels import BLANK_INDEX, Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.tasks.ctc import CTC

LETTERS = Labels.of(["abcdefghijklmnopqrstuvwxyz "], "character")
PHONEMES = Labels.of(["b ah aa sil"], "word")
# The best path is blank, blank. The most probable labelling is "a".
BLANKS = np.log([[0.6, 0.4 - 1e-9, 1e-9]] * 2)


def frames(path: list[int], labels: Labels) -> np.ndarray:
    """Return logits with a given best path."""
    logits = np.zeros((len(path), labels.size), np.float32)
    logits[np.arange(len(path)), path] = 9
    return logits


def logits_of(text: str, labels: Labels = LETTERS) -> np.ndarray:
    """Return logits of a text, with a frame of blank before each symbol."""
    path = [number for label in labels.encode(text) for number in (BLANK_INDEX, label)]
    return frames(path, labels)


EXAMPLES = [
    Example("u1", "go to it", logits_of("go it")),
    Example("u2", "a b", logits_of(" a  b c")),
    Example("u3", "yes", logits_of("no")),
    Example("u4", "one two", None),
]


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("monitor", ["wer", "cer"])
def test_error_rates(monitor, width):
    recipe = toy(LETTERS, CTC(monitor=monitor), CTCSearch(beam_width=width))
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    # Words: 1 of 3 deleted; 1 inserted, 2 in the reference; 1 of 1 substituted; 2 of 2 deleted.
    # Characters: 3 of 8 deleted; 2 inserted, 3 in the reference; 2 of 3 substituted and 1 deleted;
    # 7 of 7 deleted.
    assert evaluation.metrics == {"wer": 5 / 8, "cer": 15 / 21}
    assert next(iter(evaluation.metrics)) == recipe.task.monitor == monitor
    assert evaluation.num_examples == 4
    assert evaluation.seconds > 0
    rows = [
        {"id": "u1", "reference": "go to it", "output": "go it", "wer": 1 / 3, "cer": 3 / 8},
        {"id": "u2", "reference": "a b", "output": "a b c", "wer": 1 / 2, "cer": 2 / 3},
        {"id": "u3", "reference": "yes", "output": "no", "wer": 1.0, "cer": 1.0},
        {"id": "u4", "reference": "one two", "output": "", "wer": 1.0, "cer": 1.0},
    ]
    assert all(row.pop("confidence") > 0.99 for row in evaluation.rows[:3])
    assert evaluation.rows == [row | {"raw": row["output"]} for row in rows]
    assert {
        "words: 8 in the references, 1 substituted, 3 deleted, 1 inserted",
        "characters: 21 in the references, 2 substituted, 11 deleted, 2 inserted",
        "Unreadable, counted as deleted: u4 is broken",
    } <= set(evaluation.report)


def test_phoneme_error_rate():
    recipe = toy(PHONEMES, CTC(monitor="per"), CTCSearch())
    examples = [
        Example("u1", "sil b aa sil", logits_of("sil b ah sil", PHONEMES)),
        Example("u2", "b", logits_of("b", PHONEMES)),
    ]
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), examples)
    assert evaluation.metrics == {"per": 1 / 5}
    assert evaluation.rows[0]["output"] == "sil b ah sil"
    assert "phonemes: 5 in the references, 1 substituted, 0 deleted, 0 inserted" in (
        evaluation.report
    )


def test_evaluate_uses_the_options_of_the_decoder():
    """The most probable labelling is found with a beam, but is not that of the best path."""
    labels = Labels(("a", "b"))
    rates = {}
    for width in (1, 4):
        recipe = toy(labels, CTC(), CTCSearch(beam_width=width))
        evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [Example("u", "a", BLANKS)])
        rates[width] = evaluation.metrics["wer"]
    assert rates == {1: 1.0, 4: 0.0}


def test_an_answer_is_a_text_with_its_probability():
    labels = Labels(("a", "b"))
    recipe = toy(labels, CTC(), CTCSearch())
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": BLANKS})
    # Two frames, in which the blank has the probability 0.6.
    own = {"confidence": pytest.approx(0.6)}
    assert answer == {"output": "", "log_probability": pytest.approx(np.log(0.36))} | own
    recipe = toy(labels, CTC(), CTCSearch(beam_width=8, n_best=2))
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": BLANKS})
    best = {"output": "a", "log_probability": pytest.approx(np.log(0.64))}
    second = {"output": "", "log_probability": pytest.approx(np.log(0.36))}
    assert answer == best | {"alternatives": [best, second]} | own
    recipe = toy(labels, CTC(), CTCSearch(warn_below=0.61))
    answer = recipe.task.answer(recipe.predictor(GRAPHS), {"logits": BLANKS})
    assert answer["warning"].startswith(
        "this input is unlike the training data: the confidence 0.600"
    )


def test_timestamps_of_words():
    """Frames of 40 ms: two of "a", silence, a space, "b" and "c", a space that ends the text."""
    a, b, c, space = LETTERS.encode("abc ")
    blank = BLANK_INDEX
    logits = frames([blank, a, a, blank, space, space, blank, b, c, c, space], LETTERS)
    recipe = toy(LETTERS, CTC(), CTCSearch(times=True))
    assert recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits})["words"] == [
        {"word": "a", "begin": 0.04, "end": 0.12, "confidence": 0.9967},
        {"word": "bc", "begin": 0.28, "end": 0.4, "confidence": 0.9967},
    ]
    silence = frames([blank] * 4, LETTERS)
    assert recipe.task.answer(recipe.predictor(GRAPHS), {"logits": silence})["words"] == []


def test_timestamps_of_phonemes():
    sil, b, ah = PHONEMES.encode("sil b ah")
    recipe = toy(PHONEMES, CTC(monitor="per"), CTCSearch(times=True), seconds_per_frame=0.01)
    logits = frames([sil, sil, b, BLANK_INDEX, ah, sil], PHONEMES)
    assert recipe.task.answer(recipe.predictor(GRAPHS), {"logits": logits})["words"] == [
        {"word": "sil", "begin": 0.0, "end": 0.02, "confidence": 0.9995},
        {"word": "b", "begin": 0.02, "end": 0.03, "confidence": 0.9995},
        {"word": "ah", "begin": 0.04, "end": 0.05, "confidence": 0.9995},
        {"word": "sil", "begin": 0.05, "end": 0.06, "confidence": 0.9995},
    ]


def test_a_model_without_frame_duration_has_no_timestamps():
    recipe = toy(LETTERS, CTC(), CTCSearch(times=True), seconds_per_frame=None)
    with pytest.raises(ZooError, match="toy/one has no timestamps"):
        recipe.task.predict(recipe.predictor(GRAPHS), [EXAMPLES[2], EXAMPLES[3]])


def test_predict_continues_after_an_unreadable_input():
    recipe = toy(LETTERS, CTC(), CTCSearch())
    answers = list(recipe.task.predict(recipe.predictor(GRAPHS), [EXAMPLES[3], EXAMPLES[2]]))
    assert answers[0] == {"input": "<Example>", "error": "u4 is broken"}
    assert (answers[1]["input"], answers[1]["output"]) == ("<Example>", "no")
    assert answers[1]["frames"] == 4


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize(
    ("labels", "texts"),
    [(LETTERS, [" go  to it ", "a", "zoo"]), (PHONEMES, ["sil b aa sil", "b", "ah ah"])],
)
def test_the_graph_gives_the_same_answer(labels, texts, width):
    tf = pytest.importorskip("tensorflow")
    recipe = toy(labels, CTC(), CTCSearch(beam_width=width))
    items = [{"logits": logits_of(text, labels)} for text in texts]
    batch = recipe.data.collate(items)

    def model(inputs, training):
        assert not training
        return {"logits": inputs["x"], "logit_lengths": inputs["lengths"]}

    received = recipe.task.answer_in_graph(recipe.predictor(Graphs("graph", {"model": model})))(
        {name: tf.constant(array) for name, array in batch.items()}
    )
    for i, (item, text) in enumerate(zip(items, texts, strict=True)):
        answer = recipe.task.answer(recipe.predictor(GRAPHS), item)
        assert received["text"].numpy()[i].decode() == answer["output"] == " ".join(text.split())
        assert float(received["log_probability"][i]) == pytest.approx(
            answer["log_probability"], abs=1e-4
        )


def test_the_loss_is_the_ctc_loss():
    logits = np.random.default_rng(0).normal(size=(2, 6, 4)).astype(np.float32)
    batch = (
        logits,
        np.array([6, 4], np.int32),
        np.array([[1, 2], [3, 0]], np.int32),
        np.array([2, 1], np.int32),
    )
    loss = CTC().loss(
        {"labels": batch[2], "label_lengths": batch[3]},
        {"logits": batch[0], "logit_lengths": batch[1]},
    )
    np.testing.assert_array_equal(loss, ctc_loss(*batch))


def test_error_rates_are_plotted(tmp_path):
    recipe = toy(LETTERS, CTC(), CTCSearch())
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    (path,) = recipe.task.plot_evaluation(recipe.predictor(GRAPHS), evaluation, tmp_path)
    assert path == tmp_path / "error_rates.png"
    assert path.read_bytes().startswith(b"\x89PNG")


def test_invalid_monitor():
    with pytest.raises(ZooError, match=r"task\.monitor must be one of 'wer', 'cer', 'per'"):
        CTC(monitor="accuracy")


def test_symbols_that_the_model_cannot_write_give_a_warning(capsys):
    recipe = toy(LETTERS, CTC(), CTCSearch())
    recipe.task.evaluate(recipe.predictor(GRAPHS), EXAMPLES)
    assert "cannot answer" not in capsys.readouterr().err
    examples = [Example("u1", "GO TO", logits_of("go to")), EXAMPLES[1]]
    assert recipe.task.evaluate(recipe.predictor(GRAPHS), examples).metrics["wer"] > 0.5
    message = (
        "1 of 2 references have labels that the model cannot answer, and count as errors: 'G', 'O',"
    )
    assert message in capsys.readouterr().err


def test_the_normal_form_of_a_reference_has_no_effect():
    labels = Labels.of(["cafe\u0301"], "character")
    assert labels.symbols == ("a", "c", "f", "é")
    recipe = toy(labels, CTC(), CTCSearch())
    examples = [Example("u1", "cafe\u0301", logits_of("café", labels))]
    assert recipe.task.evaluate(recipe.predictor(GRAPHS), examples).metrics["wer"] == 0


def test_a_search_that_finds_no_word_says_so(tmp_path, capsys):
    pytest.importorskip("flashlight.lib.text.decoder")
    path = tmp_path / "words.txt"
    path.write_text("hello\n")
    recipe = toy(LETTERS, CTC(), CTCSearch(beam_width=20, lexicon=path))
    silence = frames([BLANK_INDEX] * 4, LETTERS)
    predictor = recipe.predictor(GRAPHS)
    assert recipe.task.answer(predictor, {"logits": silence})["output"] == ""
    assert "The search found no word of its lexicon" in capsys.readouterr().err
    examples = [Example("u1", "hello", logits_of("hello")), Example("u2", "hello", silence)]
    report = recipe.task.evaluate(predictor, examples).report
    assert "The search found no word in 1 examples." in report
