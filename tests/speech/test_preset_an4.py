"""The shipped recogniser: what it is known to hear, and the numbers behind it."""

import numpy as np
import pytest

import zoo
from zoo.common.commands import evaluate
from zoo.speech.audio import read_audio
from zoo.speech.plots import plot_spikes
from zoo.speech.task import SAMPLES, pad

PRESET = "speech/bilstm-ctc-an4"


@pytest.fixture(scope="module")
def preset():
    return zoo.load(PRESET)


def test_golden_transcripts(preset):
    answers = list(preset.predict([str(path) for path in SAMPLES]))
    assert [answer["output"] for answer in answers] == [
        "ER AS E D V E FIFTY SIX",  # said: ERASE E D Z E FIFTY SIX
        "V A N E F S O",  # said: V A N E S S A
        "ENEVEN TWENTY SEVEN FIFTY SEVEN",  # said: ELEVEN TWENTY SEVEN FIFTY SEVEN
        "OCTOBER TWENTY FOUR NINETEEN SEVENTY",
    ]
    scores = [answer["log_probability"] for answer in answers]
    np.testing.assert_allclose(scores, [-2.022, -0.654, -0.408, -0.960], atol=0.05)


@pytest.mark.parametrize("beam_width", [1, 8, 32])
def test_the_decoder_in_the_graph_is_that_of_predict(preset, beam_width):
    recipe = preset.recipe.override({"task.beam_width": beam_width})
    waveforms, lengths = pad([read_audio(path, 16_000) for path in SAMPLES])
    graph = recipe.task.transcriber(preset.model)(waveforms, lengths)
    answers = recipe.task.predict(preset.graphs, recipe, [str(path) for path in SAMPLES])
    for answer, text, score in zip(
        answers, graph["text"].numpy(), graph["log_probability"].numpy(), strict=True
    ):
        assert answer["output"] == text.decode()
        assert answer["log_probability"] == pytest.approx(score, abs=1e-3)


def test_golden_logits(preset):
    waveform, lengths = pad([read_audio(SAMPLES[1], 16_000)])
    logits = preset.model({"waveform": waveform, "lengths": lengths})["logits"][0].numpy()
    expected = [15.9583, 1.7383, -6.8341, -2.8402, -4.7468, -3.5093]
    np.testing.assert_allclose(logits[10, :6], expected, atol=0.02)


def test_figures_of_the_shipped_clips(preset, an4):
    """On the ten test clips that travel along; `zoo evaluate` measures the full split."""
    result, report = evaluate(PRESET, data=an4, split="test")
    assert result["examples"] == 10
    assert result["metrics"]["wer"] <= 0.1
    assert preset.metrics["figures"]["test"]["metrics"]["wer"] <= 0.12
    assert sum(line.startswith("worst") for line in report) == 3


def test_the_picture_shows_every_letter(preset, tmp_path):
    plot_spikes(preset, SAMPLES[1], tmp_path / "spikes.png", reference="V A N E S S A")
    assert (tmp_path / "spikes.png").read_bytes().startswith(b"\x89PNG")
