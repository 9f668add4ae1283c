"""How a text's log-probability is answered, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.common.core.metrics import perplexity


def token_scores(text: str, tokens: Sequence[str], log_probs: np.ndarray) -> dict[str, Any]:
    """Return the answer of `Task.score` to a text.

    Args:
        tokens: of the text, its end included. log_probs: float [tokens], of each, in nats.
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
