"""Sequence to sequence: a sentence about an input, generated token by token.

The input may be an image or a sentence; only the data and the encoder depend on its kind.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import Scoring, ThresholdChoice
from zoo.common.core.data import Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import NEXT, STEP, StateSpec
from zoo.common.core.task import Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.target_sentences import TargetSentences
from zoo.common.data.vocabulary import END, PAD, START, UNKNOWN, Vocabulary
from zoo.common.decoding.confidence import CONFIDENCE, choose_warn_below, confidence, warned
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

ENCODER = "encoder"
# An encoder that finds whole sentences, such as a baseline, returns them under this name instead of
# states: object [batch].
SENTENCES = "sentences"
EVALUATION_BATCH = 64

Reader = Callable[[Any], Item]
Generator = Predictor[TargetSentences, ModelConfig, SequenceSearch]


@dataclass(frozen=True)
class SequenceToSequence(Task, Scoring, ThresholdChoice):
    """Answer with a generated sentence. Subclasses define its metrics.

    The model has the graphs `encoder`, from an input to each state of the model as `next_<name>`,
    including constant ones; and `step`, from `tokens` int32 [batch, time] and the states to `logits`
    float32 [batch, time, vocabulary_size], the next states and the model's `step_outputs`.

    Args:
        monitor: a metric of the subclass.
        label_smoothing: share of a target's probability that is spread over the vocabulary in training
            (Szegedy et al., "Rethinking the Inception architecture", 2016, section 7).
    """

    # Name of the sentence in the outputs of the SavedModel.
    output_name: ClassVar[str] = "text"

    label_smoothing: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        check_range("task.label_smoothing", self.label_smoothing, at_least=0, below=1)

    @abstractmethod
    def compute_metrics(
        self, data: Any, examples: list[Any], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """Return metrics, lines of a report, and a row for each example.

        Args:
            data: the data of the recipe.
            examples: the examples of a split.
            outputs: one sentence per example.

        Returns:
            Metrics by name, the monitored one first; lines of text; and rows with `id`, the reference,
            `output` and the metrics of the example.
        """

    def encoder(self, predictor: Generator, examples: list[Any]) -> tuple[str, Reader]:
        """Return the graph that encodes examples in an evaluation, and a function that reads one."""
        data, model = predictor.data, predictor.model
        return ENCODER, lambda example: data.read_example(example, model)

    # Training

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of a sentence's tokens and its end, in nats.

        Args:
            y: `targets` int32 [batch, time], and `lengths` int32 [batch], the number of valid targets.
            outputs: `logits` float32 [batch, time, vocabulary_size]. An ensemble also has
                `ensemble_logits`, a list of such arrays whose losses are averaged, since each model
                learns from its own outputs.
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

    def evaluate(self, predictor: Generator, examples: list[Any]) -> Evaluation:
        """Return the metrics of the subclass. An unreadable example has an empty output.

        Raises:
            ZooError: the decoder samples.
        """
        started = time.perf_counter()
        check_search(predictor.decoder)
        outputs = [""] * len(examples)
        errors: dict[int, str] = {}
        scores: list[dict[str, float]] = [{}] * len(examples)
        encoder, read = self.encoder(predictor, examples)
        batches = evaluation_batches(
            predictor.data, predictor.model, examples, errors, EVALUATION_BATCH, read
        )
        for indices, inputs in batches:
            encoded = predictor.graphs[encoder](**inputs)
            if SENTENCES in encoded:
                for i, sentence in zip(indices, encoded[SENTENCES], strict=True):
                    outputs[i] = sentence
                continue
            decoded = decode(predictor, predictor.graphs[STEP], encoded, np)
            for row, i in enumerate(indices):
                outputs[i] = _text(predictor.data, decoded, row, 0)
                scores[i] = _scores(decoded, row)
        metrics, report, rows = self.compute_metrics(predictor.data, examples, outputs)
        for i, fields in enumerate(rows):
            fields |= {"error": errors[i]} if i in errors else scores[i]
        report += [f"Unreadable, counted as empty: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def answer(self, predictor: Generator, item: Item) -> dict[str, Any]:
        """Return the sentence, its log-probability in nats, and the confidence.

        With `n_best`, `alternatives` lists several sentences, the best first. A confidence below
        `warn_below` gives a `warning`.
        """
        generator = np.random.default_rng(predictor.decoder.seed)
        states = predictor.graphs[ENCODER](**predictor.data.collate([item]))
        decoded = decode(predictor, predictor.graphs[STEP], states, np, generator)
        log_probabilities = decoded.log_probability[0].tolist()
        sentences = [
            {"output": _text(predictor.data, decoded, 0, i), "log_probability": log_prob}
            for i, log_prob in enumerate(log_probabilities)
            if log_prob > NEG_INF / 2  # there may be fewer sentences than requested
        ]
        answer = sentences[0] | _scores(decoded, 0)
        answer |= {"alternatives": sentences} if predictor.decoder.n_best > 1 else {}
        return warned(answer, predictor.decoder.warn_below)

    def choose_threshold(
        self, predictor: Generator, evaluation: Evaluation, examples: list[Any]
    ) -> tuple[dict[str, float], str]:
        return choose_warn_below(evaluation)

    def score(self, predictor: Generator, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the log-probability of each sentence about an input.

        Args:
            predictor: the trained model.
            inputs: the input, then sentences about it.
        """
        source, *texts = inputs
        if not texts:
            raise ZooError(
                f"{predictor.name} scores sentences about an input: both must be given. "
                f"Received: {source!r}."
            )
        item = predictor.data.read_input(source, predictor.model)
        states = predictor.graphs[ENCODER](**predictor.data.collate([item]))
        states = {spec.name: states[NEXT + spec.name] for spec in predictor.model.states}
        for text in texts:
            try:
                tokens = predictor.data.read_target(text)
            except ZooError as error:
                yield {"input": text, "error": str(error)}
                continue
            outputs = predictor.graphs[STEP](tokens=tokens[np.newaxis, :-1], **states)
            log_probs = log_softmax(outputs["logits"][0], np)
            log_probs = np.take_along_axis(log_probs, tokens[1:, np.newaxis], axis=-1)[:, 0]
            yield token_scores(text, predictor.data.vocabulary.decode(tokens[1:]), log_probs)

    def answer_in_graph(self, predictor: Generator) -> Callable[[dict], dict]:
        """Return the best sentence, string [batch], and `log_probability` float32 [batch], in nats.

        Raises:
            ZooError: the decoder samples.
        """
        import tensorflow as tf
        from keras import ops

        check_search(predictor.decoder)
        vocabulary = tf.constant(predictor.data.vocabulary.tokens)

        def step(**inputs):
            return predictor.graphs[STEP](inputs, training=False)

        @tf.autograph.experimental.do_not_convert  # its loops already use keras.ops
        def answer(inputs):
            states = predictor.graphs[ENCODER](inputs, training=False)
            decoded = decode(predictor, step, states, ops)
            tokens, lengths = decoded.tokens[:, 0], decoded.lengths[:, 0]
            pieces = tf.gather(vocabulary, tokens)
            pieces = tf.where(tf.range(tf.shape(tokens)[1]) < lengths[:, None], pieces, "")
            text = predictor.data.join_tokens_in_graph(pieces)
            return {self.output_name: text, "log_probability": decoded.log_probability[:, 0]}

        return answer


