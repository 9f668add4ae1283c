"""Baselines of language models: n-grams with Kneser-Ney smoothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.language.modelling.ngrams import NGramLanguageModel

# The length of the n-grams for each tokenization.
ORDERS = {"word": 5, "character": 6}


def text_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return the n-gram model of the order that is usual for the tokens. See `Baselines.baselines`."""
    data = predictor.data
    order = ORDERS[data.tokenization]
    model = NGramLanguageModel(vocabulary_size=len(data.vocabulary), order=order)

    def fit() -> Predictor[Any, Any, Any]:
        graphs = Graphs("counts", model.functions(model.count(examples, data)))
        return replace(predictor, model=model, graphs=graphs)

    return [Baseline(f"Kneser-Ney {order}-grams", fit)]
