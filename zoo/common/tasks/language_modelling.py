"""Language modelling: the probability of each token of a text given all tokens before it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import GradualAnswers, RowMetrics, Scoring
from zoo.common.core.data import Item
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.metrics import perplexity
from zoo.common.core.settings import renamed
from zoo.common.core.states import STEP, initial_states, next_states
from zoo.common.core.task import Signature, Task, checked_batch
from zoo.common.data.batching import pad
from zoo.common.data.text import Line
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.common.decoding.decoders import (
    MAX_LENGTH,
    MAX_TEMPERATURE,
)
from zoo.common.decoding.generation import (
    graph_step,
    log_softmax,
    select_token,
)
from zoo.common.decoding.scores import token_scores
from zoo.common.runtime.row_signatures import RowOption, by_rows
from zoo.common.tasks.text_data import TextData, TextModel
from zoo.common.tasks.text_in_graph import generate_in_graph, generation_mask, score_in_graph
from zoo.common.utils.progress import progress

# Number of tokens that a model reads in one call. More tokens make larger arrays of logits.
READ_STEPS = 500

# Options of each row of a request to continue a text.
OPTIONS = (
    RowOption("length", "int32", 1, MAX_LENGTH),
    RowOption("temperature", "float32", 0, MAX_TEMPERATURE),
    RowOption("seed", "int32"),
)


@dataclass(frozen=True)
class LanguageModelling(Task, RowMetrics, GradualAnswers, Scoring):
    """Predict the next token of a text.

    The model has a graph `step`, from `tokens` int32 [batch, time] and states to `logits` float32
    [batch, time, vocabulary_size] and the next states.

    Args:
        monitor: "perplexity" per token, or "nats_per_char", the negative log-probability per character.
    """

    verb: ClassVar[str] = "continue"
    monitors: ClassVar[tuple[str, ...]] = ("perplexity", "nats_per_char")

    monitor: str = renamed("perplexity", formerly="metric")

    # Training

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of the targets of a row, in nats.

        A training model may compute it itself, as output `nats` float32 [batch, targets].
        """
        from keras import ops

        if "nats" in outputs:
            return ops.mean(outputs["nats"], axis=1)

        from zoo.common.layers.cross_entropy import cross_entropy

        return ops.mean(cross_entropy(outputs["logits"], y["targets"]), axis=1)

    # Use

    def evaluate(self, predictor: TextModel, examples: list[Any]) -> Evaluation:
        """Return the metric over all tokens, with states carried over each whole text.

        There is one row for each line of a text.

        Raises:
            ZooError: apart from ends of lines, no token is in the vocabulary.
        """
        started = time.perf_counter()
        unknown, ends = 0, 0
        rows: list[dict[str, Any]] = []
        nats, tokens, characters = 0.0, 0, 0
        for example in examples:
            indices = predictor.data.read_example(example, predictor.model)["tokens"]
            log_probs = _log_probs(predictor, indices[np.newaxis])[0]
            lines = _lines(predictor.data, example.id, indices, log_probs)
            unknown += _count_unknown(predictor.data.vocabulary, indices)
            ends += int(np.sum(indices[1:] == indices[0]))
            nats -= float(log_probs.sum())
            tokens += len(log_probs)
            characters += sum(len(row["text"]) for row in lines)
            rows += lines
        metrics = {self.monitor: self._metric(nats, tokens, characters)}
        size = len(predictor.data.vocabulary)
        if unknown and unknown + ends == tokens:
            raise ZooError(f"None of the {unknown} tokens is in the vocabulary of {size} tokens.")
        report = [f"{tokens} tokens, vocabulary of {size}, {unknown} tokens are {UNKNOWN}"]
        return Evaluation(metrics, tokens, time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: TextModel, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the metric over the tokens of these lines."""
        nats = -sum(row["log_probability"] for row in rows)
        tokens = sum(row["num_tokens"] for row in rows)
        return {self.monitor: self._metric(nats, tokens, sum(len(row["text"]) for row in rows))}

    def _metric(self, nats: float, tokens: int, characters: int) -> float:
        return nats / characters if self.monitor == "nats_per_char" else perplexity(nats / tokens)

    def token_log_probs(self, predictor: TextModel, example: Any) -> np.ndarray:
        """Return the log-probability of each token of an example in nats, float64 [tokens]."""
        indices = predictor.data.read_example(example, predictor.model)["tokens"]
        return _log_probs(predictor, indices[np.newaxis])[0]

    def line_log_probs(self, predictor: TextModel, lines: Sequence[str]) -> np.ndarray:
        """Return the log-probability in nats of each line as a separate text, including its end.

        Args:
            predictor: the trained model.
            lines: at least one line. They are evaluated as one batch.

        Returns:
            float64 [lines].

        Raises:
            ZooError: a token is not in the vocabulary, which has no unknown token.
        """
        data = predictor.data
        rows = [
            data.vocabulary.encode([data.start, *data.split_tokens(f"{line}\n")]) for line in lines
        ]
        indices, lengths = pad([np.array(row, np.int32) for row in rows])
        log_probs = _log_probs(predictor, indices)
        inside = np.arange(log_probs.shape[1]) < lengths[:, np.newaxis] - 1
        return np.where(inside, log_probs, 0.0).sum(axis=1)

    def answer(self, predictor: TextModel, item: Item) -> dict[str, Any]:
        """Return the prompt followed by generated tokens."""
        *_, answer = self.iter_answer(predictor, item)
        return answer

    def iter_answer(self, predictor: TextModel, item: Item) -> Iterator[dict[str, Any]]:
        """Yield each token with its probability and text, and then the prompt followed by the tokens.

        The probability is the one that the model gives the token, whatever the sampler. The text is
        what the token adds to the output, such as a space and a word.
        """
        decoder, specs, indices = predictor.decoder, predictor.model.states, item["tokens"]
        states = initial_states(specs, 1)
        for outputs in _read(predictor, indices[np.newaxis, :-1], states):
            states = next_states(specs, outputs)
        generator = np.random.default_rng(decoder.seed)
        uniforms = generator.random((1, decoder.length), np.float32)
        step, tokens = graph_step(predictor.graphs[STEP]), indices[-1:]
        generated: list[int] = []
        mask = generation_mask(predictor)
        output = predictor.data.continue_text(item["text"], generated)
        for uniform in uniforms.T:
            outputs = step(tokens, states)
            states = next_states(specs, outputs)
            tokens = select_token(decoder, outputs["logits"] + mask, uniform, np)
            generated.append(int(tokens[0]))
            log_probs = log_softmax(outputs["logits"], np)[0]
            (token,) = predictor.data.vocabulary.decode(tokens)
            before, output = output, predictor.data.continue_text(item["text"], generated)
            probability = float(np.exp(log_probs[tokens[0]]))
            yield {"token": token, "probability": probability, "text": output[len(before) :]}
        yield {"output": output}

    def score(self, predictor: TextModel, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the log-probability of each token in nats, their sum, and the perplexity.

        The lines of a file are one text, as in `evaluate`: states are carried over it, and the end of
        each line is a token. Other inputs are separate texts.
        """
        data, specs = predictor.data, predictor.model.states
        states: dict[str, np.ndarray] = {}
        for text in inputs:
            if not isinstance(text, Line) or text.number == 1:
                states = initial_states(specs, 1)
            try:
                if isinstance(text, Line):
                    item = data.read_line(text)
                else:
                    item = data.read_input(text, predictor.model)
            except ZooError as error:
                yield {"input": text, "error": str(error)}
                continue
            indices = item["tokens"]
            log_probs, states = _read_log_probs(predictor, indices[np.newaxis], states)
            tokens = data.vocabulary.decode(indices[1:])
            yield token_scores(text, tokens, log_probs[0]) | data.input_metadata(item)

    # Export

    def signatures(self, predictor: TextModel) -> dict[str, Signature]:
        """Return the signatures `serving_default` and `score`.

        `serving_default` maps `prompt` string [batch], `length` int32 [batch], `temperature` float32
        [batch], where 0 selects the most probable token, and `seed` int32 [batch] to `text` string
        [batch], each prompt with its continuation. A row does not depend on the others.
        `score` maps `text` string [batch] to `log_probabilities` float32 [batch, tokens], in nats, 0
        after the end of a text; `lengths` int32 [batch], the number of tokens; and `log_probability`
        float32 [batch], their sum. Both may have `unknown`, see `RawInput.metadata`.
        """
        import tensorflow as tf

        raw = predictor.data.raw_inputs(predictor.model, predictor.decoder)
        prompts, texts = raw["serving_default"], raw["score"]

        def continue_one(prompt, length, temperature, seed):
            indices = prompts.to_inputs(prompt[tf.newaxis])["tokens"]
            tokens = generate_in_graph(predictor, indices, length, temperature, seed)
            return predictor.data.continue_text_in_graph(prompt, tokens)

        continue_all = by_rows(continue_one, OPTIONS, tf.TensorSpec([], tf.string))

        def score(text):
            inputs = texts.to_inputs(*checked_batch([text]))
            return score_in_graph(predictor, **inputs) | texts.metadata(inputs)

        def continue_prompts(*columns):
            text = continue_all(*columns)
            return {"text": text} | prompts.metadata(prompts.to_inputs(columns[0]))

        spec = [*prompts.spec, *(option.spec for option in OPTIONS)]
        return {
            "serving_default": Signature(continue_prompts, spec, prompts.resources),
            "score": Signature(score, texts.spec, texts.resources),
        }


def _read(
    predictor: TextModel, indices: np.ndarray, states: dict[str, np.ndarray]
) -> Iterator[dict[str, np.ndarray]]:
    """Yield the outputs of the graph `step` for int32 [rows, tokens], part by part."""
    steps = _steps_per_part(indices)
    for i in range(0, indices.shape[1], steps):
        outputs = predictor.graphs[STEP](tokens=indices[:, i : i + steps], **states)
        states = next_states(predictor.model.states, outputs)
        yield outputs


def _steps_per_part(indices: np.ndarray) -> int:
    return max(1, READ_STEPS // len(indices))


def _log_probs(predictor: TextModel, indices: np.ndarray) -> np.ndarray:
    """Return the log-probability of each token of int32 [rows, tokens] except the first.

    Returns:
        float64 [rows, tokens - 1].
    """
    states = initial_states(predictor.model.states, len(indices))
    return _read_log_probs(predictor, indices, states)[0]


def _read_log_probs(
    predictor: TextModel, indices: np.ndarray, states: dict[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return `_log_probs` after a text with the given states, and the next states."""
    count = -(-indices.shape[1] // _steps_per_part(indices))
    parts = progress(_read(predictor, indices[:, :-1], states), "Reading", count, "part")
    log_probs = [np.zeros((len(indices), 0))]
    end = 1
    for outputs in parts:
        logits, states = outputs["logits"], next_states(predictor.model.states, outputs)
        start, end = end, end + logits.shape[1]
        targets = indices[:, start:end, np.newaxis]
        log_probs.append(np.take_along_axis(log_softmax(logits, np), targets, axis=-1)[:, :, 0])
    return np.concatenate(log_probs, axis=1, dtype=np.float64), states


def _count_unknown(vocabulary: Vocabulary, indices: np.ndarray) -> int:
    return int(np.sum(indices == vocabulary.index(UNKNOWN))) if UNKNOWN in vocabulary else 0


def _lines(
    data: TextData, name: str, indices: np.ndarray, log_probs: np.ndarray
) -> list[dict[str, Any]]:
    """Return a row of an evaluation for each line, including the token that ends it."""
    tokens = data.vocabulary.decode(indices[1:])
    ends = [*(np.flatnonzero(indices[1:] == indices[0]) + 1).tolist(), len(tokens)]
    rows, start = [], 0
    for number, end in enumerate(ends, start=1):
        if end > start:
            rows.append(
                {
                    "id": f"{name}, line {number}",
                    "text": data.join_tokens(tokens[start:end]),
                    "num_tokens": end - start,
                    "log_probability": float(log_probs[start:end].sum()),
                }
            )
        start = end
    return rows
