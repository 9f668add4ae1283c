"""The answer to a request for the log-probability of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.common.core.metrics import perplexity


def total_perplexity(scores: Sequence[dict[str, Any]]) -> float | None:
    """Return the perplexity per token of scored texts; None if there is none.

    Args:
        scores: answers of `Scoring.score`. Errors are left out.
    """
    scored = [score for score in scores if "error" not in score]
    tokens = sum(len(score["tokens"]) for score in scored)
    nats = -sum(score["log_probability"] for score in scored)
    return perplexity(nats / tokens) if tokens else None


def token_scores(text: str, tokens: Sequence[str], log_probs: np.ndarray) -> dict[str, Any]:
    """Return the answer of `Scoring.score` to a text.

    Args:
        text: the input.
        tokens: the tokens of the text, with the end token.
        log_probs: float [tokens], the log-probability of each token in nats.
    """
    return {
        "input": text,
        "tokens": [
            {"token": token, "log_probability": float(log_prob)}
            for token, log_prob in zip(tokens, log_probs, strict=True)
        ],
        "log_probability": float(log_probs.sum()),
        "perplexity": perplexity(-log_probs.mean()),
    }
