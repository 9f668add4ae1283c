"""Test the cross-entropy: definition, gradients, graphs with unknown shapes, and XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.layers.cross_entropy import cross_entropy

VOCABULARY = 7
GENERATOR = np.random.default_rng(0)
LOGITS = (30 * GENERATOR.normal(size=(2, 3, VOCABULARY))).astype(np.float32)
TARGETS = GENERATOR.integers(VOCABULARY, size=(2, 3)).astype(np.int32)
UPSTREAM = GENERATOR.normal(size=(2, 3)).astype(np.float32)


def by_definition(smoothing=0.0):
    """Return the loss and its gradient times `UPSTREAM` in float64."""
    shares = np.exp(LOGITS.astype(np.float64))
    shares /= shares.sum(axis=-1, keepdims=True)
    wanted = (1 - smoothing) * np.eye(VOCABULARY)[TARGETS] + smoothing / VOCABULARY
    loss = -(wanted * np.log(shares)).sum(axis=-1)
    return loss, (shares - wanted) * UPSTREAM[..., np.newaxis]


def loss_and_gradient(logits, targets, smoothing=0.0):
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cross_entropy(logits, targets, smoothing)
    return loss, tape.gradient(loss, logits, output_gradients=tf.constant(UPSTREAM))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"jit_compile": True},
        {
            "input_signature": [
                tf.TensorSpec((None, None, VOCABULARY)),
                tf.TensorSpec((None, None), tf.int32),
            ]
        },
    ],
    ids=["static", "XLA", "unknown shapes"],
)
def test_loss_and_gradient_equal_the_definition(how):
    run = tf.function(loss_and_gradient, **how)
    loss, gradient = run(tf.constant(LOGITS), tf.constant(TARGETS))
    expected_loss, expected_gradient = by_definition()
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-6)


def test_label_smoothing_equals_the_definition():
    loss, gradient = loss_and_gradient(tf.constant(LOGITS), tf.constant(TARGETS), 0.1)
    expected_loss, expected_gradient = by_definition(0.1)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, atol=1e-6)


def test_large_logits_do_not_overflow():
    loss, gradient = loss_and_gradient(tf.constant(LOGITS + 1e4), tf.constant(TARGETS))
    expected_loss, expected_gradient = by_definition()
    np.testing.assert_allclose(loss, expected_loss, atol=2e-3)  # float32 near 10,000
    np.testing.assert_allclose(gradient, expected_gradient, atol=2e-3)


def test_bfloat16_logits_are_summed_in_float32():
    logits = tf.cast(LOGITS, tf.bfloat16)
    loss, gradient = loss_and_gradient(logits, tf.constant(TARGETS))
    expected = cross_entropy(tf.cast(logits, tf.float32), tf.constant(TARGETS))
    assert (loss.dtype, gradient.dtype) == (tf.float32, tf.bfloat16)
    np.testing.assert_array_equal(loss, expected)


def test_second_derivative_equals_keras():
    def twice(loss_of):
        logits = tf.constant(LOGITS / 30)
        with tf.GradientTape() as outer:
            outer.watch(logits)
            with tf.GradientTape() as inner:
                inner.watch(logits)
                loss = loss_of(logits)
            gradient = inner.gradient(loss, logits)
        return outer.gradient(gradient, logits, output_gradients=tf.constant(LOGITS))

    def keras_loss(logits):
        return keras.ops.sparse_categorical_crossentropy(TARGETS, logits, from_logits=True)

    actual = twice(lambda logits: cross_entropy(logits, tf.constant(TARGETS)))
    np.testing.assert_allclose(actual, twice(keras_loss), atol=1e-4)
