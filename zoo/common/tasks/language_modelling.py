"""Language modelling as a task: the probability of each token of a text after those before it.

Its model has a graph `step`, from `tokens` int32 [batch, time] and states to `logits` float32 [batch,
time, vocabulary] and the next states. Of its data it asks for items with `tokens` int32 [1 + tokens],
the first of which is the token that ends a line, for a `vocabulary`, and for texts of tokens:
`join_tokens`, `continue_text` and, in a graph, `continue_text_in_graph`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.metrics import perplexity
from zoo.common.core.states import initial_states, next_states
from zoo.common.core.task import Evaluation, Signature, Task, checked_batch
from zoo.common.data.batching import pad
from zoo.common.data.vocabulary import UNKNOWN
from zoo.common.decoding.decoders import LEAST_TEMPERATURE, MAX_LENGTH, MAX_TEMPERATURE
from zoo.common.decoding.generation import (
    generate,
    graph_step,
    greedy_token,
    log_softmax,
    select_token,
)
from zoo.common.decoding.scores import token_scores
from zoo.common.runtime.row_signatures import RowOption, by_rows, initial_states_in_graph
from zoo.common.utils.progress import progress

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

STEP = "step"
# Tokens that a model reads in one call; the states are carried on. Many make large arrays of logits.
READ_STEPS = 500

METRICS = ("perplexity", "nats_per_char")

# Of each row that a SavedModel is asked to continue.
OPTIONS = (
    RowOption("length", "int32", 1, MAX_LENGTH),
    RowOption("temperature", "float32", 0, MAX_TEMPERATURE),
    RowOption("seed", "int32"),
)


@dataclass(frozen=True)
class LanguageModelling(Task):
    """The next token of a text, from all before it. The decoder is a `Generation`.

    metric: str. "perplexity" of a token, or "nats_per_char", the negative log-probability by character.
    """

    verb: ClassVar[str] = "continue"

    metric: str = "perplexity"

    def __post_init__(self):
        check_choice("task.metric", self.metric, METRICS)

    # Learning

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean cross-entropy of a row's targets, in nats."""
        from keras import ops

        from zoo.common.layers.cross_entropy import cross_entropy

        return ops.mean(cross_entropy(outputs["logits"], y["targets"]), axis=1)

    # Use

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: every token counts, the states are carried over each whole text.

        There is a row for each line of a text.

        Raises:
            ZooError: the vocabulary has nothing of the texts but the ends of their lines.
        """
        started = time.perf_counter()
        unknown, ends = 0, 0
        rows: list[dict[str, Any]] = []
        nats, tokens, characters = 0.0, 0, 0
        for example in examples:
            indices = recipe.data.read_example(example, recipe)["tokens"]
            log_probs = _log_probs(graphs, recipe, indices[np.newaxis])[0]
            lines = _lines(recipe, example.id, indices, log_probs)
            unknown += _count_unknown(recipe, indices)
            ends += int(np.sum(indices[1:] == indices[0]))
            nats -= float(log_probs.sum())
            tokens += len(log_probs)
            characters += sum(len(row["text"]) for row in lines)
            rows += lines
        value = nats / characters if self.metric == "nats_per_char" else perplexity(nats / tokens)
        size = len(recipe.data.vocabulary)
        if unknown and unknown + ends == tokens:
            raise ZooError(f"None of the {unknown} tokens is among the {size} the model knows.")
        report = [f"{tokens} tokens of a vocabulary of {size}, {unknown} of them {UNKNOWN}"]
        return Evaluation({self.metric: value}, tokens, time.perf_counter() - started, report, rows)

    def token_log_probs(self, graphs: Graphs, recipe: Recipe, example: Any) -> np.ndarray:
        """Return the log-probability of each token of a text after those before it, float64 [tokens]."""
        indices = recipe.data.read_example(example, recipe)["tokens"]
        return _log_probs(graphs, recipe, indices[np.newaxis])[0]

    def line_log_probs(self, graphs: Graphs, recipe: Recipe, lines: Sequence[str]) -> np.ndarray:
        """Return the log-probability of each line as a text of its own, its end included, in nats.

        Args:
            lines: at least one. They are read side by side.

        Returns:
            float64 [lines].

        Raises:
            ZooError: a token that the vocabulary cannot stand for.
        """
        data = recipe.data
        rows = [
            data.vocabulary.encode([data.start, *data.split_tokens(f"{line}\n")]) for line in lines
        ]
        indices, lengths = pad([np.array(row, np.int32) for row in rows])
        log_probs = _log_probs(graphs, recipe, indices)
        inside = np.arange(log_probs.shape[1]) < lengths[:, np.newaxis] - 1
        return np.where(inside, log_probs, 0.0).sum(axis=1)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the prompt with what the model writes after it."""
        decoder, specs, indices = recipe.decoder, recipe.model.states, item["tokens"]
        states = initial_states(specs, 1)
        for outputs in _read(graphs, recipe, indices[np.newaxis, :-1]):
            states = next_states(specs, outputs)
        generator = np.random.default_rng(decoder.seed)
        uniforms = generator.random((1, decoder.length), np.float32)
        decoded = generate(
            graph_step(graphs[STEP]),
            specs,
            indices[-1:],
            states,
            lambda logits, t: select_token(decoder, logits, uniforms[:, t], np),
            decoder.length,
            np,
        )
        return {"output": recipe.data.continue_text(item["text"], decoded.tokens[0])}

    def score(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """See `Task.score`: the log-probability of each token, in nats, their sum, the perplexity."""
        for text in inputs:
            try:
                indices = recipe.data.read_input(text, recipe)["tokens"]
            except ZooError as error:
                yield {"input": text, "error": str(error)}
                continue
            log_probs = _log_probs(graphs, recipe, indices[np.newaxis])[0]
            yield token_scores(text, recipe.data.vocabulary.decode(indices[1:]), log_probs)

    # Delivery

    def signatures(self, model: Any, recipe: Recipe) -> dict[str, Signature]:
        """See `Task.signatures`.

        `serving_default`: `prompt` string [batch], `length` int32 [batch], `temperature` float32
        [batch], 0 for the likeliest token each time, and `seed` int32 [batch] to `text` string [batch],
        each prompt with its continuation. What is written for a row does not depend on the others.
        `score`: `text` string [batch] to `log_probabilities` float32 [batch, tokens], in nats, 0 after a
        text's end; `lengths` int32 [batch], its tokens; `log_probability` float32 [batch], their sum.
        """
        import tensorflow as tf

        raw = recipe.data.raw_inputs(recipe)
        prompts, texts = raw["serving_default"], raw["score"]

        def continue_one(prompt, length, temperature, seed):
            indices = prompts.to_inputs(prompt[tf.newaxis])["tokens"]
            tokens = _generate_in_graph(model, recipe, indices, length, temperature, seed)
            return recipe.data.continue_text_in_graph(prompt, tokens)

        continue_all = by_rows(continue_one, OPTIONS, tf.TensorSpec([], tf.string))

        def score(text):
            return _score_in_graph(model, recipe, **texts.to_inputs(*checked_batch([text])))

        spec = [*prompts.spec, *(option.spec for option in OPTIONS)]
        return {
            "serving_default": Signature(
                lambda *columns: {"text": continue_all(*columns)}, spec, prompts.resources
            ),
            "score": Signature(score, texts.spec, texts.resources),
        }


def _read(graphs: Graphs, recipe: Recipe, indices: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    """The outputs of the graph `step` for int32 [rows, tokens] from a text's start, part by part."""
    states = initial_states(recipe.model.states, len(indices))
    steps = _steps_a_part(indices)
    for i in range(0, indices.shape[1], steps):
        outputs = graphs[STEP](tokens=indices[:, i : i + steps], **states)
        states = next_states(recipe.model.states, outputs)
        yield outputs


def _steps_a_part(indices: np.ndarray) -> int:
    return max(1, READ_STEPS // len(indices))


def _log_probs(graphs: Graphs, recipe: Recipe, indices: np.ndarray) -> np.ndarray:
    """The log-probability of each token of int32 [rows, tokens] but the first after those before it.

    float64 [rows, tokens - 1].
    """
    count = -(-indices.shape[1] // _steps_a_part(indices))
    parts = progress(_read(graphs, recipe, indices[:, :-1]), "Reading", count, "part")
    log_probs = [np.zeros((len(indices), 0))]
    end = 1
    for outputs in parts:
        logits = outputs["logits"]
        start, end = end, end + logits.shape[1]
        targets = indices[:, start:end, np.newaxis]
        log_probs.append(np.take_along_axis(log_softmax(logits, np), targets, axis=-1)[:, :, 0])
    return np.concatenate(log_probs, axis=1, dtype=np.float64)


def _count_unknown(recipe: Recipe, indices: np.ndarray) -> int:
    vocabulary = recipe.data.vocabulary
    return int(np.sum(indices == vocabulary.index(UNKNOWN))) if UNKNOWN in vocabulary else 0


def _lines(
    recipe: Recipe, name: str, indices: np.ndarray, log_probs: np.ndarray
) -> list[dict[str, Any]]:
    """A row of an evaluation for each line: tokens up to the one that ends it."""
    tokens = recipe.data.vocabulary.decode(indices[1:])
    ends = [*(np.flatnonzero(indices[1:] == indices[0]) + 1).tolist(), len(tokens)]
    rows, start = [], 0
    for number, end in enumerate(ends, start=1):
        if end > start:
            rows.append(
                {
                    "id": f"{name}, line {number}",
                    "text": recipe.data.join_tokens(tokens[start:end]),
                    "num_tokens": end - start,
                    "log_probability": float(log_probs[start:end].sum()),
                }
            )
        start = end
    return rows


# In a TensorFlow graph


def _generate_in_graph(model, recipe, indices, length, temperature, seed):
    """int32 [length], what is written after `indices` int32 [1, tokens]."""
    import tensorflow as tf
    from keras import ops

    specs = recipe.model.states
    indices = tf.ensure_shape(
        indices, (1, None)
    )  # for Keras's own loop: one row, as the states have
    before = {"tokens": indices[:, :-1], **initial_states_in_graph(specs, 1)}
    uniforms = tf.random.stateless_uniform([1, length], [seed, 0])

    def select(logits, t):
        drawn = select_token(
            recipe.decoder, logits, uniforms[:, t], ops, tf.maximum(temperature, LEAST_TEMPERATURE)
        )
        return tf.where(temperature > 0, drawn, greedy_token(logits, ops))

    decoded = generate(
        graph_step(lambda **inputs: model(inputs, training=False)),
        specs,
        indices[:, -1],
        next_states(specs, model(before, training=False)),
        select,
        length,
        ops,
    )
    return decoded.tokens[0]


def _score_in_graph(model, recipe, tokens, lengths):
    """The answer of the signature `score`: see `LanguageModelling.signatures`."""
    import tensorflow as tf

    read, targets = tokens[:, :-1], tokens[:, 1:]
    states = initial_states_in_graph(recipe.model.states, tf.shape(read)[0])
    logits = model({"tokens": read, **states}, training=False)["logits"]
    log_probs = tf.gather(tf.nn.log_softmax(logits), targets, batch_dims=2)
    log_probs = tf.where(tf.sequence_mask(lengths, tf.shape(targets)[1]), log_probs, 0.0)
    return {
        "log_probabilities": log_probs,
        "lengths": lengths,
        "log_probability": tf.reduce_sum(log_probs, axis=1),
    }
