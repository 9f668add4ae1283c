"""The baseline of language models is the n-gram model that the zoo counts."""

import numpy as np
import pytest

import zoo
from zoo.common.core.registry import entry
from zoo.common.language_model.ngram import count_ngrams
from zoo.language.modelling.data import SAMPLE


def test_perplexity_is_that_of_the_counted_model():
    recipe = entry("language/kn5-ptb").recipe().from_scratch()
    train, dev = recipe.data.split_dev(
        recipe.data.read_manifest(SAMPLE), recipe.training.dev_fraction, recipe.training.seed
    )
    data = recipe.adapt(train + dev).data
    (counted,), (scored,) = (
        [data.read_example(text, None)["tokens"][1:] for text in part] for part in (train, dev)
    )
    model = count_ngrams([counted], 5, data.vocabulary.tokens)
    expected = np.exp(-model.score(scored).mean())
    result = zoo.baseline("language/kn5-ptb", manifest=SAMPLE)
    assert result.baseline == "Kneser-Ney 5-grams"
    assert result.metrics["perplexity"] == pytest.approx(expected, rel=1e-4)