def decode(
    predictor: Generator,
    step: Callable[..., dict[str, Any]],
    states: dict[str, Any],
    xp: Any,
    generator: np.random.Generator | None = None,
) -> Decoded:
    """Return the sentences that the decoder finds. See `zoo.common.decoding.generation`.

    Args:
        predictor: provides decoder, vocabulary and states.
        step: the graph `step`.
        states: outputs of the encoder, each state [rows, ...] as `next_<name>`.
        xp: array namespace of `step` and `states`.
        generator: random generator of a sampler; a search needs none. Sampling uses NumPy.

    Returns:
        `Decoded` of shape [rows, n_best, ...], whose extras are the model's `step_outputs`.
    """
    decoder, vocabulary = predictor.decoder, predictor.data.vocabulary
    specs = predictor.model.states
    states = {spec.name: states[NEXT + spec.name] for spec in specs}
    extras = _known_shapes(predictor.model.step_outputs, specs, states, xp)
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
        assert generator is not None  # a sampler has one
        return select_token(decoder, logits, generator.random(len(logits), np.float32), xp)

    drawn = generate(masked_step, specs, start, states, select, max_length, xp, end, extras)
    tokens, lengths, log_probability, kept = drawn
    kept = {name: array[:, None] for name, array in kept.items()}
    return Decoded(tokens[:, None], lengths[:, None], log_probability[:, None], kept)


def suppressed_token_mask(vocabulary: Vocabulary) -> np.ndarray:
    """Return float32 [size], added to logits to prevent special tokens other than the end."""
    mask = np.zeros(len(vocabulary), np.float32)
    mask[vocabulary.encode([PAD, UNKNOWN, START])] = NEG_INF
    return mask


def check_search(decoder: SequenceSearch) -> None:
    """Check that a decoder searches.

    Raises:
        ZooError: it samples, so that answers would depend on the seed.
    """
    if decoder.sampler not in SEARCHES:
        raise ZooError(
            f"decoder.sampler must be {' or '.join(map(repr, SEARCHES))} for an evaluation or an "
            f"export. Received: {decoder.sampler!r}."
        )


def _text(data: TargetSentences, decoded: Decoded, row: int, i: int) -> str:
    """Return the i-th best sentence of a row."""
    tokens = decoded.tokens[row, i, : decoded.lengths[row, i]]
    return data.join_tokens(data.vocabulary.decode(tokens))


def _scores(decoded: Decoded, row: int) -> dict[str, float]:
    """Return the log-probability and the confidence of the best sentence of a row."""
    log_probability = float(decoded.log_probability[row, 0])
    tokens = min(int(decoded.lengths[row, 0]) + 1, decoded.tokens.shape[-1])  # with the end
    return {
        "log_probability": log_probability,
        CONFIDENCE: confidence(log_probability, tokens),
    }


def _known_shapes(
    extras: Sequence[StateSpec], specs: Sequence[StateSpec], states: dict[str, Any], xp: Any
) -> list[StateSpec]:
    """Return `extras` with the size of the states' free axis in place of None."""
    sizes = [xp.shape(states[s.name])[1 + s.shape.index(None)] for s in specs if None in s.shape]
    return [
        replace(extra, shape=tuple(sizes[0] if n is None else n for n in extra.shape))
        for extra in extras
    ]
