"""Sequence to sequence as a task: a sentence about an input, one token after another.

The input may be an image or a sentence: only the data and the encoder know which. The data is
`TargetSentences`, which says what a sentence is made of. The model has the graphs `encoder`, from an
input to each state of the model, constant ones too, as `next_<name>`; and `step`, from `tokens` int32
[batch, time] and the states to `logits` float32 [batch, time, vocabulary_size], the next states and
the `step_outputs` of the model.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.states import NEXT, StateSpec
from zoo.common.core.task import Evaluation, Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.vocabulary import END, PAD, START, UNKNOWN, Vocabulary
from zoo.common.decoding.decoders import SEARCHES, SequenceSearch
from zoo.common.decoding.generation import (
    NEG_INF,
    Decoded,
    beam_search,
    generate,
    graph_step,
    log_softmax,
    select_token,
)
from zoo.common.decoding.scores import token_scores

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

ENCODER, STEP = "encoder", "step"
EVALUATION_BATCH = 64

Reader = Callable[[Any], "Item"]


@dataclass(frozen=True)
class SequenceToSequence(Task):
    """A sentence about an input. The decoder is a `SequenceSearch`. Subclasses say how it is judged.

    label_smoothing: float. Share of a target's probability that is spread over the vocabulary in
        training (Szegedy et al., "Rethinking the Inception architecture", 2016, section 7).
    """

    # What the SavedModel calls the sentence.
    output_name: ClassVar[str] = "text"

    label_smoothing: float = 0.1

    def __post_init__(self):
        check_range("task.label_smoothing", self.label_smoothing, at_least=0, below=1)

    # What a subclass says

    @abstractmethod
    def compute_metrics(
        self, recipe: Recipe, examples: list[Any], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """The metrics of one sentence an example, the one that steers first; lines of a report; and a
        row for each example, with its `id`, what was wanted, `output` and its own figures."""

    def encoder(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> tuple[str, Reader]:
        """The graph that encodes examples where they are measured, and of an example what it takes."""
        return ENCODER, lambda example: recipe.data.read_example(example, recipe)

    # Learning

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean cross-entropy of a sentence's tokens and its end, in nats.

        Args:
            y: `targets` int32 [batch, time], and `lengths` int32 [batch], how many of them count.
            outputs: `logits` float32 [batch, time, vocabulary_size]; of an ensemble also
                `ensemble_logits`, a list of such arrays, whose losses are averaged: each of its models
                learns from its own answers.
        """
        ensemble = outputs.get("ensemble_logits", [outputs["logits"]])
        return sum(self._cross_entropy(y, logits) for logits in ensemble) / len(ensemble)

    def _cross_entropy(self, y: dict[str, Any], logits: Any) -> Any:
        from keras import ops

        from zoo.common.layers.cross_entropy import cross_entropy

        losses = cross_entropy(logits, y["targets"], self.label_smoothing)
        inside = ops.arange(ops.shape(losses)[1]) < y["lengths"][:, None]
        lengths = ops.cast(y["lengths"], "float32")
        return ops.sum(ops.where(inside, losses, 0.0), axis=1) / lengths

    # Use

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`. An example that cannot be read has an empty output.

        Raises:
            ZooError: the decoder draws.
        """
        started = time.perf_counter()
        check_search(recipe.decoder)
        outputs, errors = [""] * len(examples), {}
        log_probabilities = [0.0] * len(examples)
        encoder, read = self.encoder(graphs, recipe, examples)
        batches = evaluation_batches(recipe, examples, errors, EVALUATION_BATCH, read)
        for indices, inputs in batches:
            decoded = decode(recipe, graphs[STEP], graphs[encoder](**inputs), np)
            for row, i in enumerate(indices):
                outputs[i] = _text(recipe, decoded, row, 0)
                log_probabilities[i] = float(decoded.log_probability[row, 0])
        metrics, report, rows = self.compute_metrics(recipe, examples, outputs)
        for i, row in enumerate(rows):
            row |= (
                {"error": errors[i]} if i in errors else {"log_probability": log_probabilities[i]}
            )
        report += [f"Not readable, counted as empty: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the sentence with its log-probability in nats.

        Of several (`n_best`), `alternatives` lists all, the best first.
        """
        generator = np.random.default_rng(recipe.decoder.seed)
        states = graphs[ENCODER](**recipe.data.collate([item]))
        decoded = decode(recipe, graphs[STEP], states, np, generator)
        log_probabilities = decoded.log_probability[0].tolist()
        sentences = [
            {"output": _text(recipe, decoded, 0, i), "log_probability": log_prob}
            for i, log_prob in enumerate(log_probabilities)
            if log_prob > NEG_INF / 2  # fewer sentences than asked for may be possible
        ]
        answer = dict(sentences[0])
        return answer | ({"alternatives": sentences} if recipe.decoder.n_best > 1 else {})

    def score(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """See `Task.score`: of an input and sentences about it, each sentence's log-probability."""
        source, *texts = inputs
        if not texts:
            raise ZooError(
                f"{recipe.name} scores sentences about an input. Received: {source!r} alone."
            )
        item = recipe.data.read_input(source, recipe)
        states = graphs[ENCODER](**recipe.data.collate([item]))
        states = {spec.name: states[NEXT + spec.name] for spec in recipe.model.states}
        for text in texts:
            try:
                tokens = recipe.data.read_target(text)
            except ZooError as error:
                yield {"input": text, "error": str(error)}
                continue
            outputs = graphs[STEP](tokens=tokens[np.newaxis, :-1], **states)
            log_probs = log_softmax(outputs["logits"][0], np)
            log_probs = np.take_along_axis(log_probs, tokens[1:, np.newaxis], axis=-1)[:, 0]
            yield token_scores(text, recipe.data.vocabulary.decode(tokens[1:]), log_probs)

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Callable[[dict], dict]:
        """See `Task.answer_in_graph`: the best sentence, string [batch], and `log_probability` float32
        [batch], in nats.

        Raises:
            ZooError: the decoder draws.
        """
        import tensorflow as tf
        from keras import ops

        check_search(recipe.decoder)
        graphs = recipe.model.graphs(model)
        vocabulary = tf.constant(recipe.data.vocabulary.tokens)

        def step(**inputs):
            return graphs[STEP](inputs, training=False)

        @tf.autograph.experimental.do_not_convert  # its loops are those of keras.ops already
        def answer(inputs):
            decoded = decode(recipe, step, graphs[ENCODER](inputs, training=False), ops)
            tokens, lengths = decoded.tokens[:, 0], decoded.lengths[:, 0]
            pieces = tf.gather(vocabulary, tokens)
            pieces = tf.where(tf.range(tf.shape(tokens)[1]) < lengths[:, None], pieces, "")
            text = recipe.data.join_tokens_in_graph(pieces)
            return {self.output_name: text, "log_probability": decoded.log_probability[:, 0]}

        return answer


def decode(
    recipe: Recipe,
    step: Callable[..., dict[str, Any]],
    states: dict[str, Any],
    xp: Any,
    generator: np.random.Generator | None = None,
) -> Decoded:
    """Return the sentences that a recipe's decoder finds. See `zoo.common.decoding.generation`.

    Args:
        step: the graph. states: what the encoder gave, each state [rows, ...] as `next_<name>`.
        xp: the array namespace of both.
        generator: of draws; a search needs none. Draws are made in NumPy.

    Returns:
        `Decoded` of shape [rows, n_best, ...], whose extras are the model's `step_outputs`.
    """
    decoder, vocabulary = recipe.decoder, recipe.data.vocabulary
    specs = recipe.model.states
    states = {spec.name: states[NEXT + spec.name] for spec in specs}
    extras = _known_shapes(recipe.model.step_outputs, specs, states, xp)
    rows = xp.shape(states[specs[0].name])[0]
    start = xp.full((rows,), vocabulary.index(START), dtype="int32")
    end, max_length = vocabulary.index(END), decoder.max_length + 1
    mask, one_step = suppressed_token_mask(vocabulary), graph_step(step)

    def masked_step(tokens, states):
        outputs = one_step(tokens, states)
        return outputs | {"logits": outputs["logits"] + mask}

    if decoder.sampler in SEARCHES:
        width = decoder.beam_width if decoder.sampler == "beam" else 1
        return beam_search(
            masked_step,
            specs,
            start,
            states,
            width,
            max_length,
            end,
            xp,
            decoder.length_penalty,
            min(decoder.n_best, width),
            extras,
        )

    def select(logits, t):
        return select_token(decoder, logits, generator.random(len(logits), np.float32), xp)

    drawn = generate(masked_step, specs, start, states, select, max_length, xp, end, extras)
    tokens, lengths, log_probability, kept = drawn
    kept = {name: array[:, None] for name, array in kept.items()}
    return Decoded(tokens[:, None], lengths[:, None], log_probability[:, None], kept)


def suppressed_token_mask(vocabulary: Vocabulary) -> np.ndarray:
    """Return what is added to logits so that only words and the end are generated, float32 [size]."""
    mask = np.zeros(len(vocabulary), np.float32)
    mask[vocabulary.encode([PAD, UNKNOWN, START])] = NEG_INF
    return mask


def check_search(decoder: SequenceSearch) -> None:
    """Check that a decoder searches.

    Raises:
        ZooError: it draws, and would answer anew with each seed.
    """
    if decoder.sampler not in SEARCHES:
        raise ZooError(
            f"decoder.sampler must be {' or '.join(map(repr, SEARCHES))} where sentences are measured "
            f"or served. Received: {decoder.sampler!r}."
        )


def _text(recipe: Recipe, decoded: Decoded, row: int, i: int) -> str:
    """The i-th best sentence of a row."""
    tokens = decoded.tokens[row, i, : decoded.lengths[row, i]]
    return recipe.data.join_tokens(recipe.data.vocabulary.decode(tokens))


def _known_shapes(
    extras: Sequence[StateSpec], specs: Sequence[StateSpec], states: dict[str, Any], xp: Any
) -> list[StateSpec]:
    """`extras` with the size that an encoder gave the states' free axis in place of None."""
    sizes = [xp.shape(states[s.name])[1 + s.shape.index(None)] for s in specs if None in s.shape]
    return [
        replace(extra, shape=tuple(sizes[0] if n is None else n for n in extra.shape))
        for extra in extras
    ]
