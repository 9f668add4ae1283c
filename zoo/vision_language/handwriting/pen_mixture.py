"""The density of the next point of a pen: Gaussians for the offset, Bernoulli variables for the pen.

Graves, "Generating sequences with recurrent neural networks" (2013), section 4.1. The
outputs y^ of a network at a point give, for each component j,

    pi_j = softmax_j(y^_pi)   mu_j = y^_mu   sigma_j = exp(y^_sigma)   rho_j = tanh(y^_rho)   (18-22)

for the offset (x1, x2) of the next point, and e = sigmoid(y^_e), the probability that x3 = 1: the pen is
lifted after the point. The density of the next point is

    Pr(x) = sum_j pi_j N(x1, x2 | mu_j, sigma_j, rho_j) * (e if x3 = 1 else 1 - e)            (23)

and the loss is its negative logarithm (26). This module adds two extensions:

- A drawing ends, unlike the lines of the paper: where x3 = 1, f = sigmoid(y^_f) is the probability that
  the point is the last one. The density is multiplied by f or by 1 - f. This is equivalent to the three
  pen states of Ha and Eck, "A neural representation of sketch drawings" (2018), section 3.1.
- Recorded positions are integers. A component could shrink to an offset that many drawings have in
  common, with an unbounded density. Each component is therefore convolved with the rounding error, a
  Gaussian of standard deviation r. Its covariance is

    S_j = [[sigma_1^2, rho sigma_1 sigma_2], [rho sigma_1 sigma_2, sigma_2^2]] + r^2 I

  With r = 0, it is the covariance of the paper.

The functions of a density take an array namespace `xp`: `numpy`, or `keras.ops` in a graph.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from zoo.common.decoding.generation import log_softmax, sample_token

# The outputs of a network: those of the mixture [..., components], those of the pen [..., 1].
MIXTURE_OUTPUTS = ("weight", "mean_x", "mean_y", "log_sigma_x", "log_sigma_y", "correlation")
PEN_OUTPUTS = ("pen_up", "end")
# sigma is clipped to exp(-10) .. exp(10), so that its fourth power is finite in float32.
MAX_LOG_SIGMA = 10.0


class Mixture(NamedTuple):
    """Gaussians with the Cholesky factor [[a, 0], [b, c]] of the covariance S.

    Args:
        log_weight: float [..., components].
        mean_x: float [..., components].
        mean_y: float [..., components].
        a: float [..., components].
        b: float [..., components].
        c: float [..., components].
    """

    log_weight: Any
    mean_x: Any
    mean_y: Any
    a: Any
    b: Any
    c: Any


def mixture(outputs: dict[str, Any], rounding: float, xp: Any, bias: Any = 0.0) -> Mixture:
    """Return the Gaussians of a network's outputs.

    With t = exp(-2 |y^_rho|), 1 - rho^2 = 4 t / (1 + t)^2 is above 0 even if rho is rounded to 1, and
    det S = sigma_1^2 sigma_2^2 (1 - rho^2) + r^2 (sigma_1^2 + sigma_2^2) + r^4 is a sum of non-negative
    numbers. a^2 = S_11, b = S_12 / a, c^2 = det S / S_11.

    Args:
        outputs: float32 [..., components] by the names `MIXTURE_OUTPUTS`.
        rounding: r, in units of offsets.
        xp: array namespace.
        bias: b >= 0 of section 5.4: pi = softmax(y^_pi (1 + b)), and standard deviations times exp(-b).
            A larger bias makes drawings neater and more similar.
    """
    weight, mean_x, mean_y, log_x, log_y, correlation = (outputs[k] for k in MIXTURE_OUTPUTS)
    sigma_x, sigma_y = (xp.exp(xp.clip(s, -MAX_LOG_SIGMA, MAX_LOG_SIGMA)) for s in (log_x, log_y))
    var_x, var_y, var_r = sigma_x**2, sigma_y**2, rounding**2
    t = xp.exp(-2.0 * xp.abs(correlation))
    determinant = var_x * var_y * 4.0 * t / (1.0 + t) ** 2 + var_r * (var_x + var_y + var_r)
    a = xp.sqrt(var_x + var_r)
    b = xp.tanh(correlation) * sigma_x * sigma_y / a
    c = xp.sqrt(determinant) / a
    log_weight = log_softmax(weight * (1.0 + bias), xp)
    sharper = xp.exp(-1.0 * bias)
    return Mixture(log_weight, mean_x, mean_y, a * sharper, b * sharper, c * sharper)


def log_density(gaussians: Mixture, offset_x: Any, offset_y: Any, xp: Any) -> Any:
    """Return log sum_j pi_j N(x | mu_j, S_j) of offsets.

    With z = L^-1 (x - mu), log N = -log 2 pi - log a - log c - |z|^2 / 2.

    Args:
        gaussians: the mixture.
        offset_x: float [...].
        offset_y: float [...].
        xp: array namespace.

    Returns:
        float32 [...], in nats.
    """
    log_weight, mean_x, mean_y, a, b, c = gaussians
    z_x = (offset_x[..., None] - mean_x) / a
    z_y = (offset_y[..., None] - mean_y - b * z_x) / c
    logs = log_weight - xp.log(a) - xp.log(c) - (z_x**2 + z_y**2) / 2 - math.log(2 * math.pi)
    highest = xp.max(logs, axis=-1, keepdims=True)
    return highest[..., 0] + xp.log(xp.sum(xp.exp(logs - highest), axis=-1))


def next_points(points: np.ndarray) -> np.ndarray:
    """Return the next point of each point except the last.

    Args:
        points: float32 [points, 3].

    Returns:
        float32 [points - 1, 4]: the next point, and 1 if it is the last one of the drawing, else 0.
    """
    targets = np.pad(points[1:], ((0, 0), (0, 1)))
    targets[-1, 3] = 1
    return targets


def point_nats(outputs: dict[str, Any], targets: Any, rounding: float, xp: Any) -> tuple:
    """Return the negative log-density of next points in nats, in three parts.

    Args:
        outputs: outputs of the network, float32 [..., components] or [..., 1] by name.
        targets: float32 [..., 4]: the offset in x and y, 1 if the pen is lifted after the point,
            and 1 if the drawing ends with the point.
        rounding: as in `mixture`.
        xp: array namespace.

    Returns:
        The parts of the offset, the pen, and the end, float32 [...] each. The part of the end is 0
        if the pen is not lifted.
    """
    up, end = targets[..., 2], targets[..., 3]
    offset = -log_density(mixture(outputs, rounding, xp), targets[..., 0], targets[..., 1], xp)
    pen = -_log_sigmoid((2.0 * up - 1.0) * outputs["pen_up"][..., 0], xp)
    last = -up * _log_sigmoid((2.0 * end - 1.0) * outputs["end"][..., 0], xp)
    return offset, pen, last


def sample_point(
    outputs: dict[str, Any], uniforms: Any, normals: Any, rounding: float, bias: Any, xp: Any
) -> tuple:
    """Return next points sampled from the density.

    Args:
        outputs: outputs of the network at one point, float32 [rows, components] or [rows, 1] by name.
        uniforms: float32 [rows, 3] in [0, 1), which select the component, the pen and the end.
        normals: float32 [rows, 2] from the standard normal distribution; the offset is mu + L n.
        rounding: as in `mixture`.
        bias: as in `mixture`.
        xp: array namespace.

    Returns:
        (points float32 [rows, 3] of the offset and pen_up; bool [rows], whether the drawing ends).
    """
    gaussians = mixture(outputs, rounding, xp, bias)
    component = sample_token(gaussians.log_weight, uniforms[:, 0], xp)
    mean_x, mean_y, a, b, c = (
        xp.take_along_axis(each, component[:, None], axis=-1)[:, 0] for each in gaussians[1:]
    )
    offset_x = mean_x + a * normals[:, 0]
    offset_y = mean_y + b * normals[:, 0] + c * normals[:, 1]
    up, end = (
        uniforms[:, 1 + i] < xp.exp(_log_sigmoid(outputs[name][:, 0], xp))
        for i, name in enumerate(PEN_OUTPUTS)
    )
    return xp.stack([offset_x, offset_y, xp.array(up, dtype="float32")], axis=-1), up & end


def _log_sigmoid(x: Any, xp: Any) -> Any:
    """Return log(1 / (1 + exp(-x))) without overflow."""
    return xp.minimum(x, 0.0) - xp.log1p(xp.exp(-xp.abs(x)))
