"""Language models interpolated: p(w) = the sum over models of weight times what the model says of w.

The weights are those under which a text is likeliest, found by expectation maximisation (Dempster, Laird
& Rubin 1977; Jelinek & Mercer 1980).
"""

from __future__ import annotations

import numpy as np

# The weights have settled where none moves by more in a round, and do so in far fewer rounds.
SETTLED = 1e-7
MAX_ROUNDS = 10_000


def fit_weights(log_probs: np.ndarray) -> np.ndarray:
    """Return the weights of the mixture under which a text is likeliest.

    From equal weights, each round gives a model its share of the text: the mean over the tokens of
    weight * p(token) / the mixture's p(token). No round lowers the likelihood, which has one maximum.

    Args:
        log_probs: float64 [models, tokens], in nats: what each model gives each token of the text. At
            least one token.

    Returns:
        float64 [models], positive or 0, of sum 1.
    """
    # A factor of all models of a token changes nothing, and keeps exp in the range of numbers.
    probabilities = np.exp(log_probs - log_probs.max(axis=0))
    weights = np.full(len(log_probs), 1 / len(log_probs))
    for _ in range(MAX_ROUNDS):
        shares = weights[:, np.newaxis] * probabilities
        before, weights = weights, (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(weights - before).max() < SETTLED:
            break
    return weights / weights.sum()


def mix(log_probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of a mixture, float64 [tokens], in nats.

    Args:
        log_probs: float64 [models, tokens]. weights: float64 [models], of sum 1.
    """
    largest = log_probs.max(axis=0)
    return largest + np.log(weights @ np.exp(log_probs - largest))


def perplexity(log_probs: np.ndarray) -> float:
    """Return exp of the mean negative log-probability of tokens, float64 [tokens]."""
    return float(np.exp(-log_probs.mean()))
