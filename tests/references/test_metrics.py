"""Compare error rates, BLEU and perplexity with the metrics of keras_hub.

Known difference: with several references, `Bleu` takes the length of the shortest one for the brevity
penalty, the captioning metrics that of the closest one.
"""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from zoo.api.sources import find_source, read_split
from zoo.common.core import registry
from zoo.common.metrics.error_rates import error_rates

REFERENCES = [
    "the tiny little cat was found under the big funny bed",
    "it is sunny today",
    "one two three four five",
]
HYPOTHESES = [
    "the cat was found under the bed",
    "it is sunny with a cloud",
    "one two three four five",
]


def test_error_rates(keras_hub):
    examples = [SimpleNamespace(id=text, transcript=text) for text in REFERENCES]
    rates, _, _ = error_rates(examples, HYPOTHESES, HYPOTHESES, "wer")
    for name, split in (("wer", str.split), ("cer", list)):
        metric = keras_hub.metrics.EditDistance(normalize=True)
        for reference, hypothesis in zip(REFERENCES, HYPOTHESES, strict=True):
            metric.update_state(split(reference), split(hypothesis))
        assert rates[name] == pytest.approx(float(metric.result()), abs=1e-6)


def test_bleu_of_translations(keras_hub):
    pytest.importorskip("sacrebleu")
    from zoo.language.translation.task import Translation

    references = ["The cat, which is black, sat on the mat.", 'He said: "It costs 3,500.50 euros!"']
    outputs = ["The black cat sat on the mat.", 'He said: "It costs 3,500.50 dollars!"']
    examples = [SimpleNamespace(id=text, source="", target=text) for text in references]
    metrics, _, _ = Translation().compute_metrics(None, examples, outputs)
    metric = keras_hub.metrics.Bleu()
    metric.update_state([[text] for text in references], outputs)
    assert metrics["bleu"] == pytest.approx(float(metric.result()), abs=1e-5)
    assert 0.2 < metrics["bleu"] < 0.9


CAPTIONS = ["many planes are parked at an airport", "a river runs through green trees"]
LONG = "there are many planes parked at an airport"


@pytest.mark.parametrize(
    ("references", "is_equal"),
    [
        ([["many planes are parked near a building"], ["a river runs through dark trees"]], True),
        # The closest reference is the shortest one.
        (
            [["many planes are parked here", LONG + " now"], ["a river runs", "some trees " * 9]],
            True,
        ),
        # The closest reference is longer than the caption, and the shortest one is not.
        ([["planes", LONG], ["a river", "a river runs through some green trees"]], False),
    ],
)
def test_bleu_of_captions(keras_hub, references, is_equal):
    pytest.importorskip("pycocoevalcap")
    import tensorflow as tf

    from zoo.vision_language.captioning.captions import CaptionedImage
    from zoo.vision_language.captioning.metrics import compute_metrics

    examples = [CaptionedImage(of[0], Path(of[0]), tuple(of)) for of in references]
    metrics, _, _ = compute_metrics(examples, CAPTIONS, set())
    for order in (1, 2):
        metric = keras_hub.metrics.Bleu(tokenizer=tf.strings.split, max_order=order)
        metric.update_state(tf.ragged.constant(references), CAPTIONS)
        expected = float(metric.result())
        assert (metrics[f"bleu{order}"] == pytest.approx(expected, rel=1e-5)) == is_equal
        assert 0 < metrics[f"bleu{order}"] <= expected + 1e-6


def test_perplexity(keras_hub):
    """The perplexity of a language model is that of its logits for the whole text."""
    preset = zoo.load("language/charlstm-hello")
    predictor, corpus = preset.predictor, registry.entry("language/charlstm-hello").corpus
    examples = read_split(preset.recipe, corpus, find_source(None, None, corpus), "test")
    tokens = predictor.data.read_example(examples[0], predictor.model)["tokens"][None]
    states = {spec.name: np.zeros((1, *spec.shape), spec.dtype) for spec in predictor.model.states}
    logits = predictor.graphs["step"](tokens=tokens[:, :-1], **states)["logits"]
    metric = keras_hub.metrics.Perplexity(from_logits=True)
    metric.update_state(tokens[:, 1:], logits)
    task = replace(preset.recipe.task, monitor="perplexity")
    metrics = task.evaluate(predictor, examples).metrics
    assert metrics["perplexity"] == pytest.approx(float(metric.result()), rel=1e-4)
