"""Test mixtures of language models, with weights computed by hand."""

import numpy as np
import pytest

from zoo.common.language_model.mixture import fit_weights, mix, perplexity


def test_weights_maximize_the_likelihood():
    """For a text with 7 a and 3 b, p(a) = 0.7 is best: 0.9 w + 0.1 (1 - w) = 0.7, so w = 0.75."""
    text = np.array([0] * 7 + [1] * 3)
    first, second = np.array([0.9, 0.1]), np.array([0.1, 0.9])
    log_probs = np.log([first[text], second[text]])
    weights = fit_weights(log_probs)
    np.testing.assert_allclose(weights, [0.75, 0.25], atol=1e-5)
    mixed = mix(log_probs, weights)
    np.testing.assert_allclose(np.exp(mixed), np.array([0.7, 0.3])[text], atol=1e-5)
    entropy = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    assert perplexity(mixed) == pytest.approx(np.exp(entropy))


def test_random_weights_are_not_better():
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(50), size=(3, 400))[:, :, 0])
    weights = fit_weights(log_probs)
    assert weights.sum() == pytest.approx(1)
    best = mix(log_probs, weights).mean()
    for other in np.random.default_rng(1).dirichlet(np.ones(3), size=200):
        assert mix(log_probs, other).mean() <= best + 1e-9
    assert best >= log_probs.mean(axis=1).max()


def test_model_that_is_always_worse_gets_weight_0():
    good = np.full(100, -1.0)
    np.testing.assert_allclose(fit_weights(np.stack([good, good - 1])), [1, 0], atol=1e-4)


def test_very_small_probabilities_do_not_underflow():
    log_probs = np.array([[-2000.0, -1.0], [-2001.0, -3000.0]])
    mixed = mix(log_probs, np.array([0.5, 0.5]))
    expected = np.logaddexp(*(log_probs + np.log(0.5)))
    np.testing.assert_allclose(mixed, expected)
    assert np.isfinite(fit_weights(log_probs)).all()
