"""Tests of the density of a next point: against SciPy, formulas of the paper, finite differences."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy.special import expit, logsumexp, softmax
from scipy.stats import multivariate_normal

from zoo.vision_language.handwriting.pen_mixture import (
    MIXTURE_OUTPUTS,
    PEN_OUTPUTS,
    log_density,
    mixture,
    point_nats,
    sample_point,
)
from zoo.vision_language.handwriting.stroke_generation import StrokeGeneration


def random_outputs(shape, components=4, seed=0, size=1.0, dtype=np.float64):
    generator = np.random.default_rng(seed)
    sizes = dict.fromkeys(MIXTURE_OUTPUTS, components) | dict.fromkeys(PEN_OUTPUTS, 1)
    return {k: generator.normal(0, size, (*shape, n)).astype(dtype) for k, n in sizes.items()}


def random_targets(shape):
    generator = np.random.default_rng(1)
    up = generator.random(shape) < 0.5
    end = up & (generator.random(shape) < 0.5)
    return np.concatenate([generator.normal(size=(*shape, 2)), np.stack([up, end], -1)], axis=-1)


def scipy_nats(outputs, target, rounding):
    """Return the three parts for one point, computed with distributions of SciPy."""
    weight, mean_x, mean_y, log_x, log_y, correlation = (outputs[k] for k in MIXTURE_OUTPUTS)
    logs = []
    for j, share in enumerate(softmax(weight)):
        sigma = np.exp([log_x[j], log_y[j]])
        rho = np.tanh(correlation[j])
        covariance = np.outer(sigma, sigma) * [[1, rho], [rho, 1]] + rounding**2 * np.eye(2)
        normal = multivariate_normal([mean_x[j], mean_y[j]], covariance)
        logs.append(np.log(share) + normal.logpdf(target[:2]))
    up, end = (expit(outputs[name][0]) for name in PEN_OUTPUTS)
    pen = up if target[2] else 1 - up
    last = (end if target[3] else 1 - end) if target[2] else 1.0
    return -logsumexp(logs), -np.log(pen), -np.log(last)


@pytest.mark.parametrize("rounding", [0.0, 0.03, 0.5])
def test_the_loss_equals_that_of_scipy(rounding):
    outputs, targets = random_outputs((20,)), random_targets((20,))
    assert set(map(tuple, targets[:, 2:])) == {(0, 0), (1, 0), (1, 1)}
    expected = np.array(
        [scipy_nats({k: v[i] for k, v in outputs.items()}, targets[i], rounding) for i in range(20)]
    )
    np.testing.assert_allclose(np.stack(point_nats(outputs, targets, rounding, np), 1), expected)
    single = {name: value.astype("float32") for name, value in outputs.items()}
    nats = point_nats(single, ops.convert_to_tensor(targets, "float32"), rounding, ops)
    np.testing.assert_allclose(np.stack(nats, 1), expected, atol=2e-5)


def test_without_rounding_the_density_is_that_of_the_paper():
    """Equations 24 and 25 of the paper."""
    outputs = random_outputs((), components=3, seed=5)
    x1, x2 = 0.4, -1.1
    weight, mu1, mu2, log1, log2, correlation = (outputs[k] for k in MIXTURE_OUTPUTS)
    s1, s2, rho = np.exp(log1), np.exp(log2), np.tanh(correlation)
    z = (x1 - mu1) ** 2 / s1**2 + (x2 - mu2) ** 2 / s2**2
    z = z - 2 * rho * (x1 - mu1) * (x2 - mu2) / (s1 * s2)
    normal = np.exp(-z / (2 * (1 - rho**2))) / (2 * np.pi * s1 * s2 * np.sqrt(1 - rho**2))
    expected = np.log(np.sum(softmax(weight) * normal))
    found = log_density(mixture(outputs, 0.0, np), np.array(x1), np.array(x2), np)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_the_density_integrates_to_one(bias):
    gaussians = mixture(random_outputs((), seed=3, size=0.5), 0.1, np, bias)
    axis = np.linspace(-12, 12, 401)
    x, y = np.meshgrid(axis, axis)
    total = np.exp(log_density(gaussians, x, y, np)).sum() * (axis[1] - axis[0]) ** 2
    np.testing.assert_allclose(total, 1, rtol=1e-4)


def loss_and_gradients(outputs, targets, lengths):
    """Return the loss of the task and its gradients, computed with TensorFlow."""
    import tensorflow as tf

    variables = {name: tf.Variable(value, dtype="float32") for name, value in outputs.items()}
    y = {"targets": tf.constant(targets, "float32"), "lengths": tf.constant(lengths)}
    with tf.GradientTape() as tape:
        values = {name: variable.value() for name, variable in variables.items()}
        loss = tf.reduce_mean(StrokeGeneration(rounding=0.03).loss(y, values))
    gradients = tape.gradient(loss, list(variables.values()))
    return float(loss), {name: g.numpy() for name, g in zip(variables, gradients, strict=True)}


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the test requires a gradient tape"
)
def test_gradients_equal_finite_differences():
    outputs, targets = random_outputs((2, 3)), random_targets((2, 3))
    lengths = np.array([3, 2], np.int32)
    loss, gradients = loss_and_gradients(outputs, targets, lengths)
    inside = np.arange(3) < lengths[:, None]

    def mean_nats(values):
        return np.mean(sum(point_nats(values, targets, 0.03, np))[inside])

    np.testing.assert_allclose(loss, mean_nats(outputs), rtol=1e-5)
    step = 1e-5
    for name, value in outputs.items():
        for index in np.ndindex(value.shape):
            moved = []
            for sign in (1, -1):
                changed = value.copy()
                changed[index] += sign * step
                moved.append(mean_nats(outputs | {name: changed}))
            slope = (moved[0] - moved[1]) / (2 * step)
            np.testing.assert_allclose(gradients[name][index], slope, rtol=1e-3, atol=2e-5)


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="the test requires a gradient tape"
)
@pytest.mark.parametrize("size", [30.0, 3000.0])
def test_no_output_makes_it_infinite(size):
    """Sigmas that vanish or explode, correlations of 1, means far away, in single precision."""
    outputs = random_outputs((4, 5), seed=2, size=size, dtype=np.float32)
    lengths = np.full(4, 5, np.int32)
    loss, gradients = loss_and_gradients(outputs, random_targets((4, 5)), lengths)
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())


def two_gaussians(rows):
    """Return the outputs of two distant components, equal in each row."""
    values = {
        "weight": np.log([0.7, 0.3]),
        "mean_x": [-5.0, 5.0],
        "mean_y": [1.0, 2.0],
        "log_sigma_x": np.log([0.5, 1.0]),
        "log_sigma_y": np.log([1.0, 0.3]),
        "correlation": np.arctanh([0.8, -0.5]),
        "pen_up": [np.log(0.4 / 0.6)],
        "end": [np.log(0.25 / 0.75)],
    }
    return {name: np.tile(np.array(value), (rows, 1)) for name, value in values.items()}


def sampled_points(rows, bias):
    generator = np.random.default_rng(0)
    uniforms, normals = generator.random((rows, 3)), generator.standard_normal((rows, 2))
    return sample_point(two_gaussians(rows), uniforms, normals, 0.1, bias, np)


def test_samples_have_the_distribution_of_the_density():
    points, end = sampled_points(40_000, 0.0)
    left = points[:, 0] < 0
    np.testing.assert_allclose(left.mean(), 0.7, atol=0.01)
    np.testing.assert_allclose(points[left, :2].mean(axis=0), [-5, 1], atol=0.02)
    expected = [[0.26, 0.4], [0.4, 1.01]]  # with 0.1 squared on the diagonal
    np.testing.assert_allclose(np.cov(points[left, :2].T), expected, atol=0.03)
    expected = [[1.01, -0.15], [-0.15, 0.1]]
    np.testing.assert_allclose(np.cov(points[~left, :2].T), expected, atol=0.03)
    np.testing.assert_allclose(points[:, 2].mean(), 0.4, atol=0.01)
    np.testing.assert_allclose(end[points[:, 2] == 1].mean(), 0.25, atol=0.02)
    assert not end[points[:, 2] == 0].any()


def test_a_bias_prefers_probable_components_and_reduces_variances():
    """Section 5.4: weights to the power of 1 + b, standard deviations times exp(-b)."""
    points, _ = sampled_points(40_000, 1.0)
    left = points[:, 0] < 0
    np.testing.assert_allclose(left.mean(), 0.49 / (0.49 + 0.09), atol=0.01)
    expected = np.array([[0.26, 0.4], [0.4, 1.01]]) * np.exp(-2)
    np.testing.assert_allclose(np.cov(points[left, :2].T), expected, atol=0.01)
