"""Language modelling as a task: from texts to the probability of each token after those before it."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common import decoding
from zoo.common.errors import ZooError
from zoo.common.files import read_text
from zoo.common.progress import progress
from zoo.common.recipe import ModelConfig, asset
from zoo.common.task import Evaluation, Graphs, Signature, Source, Task
from zoo.common.vocabulary import UNKNOWN, VOCABULARY_FILE, Vocabulary
from zoo.language import corpora
from zoo.language.corpora import Text
from zoo.language.text import LEVELS

if TYPE_CHECKING:
    import keras

# A text that travels with the package: the first lines of Tiny Shakespeare, of no one's property.
SAMPLE = Path(__file__).parent / "samples" / "coriolanus.txt"

# Tokens of a text that are measured in one go; the states are carried on.
EVALUATION_STEPS = 500


@dataclass(frozen=True)
class LanguageModelling(Task):
    """The next token of a text, from all before it.

    level: str. Tokens are "word"s between white space, with `<eos>` for a line's end, or "character"s.
    vocabulary: Vocabulary. None: taken from the texts of the run.
    min_count: int. Tokens rarer than this in the run's texts stay out of the vocabulary.
    time_steps: int. Tokens through which gradients go back in training.
    length: int. Tokens that `predict` writes.
    sampler: str. How it chooses them: "greedy", "random", "top_k" or "top_p".
    temperature: float. Divides the logits before a draw: below 1 likelier, above 1 wilder.
    top_k: int. How many tokens the sampler "top_k" draws from.
    top_p: float. The probability the tokens have together that "top_p" draws from.
    seed: int. Fixes the draws.
    """

    options: ClassVar[tuple[str, ...]] = (
        "length",
        "sampler",
        "temperature",
        "top_k",
        "top_p",
        "seed",
    )

    level: str = "word"
    vocabulary: Vocabulary | None = asset(None)
    min_count: int = 1
    time_steps: int = 35
    length: int = 100
    sampler: str = "top_p"
    temperature: float = 0.8
    top_k: int = 10
    top_p: float = 0.95
    seed: int = 0

    def __post_init__(self):
        for name, valid in (("level", LEVELS), ("sampler", decoding.SAMPLERS)):
            if getattr(self, name) not in valid:
                raise ZooError(
                    f"task.{name} is one of {', '.join(valid)}. Received: {getattr(self, name)!r}."
                )
        for name in ("min_count", "time_steps", "length"):
            if getattr(self, name) < 1:
                raise ZooError(f"task.{name} is at least 1. Received: {getattr(self, name)}.")
        decoding.check_sampling(self)

    @property
    def metric(self) -> str:
        """Perplexity of words, nats per character."""
        return LEVELS[self.level].metric

    # Text -----------------------------------------------------------------------------------------

    @property
    def start(self) -> str:
        """The token that stands before a text's first."""
        return LEVELS[self.level].start

    def tokens(self, text: str) -> Sequence[str]:
        """The tokens of a text."""
        return LEVELS[self.level].split(text)

    def text(self, tokens: Sequence[str]) -> str:
        """The text of tokens."""
        return LEVELS[self.level].join(tokens)

    def encode(self, text: Text) -> np.ndarray:
        """int32 [tokens]. Raises `ZooError` for a token that the vocabulary cannot stand for."""
        try:
            return np.array(self.vocabulary.encode(text.tokens), np.int32)
        except ZooError as error:
            raise ZooError(f"{text.id}: {error}") from None

    # Data -----------------------------------------------------------------------------------------

    def read(self, corpus: str, source: Source, split: str) -> list[Text]:
        """See `Task.read`. A manifest is a text file of one's own."""
        if source.manifest is not None:
            return [Text(source.manifest.name, self.tokens(corpora.read_file(source.manifest)))]
        return corpora.read_corpus(corpus, source.folder, split, self.tokens)

    def cut_dev(self, examples, fraction, seed):
        """Cut the beginning off each text: what follows its end is next of kin to its last part, and a
        test split that goes on in the middle of a play asks for who was met before."""
        train, dev = [], []
        for text in examples:
            cut = round(len(text.tokens) * fraction)
            dev.append(Text(f"{text.id}, first part", text.tokens[:cut]))
            train.append(Text(f"{text.id}, last part", text.tokens[cut:]))
        return train, dev

    def count(self, examples: list[Text]) -> int:
        """Tokens."""
        return sum(len(text.tokens) for text in examples)

    def checksum(self, examples: list[Text]) -> str:
        """See `Task.checksum`."""
        return corpora.checksum(examples)

    def fit(self, examples: list[Text], model: ModelConfig):
        """Take the vocabulary from the texts, where the recipe has none of its own."""
        vocabulary = self.vocabulary or Vocabulary.of(
            (text.tokens for text in examples), LEVELS[self.level].specials, self.min_count
        )
        return (
            replace(self, vocabulary=vocabulary),
            replace(model, vocabulary_size=len(vocabulary)),
        )

    def usable(self, examples: list[Text], model: ModelConfig):
        """All of them. Raises `ZooError` for a token that the vocabulary cannot stand for."""
        for text in examples:
            self.encode(text)
        return examples, {}

    # Learning -------------------------------------------------------------------------------------

    def learner(self, model: keras.Model) -> keras.Model:
        """The whole model, its states carried from batch to batch."""
        from zoo.language.pipeline import CarriedStates

        return CarriedStates(model)

    def batches(self, model, recipe, examples, epoch):
        """See `zoo.language.pipeline.bptt_batches`."""
        from zoo.language.pipeline import bptt_batches

        return bptt_batches(
            np.concatenate([self.encode(text) for text in examples]),
            recipe.training.batch_size,
            self.time_steps,
            np.random.default_rng((recipe.training.seed, epoch)),
        )

    def steps(self, recipe, examples) -> int:
        """See `Task.steps`."""
        return max(1, self.count(examples) // (recipe.training.batch_size * self.time_steps))

    def loss(self, y, outputs):
        """Mean cross-entropy of a row's targets, in nats, float32 [batch]."""
        import tensorflow as tf

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y["targets"], outputs["logits"])
        return tf.reduce_mean(losses, axis=1)

    # Use ------------------------------------------------------------------------------------------

    def evaluate(self, model, recipe, examples: list[Text]) -> Evaluation:
        """The level's metric: every token counted, the state carried over each whole text."""
        import tensorflow as tf

        started = time.perf_counter()
        total, count = 0.0, self.count(examples)
        measure = _measure(model)
        for text in examples:
            targets = self.encode(text)
            tokens = np.concatenate([[self.vocabulary.index(self.start)], targets[:-1]])
            states = first_states(recipe.model, 1)
            chunks = range(0, len(targets), EVALUATION_STEPS)
            for i in progress(chunks, "Evaluating", len(chunks), "chunk"):
                part = slice(i, i + EVALUATION_STEPS)
                nats, states = measure(
                    tf.constant(tokens[part][np.newaxis], tf.int32),
                    tf.constant(targets[part][np.newaxis]),
                    states,
                )
                total += float(nats)
        metrics = {self.metric: LEVELS[self.level].measured(total / count)}
        report = [f"{count} tokens of a vocabulary of {len(self.vocabulary)}"]
        return Evaluation(metrics, count, time.perf_counter() - started, report)

    def predict(self, graphs: Graphs, recipe, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Each prompt with what the model writes after it."""
        from zoo.language.sampling import continuation

        for prompt in inputs:
            try:
                indices = self.encode_input(prompt)
                _, states = self._read(graphs, recipe, indices[:-1])
                tokens = continuation(graphs, self, indices[-1], states)
            except ZooError as error:
                yield {"input": prompt, "error": str(error)}
                continue
            text = self.text([*self.tokens(prompt), *self.vocabulary.decode(tokens)])
            yield {"input": prompt, "output": text}

    def score(self, graphs: Graphs, recipe, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """The log-probability of each token of each text after those before it, in nats."""
        for text in inputs:
            try:
                indices = self.encode_input(text)
            except ZooError as error:
                yield {"input": text, "error": str(error)}
                continue
            logits, _ = self._read(graphs, recipe, indices[:-1])
            gains = np.take_along_axis(
                decoding.log_softmax(logits, np), np.array(indices[1:])[:, np.newaxis], axis=-1
            )[:, 0]
            yield {
                "input": text,
                "tokens": [
                    {"token": token, "log_probability": float(gain)}
                    for token, gain in zip(self.vocabulary.decode(indices[1:]), gains, strict=True)
                ],
                "log_probability": float(gains.sum(dtype=np.float64)),
                "perplexity": float(np.exp(-gains.mean(dtype=np.float64))),
            }

    def encode_input(self, text: str) -> list[int]:
        """A user's text as indices, the start before it.

        Raises `ZooError` for text that is empty, no valid Unicode, or that the vocabulary knows
        nothing of.
        """
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ZooError(f"The text is not UTF-8: see its byte {error.start}.") from None
        tokens = self.tokens(text)
        if not text.strip():
            raise ZooError("The text is empty.")
        if all(token not in self.vocabulary or token == UNKNOWN for token in tokens):
            raise ZooError(
                f"No {self.level} of the text is among the {len(self.vocabulary)} the model knows. "
                f"Received: {text[:80]!r}."
            )
        return self.vocabulary.encode([self.start, *tokens])

    def _read(self, graphs: Graphs, recipe, indices: Sequence[int]):
        """(logits [tokens, vocabulary], states) after reading tokens from a text's beginning."""
        states, logits = first_states(recipe.model, 1), []
        for i in range(0, len(indices), EVALUATION_STEPS):
            tokens = np.array(indices[i : i + EVALUATION_STEPS], np.int32)[np.newaxis]
            outputs = graphs["step"](tokens=tokens, **states)
            states = {name: outputs[f"next_{name}"] for name in states}
            logits.append(outputs["logits"][0])
        return (np.concatenate(logits) if logits else None), states

    # Delivery -------------------------------------------------------------------------------------

    def graphs(self, model: keras.Model, recipe) -> dict[str, keras.Model]:
        """`step`: any number of tokens, from explicit states to the next ones."""
        return {"step": model}

    def signatures(self, model, recipe) -> dict[str, Signature]:
        """`serving_default`: prompts to texts; `score`: texts to log-probabilities."""
        from zoo.language.serving import signatures

        return signatures(model, self)

    def samples(self, recipe) -> dict[str, list[dict[str, Any]]]:
        """The opening of a text that travels with the package, in several lengths and batches."""
        text = [
            token for token in self.tokens(corpora.read_file(SAMPLE)) if token in self.vocabulary
        ]
        indices = np.array(self.vocabulary.encode(text), np.int32)

        def step(rows, time_steps):
            tokens = indices[: rows * time_steps].reshape(rows, time_steps)
            return {"tokens": tokens, **first_states(recipe.model, rows)}

        prompts = [self.text(text[:count]).strip() for count in (6, 12, 20)]
        how = {"length": 20, "temperature": 1e-3, "seed": 0}
        return {
            "step": [step(1, 1), step(1, 40), step(3, 1), step(4, 25)],
            "serving_default": [{"prompt": prompts[:1], **how}, {"prompt": prompts, **how}],
            "score": [{"text": prompts[:1]}, {"text": prompts}],
        }

    def assets(self) -> dict[str, str]:
        """vocabulary.txt: a line for each token with its count."""
        return {VOCABULARY_FILE: self.vocabulary.text()}

    def with_assets(self, folder: Path) -> LanguageModelling:
        """See `Task.with_assets`."""
        path = folder / VOCABULARY_FILE
        vocabulary = Vocabulary.from_text(read_text(path), path)
        if self.start not in vocabulary:
            raise ZooError(f"{path} does not fit {self.level}s: it has no {self.start!r}.")
        return replace(self, vocabulary=vocabulary)


def first_states(model: ModelConfig, rows: int) -> dict[str, np.ndarray]:
    """The states of texts that begin, float32 [rows, hidden_size], by their inputs' names."""
    return {name: np.zeros((rows, size), np.float32) for name, size in model.states().items()}


@functools.lru_cache(maxsize=1)  # a run measures the same model after every epoch
def _measure(model: keras.Model):
    import tensorflow as tf

    @tf.function(reduce_retracing=True)
    def measure(tokens, targets, states):
        outputs = model({"tokens": tokens, **states}, training=False)
        nats = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, outputs["logits"])
        return tf.reduce_sum(nats), {name: outputs[f"next_{name}"] for name in states}

    return measure
