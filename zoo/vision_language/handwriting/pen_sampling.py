"""Sample drawings from a model of the density of the next point: the decoder and its loop.

The loop takes an array namespace `xp`: `numpy` for a model in any runtime, or `keras.ops` inside a
graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zoo.common.core.decoder import Decoder, option
from zoo.common.core.errors import check_range
from zoo.common.core.states import NEXT, StateSpec, next_states
from zoo.common.decoding.generation import while_loop, write_at
from zoo.vision_language.handwriting.pen_mixture import sample_point

MAX_BIAS, MAX_POINTS = 1_000, 10_000


@dataclass(frozen=True)
class StrokeSampling(Decoder):
    """Sample drawings point by point.

    Args:
        count: number of drawings.
        seed: random seed.
        bias: 0 samples from the density of the model; larger values make drawings neater and more
            similar.
        max_points: maximum number of generated points of a drawing.
    """

    count: int = option(1, "number of drawings")
    seed: int = option(0, "random seed")
    bias: float = option(
        0.0, "0 samples from the model; larger values, such as 1, make neater, similar drawings"
    )
    max_points: int = option(200, "maximum number of generated points of a drawing")

    def __post_init__(self):
        check_range("count", self.count, at_least=1, at_most=1_000)
        check_range("seed", self.seed, at_least=0, at_most=2**32 - 1)
        check_range("bias", self.bias, at_least=0, at_most=MAX_BIAS)
        check_range("max_points", self.max_points, at_least=1, at_most=MAX_POINTS)


class Drawn(NamedTuple):
    """Sampled drawings.

    Args:
        points: float32 [rows, max_points, 3], the offset from the previous point, and pen_up; 0
            after the end of a row.
        lengths: int32 [rows], the number of points.
    """

    points: Any
    lengths: Any


def noise(decoder: StrokeSampling) -> tuple[np.ndarray, np.ndarray]:
    """Return the random numbers of the drawings.

    Those of a drawing do not depend on `count`, and those of a point not on `max_points`.

    Returns:
        (uniforms float32 [count, max_points, 3], normals float32 [count, max_points, 2]).
    """
    length, uniforms, normals = decoder.max_points, [], []
    for i in range(decoder.count):
        first, second = (np.random.default_rng((decoder.seed, i, kind)) for kind in range(2))
        uniforms.append(first.random((length, 3), np.float32))
        normals.append(second.standard_normal((length, 2), np.float32))
    return np.stack(uniforms), np.stack(normals)


def draw(
    step: Callable[..., dict[str, Any]],
    specs: Sequence[StateSpec],
    first: Any,
    states: dict[str, Any],
    uniforms: Any,
    normals: Any,
    rounding: float,
    bias: Any,
    xp: Any,
) -> Drawn:
    """Sample one point after another until each drawing ends.

        outputs, states = step(point, states);  point ~ density(outputs)

    Args:
        step: the graph, with `points` float32 [rows, 1, 3] and the states by name as inputs.
        specs: the states of the model.
        first: float32 [rows, 3], the points that the first step reads.
        states: states before the first step, by name.
        uniforms: float32 [rows, max_points, 3], random numbers in [0, 1).
        normals: float32 [rows, max_points, 2], random numbers of the standard normal distribution.
        rounding: as in `zoo.vision_language.handwriting.pen_mixture.mixture`.
        bias: as in `zoo.vision_language.handwriting.pen_mixture.mixture`.
        xp: array namespace.

    Returns:
        The drawings. pen_up of the last point is 1, also if the drawing ends at `max_points`.
    """
    rows, max_points = xp.shape(uniforms)[0], xp.shape(uniforms)[1]

    def unfinished(t, points, done, *others):
        return (t < max_points) & ~xp.all(done)

    def body(t, points, done, lengths, out, states):
        outputs = step(points=points[:, None], **states)
        of_points = {
            name: value[:, 0] for name, value in outputs.items() if not name.startswith(NEXT)
        }
        points, ended = sample_point(
            of_points, xp.take(uniforms, t, axis=1), xp.take(normals, t, axis=1), rounding, bias, xp
        )
        ended = ended | (t == max_points - 1)
        last = xp.stack([points[:, 0], points[:, 1], xp.ones_like(points[:, 2])], axis=-1)
        points = xp.where(ended[:, None], last, points)
        out = write_at(out, points, t, ~done, xp)
        lengths = lengths + xp.array(~done, dtype="int32")
        return t + 1, points, done | ended, lengths, out, next_states(specs, outputs)

    start = (
        0,
        first,
        xp.zeros((rows,), dtype="bool"),
        xp.zeros((rows,), dtype="int32"),
        xp.zeros((rows, max_points, 3), dtype="float32"),
        states,
    )
    _, _, _, lengths, out, _ = while_loop(unfinished, body, start, xp)
    return Drawn(out, lengths)
