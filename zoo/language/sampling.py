"""What a language model writes: tokens chosen one after another, its states carried along."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common import decoding
from zoo.common.task import Graphs

if TYPE_CHECKING:
    from zoo.language.task import LanguageModelling


def continuation(
    graphs: Graphs, task: LanguageModelling, last: int, states: dict[str, np.ndarray]
) -> np.ndarray:
    """The tokens that follow, int32 [task.length].

    last: int. The token read last; states: those before it was read.

    Under Keras it is a sampler of keras_hub that walks, elsewhere `decoding.generate`: with the same
    seed both choose the same tokens.
    """
    return (_by_keras_hub if graphs.backend == "keras" else _by_numpy)(graphs, task, last, states)


def chooser(task: LanguageModelling, xp: Any, uniforms: Any) -> Callable[[Any, Any, Any], Any]:
    """How a task's sampler takes tokens from logits, in step t, at a temperature. See `decoding.chosen`.

    uniforms: float32 [rows, length] in [0, 1), what the draws are made by.
    """
    return lambda logits, t, temperature: decoding.chosen(
        task.sampler,
        logits,
        uniforms[:, t],
        xp,
        temperature=temperature,
        top_k=task.top_k,
        top_p=task.top_p,
    )


def _uniforms(task: LanguageModelling) -> np.ndarray:
    generator = np.random.default_rng(task.seed)
    return generator.random((1, task.length), np.float32)


def _step(graphs: Graphs, names: list[str]):
    """The graph as `decoding` calls a model."""

    def step(tokens, states):
        named = dict(zip(names, states, strict=True))
        outputs = graphs["step"](tokens=np.asarray(tokens, np.int32)[:, np.newaxis], **named)
        return outputs["logits"][:, -1], [outputs[f"next_{name}"] for name in names]

    return step


def _by_numpy(graphs, task, last, states):
    choose = chooser(task, np, _uniforms(task))
    decoded = decoding.generate(
        _step(graphs, list(states)),
        np.array([last], np.int32),
        list(states.values()),
        lambda logits, t: choose(logits, t, task.temperature),
        task.length,
        np,
    )
    return decoded.tokens[0]


def _by_keras_hub(graphs, task, last, states):
    import keras_hub
    from keras import ops

    step, choose = _step(graphs, list(states)), chooser(task, np, _uniforms(task))

    class Sampler(keras_hub.samplers.Sampler):
        """Draws by given numbers; the temperature is in the probabilities already."""

        def get_next_token(self, probabilities):
            token = choose(np.log(np.maximum(probabilities, 1e-30)), self.t, 1.0)
            self.t += 1
            return ops.convert_to_tensor(token)

    def following(prompt, cache, index):
        logits, cache = step(np.array(prompt)[:, int(index) - 1], [np.asarray(s) for s in cache])
        return ops.convert_to_tensor(logits), None, tuple(map(ops.convert_to_tensor, cache))

    sampler = Sampler(temperature=task.temperature)
    sampler.t = 0
    prompt = np.zeros((1, 1 + task.length), np.int32)
    prompt[0, 0] = last
    cache = tuple(map(ops.convert_to_tensor, states.values()))
    return np.array(sampler(following, ops.convert_to_tensor(prompt), cache, index=1))[0, 1:]
