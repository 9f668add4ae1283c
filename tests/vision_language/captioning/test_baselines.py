"""The baselines of captioning."""

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

import zoo
from tests.vision_language.captioning.test_metrics import CAPTIONS, REFERENCES
from tests.vision_language.conftest import RECIPE
from zoo.vision_language.captioning.baselines import consensus
from zoo.vision_language.captioning.metrics import compute_metrics, row_metrics


def test_consensus_is_the_most_common_caption():
    captions = ["two boats", "a road in a wood", "a road in a field", "a road", "many boats"]
    vectorizer = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2)).fit(captions)
    similarities = cosine_similarity(vectorizer.transform(captions)).mean(axis=1)
    assert consensus(captions, vectorizer) == captions[similarities.argmax()] == captions[1]
    assert consensus([*captions, *captions[:1] * 5], vectorizer) == "two boats"


@pytest.mark.slow
def test_captions_of_similar_pictures_are_found(rsicd):
    result = zoo.baseline(RECIPE, data=rsicd)
    assert result.examples == 3
    assert result.metrics["copy_rate"] == 1
    assert result.baseline.startswith("consensus of the captions of")
    low, high = result.intervals["bleu1"]
    assert low <= result.metrics["bleu1"] <= high


def test_metrics_of_rows_are_those_of_the_evaluation():
    metrics, _, rows = compute_metrics(REFERENCES, CAPTIONS, copies=set())
    found = row_metrics(rows)
    assert set(found) == {"bleu1", "bleu2", "bleu3", "bleu4", "cider"}
    assert found == pytest.approx({name: metrics[name] for name in found})
