"""The shipped recognizer: golden outputs and metrics."""

import numpy as np
import pytest

import zoo
from zoo.api.evaluate import evaluate
from zoo.common.core.model import Graphs
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.plots import plot_spikes

PRESET = "speech/bilstm-ctc-an4"


@pytest.fixture(scope="module")
def preset():
    return zoo.load(PRESET)


@pytest.fixture(scope="module")
def batch(preset):
    """Return the example clips as one batch."""
    recipe = preset.recipe
    return recipe.data.collate(
        [recipe.data.read_input(path, recipe.model) for path in EXAMPLE_CLIPS]
    )


def test_golden_transcripts(preset):
    answers = list(preset.predict([str(path) for path in EXAMPLE_CLIPS]))
    assert [answer["output"] for answer in answers] == [
        "ER AS E D V E FIFTY SIX",  # reference: ERASE E D Z E FIFTY SIX
        "V A N E F S O",  # reference: V A N E S S A
        "ENEVEN TWENTY SEVEN FIFTY SEVEN",  # reference: ELEVEN TWENTY SEVEN FIFTY SEVEN
        "OCTOBER TWENTY FOUR NINETEEN SEVENTY",
    ]
    scores = [answer["log_probability"] for answer in answers]
    np.testing.assert_allclose(scores, [-2.022, -0.654, -0.408, -0.960], atol=0.05)


@pytest.mark.parametrize("beam_width", [1, 8, 32])
def test_the_decoder_in_a_graph_and_in_predict(preset, batch, beam_width):
    recipe = preset.recipe.override({"decoder.beam_width": beam_width})
    models = Graphs("keras", recipe.model.graphs(preset.model))
    graph = recipe.task.answer_in_graph(recipe.predictor(models))(batch)
    answers = recipe.task.predict(recipe.predictor(preset.graphs), EXAMPLE_CLIPS)
    for answer, text, score in zip(
        answers, graph["text"].numpy(), graph["log_probability"].numpy(), strict=True
    ):
        assert answer["output"] == text.decode()
        assert answer["log_probability"] == pytest.approx(score, abs=1e-3)


def test_times_of_words(preset):
    """Words are in order, within the recording of 2.3 s."""
    recipe = preset.recipe.override({"decoder.times": "true"})
    (answer,) = recipe.task.predict(recipe.predictor(preset.graphs), [EXAMPLE_CLIPS[3]])
    words = answer["words"]
    assert " ".join(word["word"] for word in words) == answer["output"]
    times = [time for word in words for time in (word["begin"], word["end"])]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= answer["seconds"] == 2.3


def test_golden_logits(preset, batch):
    logits = preset.graphs["model"](**batch)["logits"][1]
    expected = [15.9583, 1.7383, -6.8341, -2.8402, -4.7468, -3.5093]
    np.testing.assert_allclose(logits[10, :6], expected, atol=0.02)


def test_metrics(preset, an4):
    """On ten clips of the test split."""
    result = evaluate(PRESET, data=an4, split="test")
    assert result.examples == 10
    assert result.metrics["wer"] <= 0.1
    assert preset.metrics["figures"]["test"]["metrics"]["wer"] <= 0.12
    assert sum(line.startswith("worst") for line in result.report) == 3
    assert [row["id"] for row in result.rows] == [e.id for e in AN4.read(an4, "test")]


def test_plot_with_a_reference(preset, tmp_path):
    clip, picture = str(EXAMPLE_CLIPS[1]), tmp_path / "spikes.png"
    plot_spikes(preset.predictor, preset.recipe.task, clip, picture, reference="V A N E S S A")
    assert (tmp_path / "spikes.png").read_bytes().startswith(b"\x89PNG")
