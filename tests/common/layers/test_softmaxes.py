"""Compare the output layers with direct computation, and the sampled losses with their expectation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.layers.softmaxes import (
    AdaptiveSoftmax,
    FullSoftmax,
    NoiseContrastive,
    SampledSoftmax,
)

VOCABULARY, FEATURES = 12, 8
LAYERS = {
    "full": lambda: FullSoftmax(VOCABULARY),
    "sampled": lambda: SampledSoftmax(VOCABULARY, num_sampled=5, seed=1),
    "noise": lambda: NoiseContrastive(VOCABULARY, num_sampled=5, seed=1),
    "adaptive": lambda: AdaptiveSoftmax(VOCABULARY, (4, 9), factor=2),
    "adaptive, one cluster": lambda: AdaptiveSoftmax(VOCABULARY, (7,)),
    "adaptive, no cluster": lambda: AdaptiveSoftmax(VOCABULARY, ()),
}
X = np.random.default_rng(0).normal(size=(2, 3, FEATURES)).astype(np.float32)
TARGETS = np.array([[0, 11, 4], [3, 8, 10]], np.int32)


def built(name):
    layer = LAYERS[name]()
    layer.build(X.shape)
    for i, weight in enumerate(layer.trainable_weights):
        weight.assign(np.random.default_rng(i + 1).normal(size=weight.shape))
    return layer


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))


@pytest.mark.parametrize("name", LAYERS)
def test_probabilities_of_all_words_sum_to_one(name):
    layer = built(name)
    log_probs = np.array(layer(X))
    assert log_probs.shape == layer.compute_output_shape(X.shape) == (2, 3, VOCABULARY)
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in LAYERS if "full" in name or "adaptive" in name])
def test_exact_loss_is_the_negative_log_probability(name):
    layer = built(name)
    chosen = np.take_along_axis(np.array(layer(X)), TARGETS[..., np.newaxis], axis=-1)[..., 0]
    np.testing.assert_allclose(layer.loss(X, TARGETS), -chosen, rtol=1e-5)


def test_adaptive_softmax_equals_its_equations():
    """The head has 4 words, the clusters 5 and 3 words; the vectors have 8, 4 and 2 dimensions."""
    layer = built("adaptive")
    head, *others = (np.array(weight) for weight in layer.weights)
    assert [weight.shape for weight in others] == [(8, 4), (5, 4), (8, 2), (3, 2)]
    x = X[0, 0]
    of_head = log_softmax(head @ x)
    expected = [
        *of_head[:4],
        *(of_head[4] + log_softmax(others[1] @ (x @ others[0]))),
        *(of_head[5] + log_softmax(others[3] @ (x @ others[2]))),
    ]
    np.testing.assert_allclose(layer(X)[0, 0], expected, rtol=1e-4)


def test_adaptive_softmax_without_targets_in_a_cluster():
    layer = built("adaptive")
    frequent = np.zeros((2, 3), np.int32)
    np.testing.assert_allclose(layer.loss(X, frequent), -np.array(layer(X))[..., 0], rtol=1e-5)


def test_samples_follow_q():
    layer = SampledSoftmax(VOCABULARY, num_sampled=100_000, seed=1)
    q = np.exp(np.array(layer.log_q(np.arange(VOCABULARY))))
    assert q.sum() == pytest.approx(1, rel=1e-5)
    assert (np.diff(q) < 0).all()
    drawn = np.bincount(np.array(layer.draw()), minlength=VOCABULARY) / 100_000
    np.testing.assert_allclose(drawn, q, atol=0.005)


def test_expectation_of_the_sampled_sum_is_the_sum_over_all_words():
    """The expectation over one sample is exact: the sum over all words of q times the estimate."""
    layer = SampledSoftmax(VOCABULARY, num_sampled=1)
    layer.build(X.shape)
    layer.set_weights(built("full").get_weights() + layer.get_weights()[2:])
    x, targets = X.reshape(-1, FEATURES), TARGETS.ravel()
    scores = np.array(layer.scores(x))
    of_targets = np.take_along_axis(scores, targets[:, np.newaxis], axis=1)[:, 0]
    expectation = np.zeros(len(x))
    for word in range(VOCABULARY):
        loss = np.array(layer.sampled_loss(x, targets, np.array([word])))
        q = np.exp(float(layer.log_q(word)))
        expectation += q * np.exp(loss + of_targets)
    np.testing.assert_allclose(expectation, np.exp(scores).sum(axis=1), rtol=1e-4)


def test_many_samples_give_the_full_loss():
    layer = SampledSoftmax(VOCABULARY, num_sampled=200_000, seed=1)
    layer.build(X.shape)
    layer.kernel.assign(built("full").kernel)
    full = FullSoftmax(VOCABULARY)
    full.build(X.shape)
    full.kernel.assign(layer.kernel)
    np.testing.assert_allclose(layer.loss(X, TARGETS), full.loss(X, TARGETS), rtol=0.02)


def test_noise_contrastive_gradient_is_0_at_log_probabilities():
    """The gradient of the expected loss, for targets from p and noise from q, is 0 only at o = log p."""
    layer = NoiseContrastive(VOCABULARY, num_sampled=3)
    layer.build((1, FEATURES))
    p = np.random.default_rng(5).dirichlet(np.ones(VOCABULARY))
    layer.kernel.assign(np.zeros((VOCABULARY, FEATURES)))
    words = np.arange(VOCABULARY)
    q = np.exp(np.array(layer.log_q(words)))
    x = tf.zeros((VOCABULARY, FEATURES))

    def gradient(bias):
        layer.bias.assign(bias)
        with tf.GradientTape() as tape:
            # noise[w] = target(0) + noise(w), found[w] = target(w) + noise(0): the constants cancel.
            noise = [layer.sampled_loss(x[:1], words[:1], np.full(3, word))[0] for word in words]
            found = layer.sampled_loss(x, words, np.zeros(3, int))
            expected = sum(p * found) + sum(q[word] * noise[word] for word in words) - noise[0]
        return np.array(tf.convert_to_tensor(tape.gradient(expected, layer.bias.value)))

    np.testing.assert_allclose(gradient(np.log(p)), 0, atol=1e-5)
    assert np.abs(gradient(np.log(p) + 0.1)).max() > 1e-3


@pytest.mark.parametrize("name", LAYERS)
def test_layer_learns_the_distribution_of_its_targets(name):
    """After a few hundred steps on one input, the probability of every word is near its frequency."""
    keras.utils.set_random_seed(0)
    layer = LAYERS[name]()
    if hasattr(layer, "num_sampled"):
        layer.num_sampled = 500
    layer.build((1, FEATURES))
    shares = np.arange(VOCABULARY, 0, -1) / np.arange(VOCABULARY + 1).sum()
    targets = np.repeat(np.arange(VOCABULARY), np.arange(VOCABULARY, 0, -1)).astype(np.int32)
    x = tf.ones((len(targets), FEATURES))
    optimizer = keras.optimizers.Adam(0.02)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(layer.loss(x, targets))
        weights = layer.trainable_weights
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        optimizer.apply(gradients, weights)

    optimizer.build(layer.trainable_weights)
    for _ in range(400):
        step()
    np.testing.assert_allclose(np.exp(layer(x[:1]))[0], shares, atol=0.03)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_from_config(name):
    layer = built(name)
    again = type(layer).from_config(layer.get_config())
    again.build(X.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X), layer(X))


def test_invalid_arguments():
    with pytest.raises(ZooError, match="vocabulary_size must be at least 2"):
        FullSoftmax(1)
    with pytest.raises(ZooError, match="num_sampled must be at least 1"):
        SampledSoftmax(10, num_sampled=0)
    for cutoffs in ((5, 5), (0,), (10,), (12,)):
        with pytest.raises(ZooError, match=r"cutoffs.* must be above"):
            AdaptiveSoftmax(10, cutoffs)
