"""Linear interpolation of language models: p(w) = sum over models i of weight_i * p_i(w).

The weights maximize the likelihood of a text. They are fitted by expectation maximization (Dempster,
Laird & Rubin 1977; Jelinek & Mercer 1980).
"""

from __future__ import annotations

import numpy as np

# The iteration ends when no weight changes by more than this, usually long before `MAX_ITERATIONS`.
TOLERANCE = 1e-7
MAX_ITERATIONS = 10_000


def fit_weights(log_probs: np.ndarray) -> np.ndarray:
    """Return the weights of the mixture that maximize the likelihood of a text.

    The iteration starts with equal weights. The new weight of a model is the mean over the tokens of
    weight * p(token) / p_mixture(token). The likelihood never decreases, and has one maximum.

    Args:
        log_probs: float64 [models, tokens], the log-probability of each token by each model in nats,
            with at least one token.

    Returns:
        float64 [models], at least 0, with sum 1.
    """
    # A common factor of all models has no effect, and prevents overflow and underflow of exp.
    probabilities = np.exp(log_probs - log_probs.max(axis=0))
    weights = np.full(len(log_probs), 1 / len(log_probs))
    for _ in range(MAX_ITERATIONS):
        shares = weights[:, np.newaxis] * probabilities
        before, weights = weights, (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(weights - before).max() < TOLERANCE:
            break
    return weights / weights.sum()


def mix(log_probs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of a mixture in nats, float64 [tokens].

    Args:
        log_probs: float64 [models, tokens], in nats.
        weights: float64 [models], with sum 1.
    """
    largest = log_probs.max(axis=0)
    return largest + np.log(weights @ np.exp(log_probs - largest))


def perplexity(log_probs: np.ndarray) -> float:
    """Return exp of the mean negative log-probability.

    Args:
        log_probs: float64 [tokens], in nats.

    Examples:
        >>> round(perplexity(np.log([0.5, 0.125])), 6)
        4.0
    """
    return float(np.exp(-log_probs.mean()))
