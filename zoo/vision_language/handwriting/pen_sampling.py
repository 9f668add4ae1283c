"""Drawings from a model that gives the density of each next point: the decoder, and its loop.

The loop is written once, over an array namespace `xp`: `numpy`, around a model in any runtime, or
`keras.ops`, inside a graph.
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
    """Drawings, point by point, each drawn from the density that the model gives."""

    count: int = option(1, "how many drawings are made")
    seed: int = option(0, "fixes the drawings")
    bias: float = option(
        0.0, "0 draws as the model learnt to; more is neater and more alike, such as 1"
    )
    max_points: int = option(200, "the most points of a drawing, those it begins with not counted")

    def __post_init__(self):
        check_range("count", self.count, at_least=1, at_most=1_000)
        check_range("seed", self.seed, at_least=0, at_most=2**32 - 1)
        check_range("bias", self.bias, at_least=0, at_most=MAX_BIAS)
        check_range("max_points", self.max_points, at_least=1, at_most=MAX_POINTS)


class Drawn(NamedTuple):
    """What was drawn.

    points: float32 [rows, max_points, 3], the offset from the point before and whether the pen is lifted
        after it; 0 beyond the end. lengths: int32 [rows].
    """

    points: Any
    lengths: Any


def noise(decoder: StrokeSampling) -> tuple[np.ndarray, np.ndarray]:
    """Return what fixes the drawings: uniforms float32 [count, max_points, 3], normals [..., 2].

    A drawing has the same whatever `count` is, and the same first points whatever `max_points` is.
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
    """Go on from points, one drawn point at a time, until a drawing ends.

        outputs, states = step(point, states);  point ~ density(outputs)

    Args:
        step: the graph, of `points` float32 [rows, 1, 3] and the states by name. specs: of the states.
        first: float32 [rows, 3]. The points it reads first. states: those before them, by name.
        uniforms, normals: float32 [rows, max_points, 3] and [..., 2]. They fix the draws.
        rounding, bias: as of `zoo.vision_language.handwriting.pen_mixture.mixture`.

    Returns:
        `Drawn`. The pen of the last point is lifted, also where `max_points` ends a drawing.
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
