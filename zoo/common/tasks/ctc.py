"""Connectionist temporal classification: from frames without aligned labels to a text."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import (
    EvaluationPlots,
    RowMetrics,
    Segment,
    SegmentAnswers,
    ThresholdChoice,
)
from zoo.common.core.data import Item
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import renamed
from zoo.common.core.task import Task
from zoo.common.ctc.search import greedy_search
from zoo.common.ctc.transcribe import check_search, transcribe
from zoo.common.ctc.words import Transcription, word_times
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.labels import LabelledData, Labels
from zoo.common.decoding.confidence import CONFIDENCE, choose_warn_below, confidence, warned
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.decoding.generation import log_softmax
from zoo.common.decoding.segments import join_texts
from zoo.common.metrics.error_rates import METRICS, error_rates, mean_error_rates
from zoo.common.metrics.outside import warn_about_outside
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.rescoring import open_language_model, rescore
from zoo.common.utils.progress import say

Recognizer = Predictor[LabelledData, ModelConfig, CTCSearch]


@dataclass(frozen=True)
class CTC(Task, SegmentAnswers, EvaluationPlots, RowMetrics, ThresholdChoice):
    """Answer with a text.

    The labels of the data have the unit "character" or "word". Examples have the attributes `id` and
    `transcript`. The model has the outputs `logits` float32 [batch, time, vocabulary_size] and
    `logit_lengths` int32 [batch].

    Args:
        monitor: "wer", the word error rate; "cer", the character error rate; or "per", the phoneme error
            rate, where phonemes are the words of transcripts.
    """

    verb: ClassVar[str] = "transcribe"
    packages: ClassVar[tuple[str, ...]] = ("jiwer",)
    monitors: ClassVar[tuple[str, ...]] = METRICS

    monitor: str = renamed("wer", formerly="error_rate")

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the CTC loss over true lengths."""
        from zoo.common.ctc.loss import ctc_loss

        return ctc_loss(
            outputs["logits"], outputs["logit_lengths"], y["labels"], y["label_lengths"]
        )

    def check_predictor(self, predictor: Recognizer) -> None:
        decoder = predictor.decoder
        check_search(decoder, predictor.data.labels)
        if decoder.rescore:
            open_language_model(decoder.rescore)
        if decoder.times:
            _seconds_per_frame(predictor)

    def evaluate(self, predictor: Recognizer, examples: list[Any]) -> Evaluation:
        """Return error rates, with counts and examples in the report.

        All words of an unreadable example count as deleted. Rows include `raw`, the text of the most
        probable path without a search.
        """
        started = time.perf_counter()
        self.check_predictor(predictor)
        labels = predictor.data.labels
        errors: dict[int, str] = {}
        warn_about_outside(labels, [example.transcript for example in examples])
        texts, raw = [""] * len(examples), [""] * len(examples)
        confidences: list[dict[str, float]] = [{}] * len(examples)
        for i, logits in self.logits(predictor, examples, errors):
            texts[i] = self.text(logits, predictor.decoder, labels)
            raw[i] = labels.text(greedy_search(logits).labels)
            confidences[i] = {CONFIDENCE: _confidence(logits)}
        metrics, report, rows = error_rates(examples, texts, raw, self.monitor)
        rows = [row | found for row, found in zip(rows, confidences, strict=True)]
        report += [f"Unreadable, counted as deleted: {error}" for error in errors.values()]
        if predictor.decoder.searches_words and (empty := texts.count("") - len(errors)):
            report.append(f"The search found no word in {empty} examples.")
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: Recognizer, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the error rates of these rows, with the lengths of their references as weights."""
        return mean_error_rates(rows)

    def logits(
        self, predictor: Recognizer, examples: list[Any], errors: dict[int, str]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (index, logits [time, vocabulary_size]) of each readable example.

        Args:
            predictor: the trained model.
            examples: the examples of a split.
            errors: receives the error of each unreadable example by its index.
        """
        for indices, inputs in evaluation_batches(
            predictor.data, predictor.model, examples, errors
        ):
            yield from zip(indices, _logits(predictor.graphs[MODEL](**inputs)), strict=True)

    def transcriptions(
        self, logits: np.ndarray, decoder: CTCSearch, labels: Labels
    ) -> list[Transcription]:
        """Return the best texts of logits [time, vocabulary_size], the best one first."""
        found = transcribe(logits, decoder, labels)
        return rescore(found, decoder) if decoder.rescore else found

    def text(self, logits: np.ndarray, decoder: CTCSearch, labels: Labels) -> str:
        """Return the best text of logits in the form of transcripts: phonemes if `monitor` is "per"."""
        best = self.transcriptions(logits, decoder, labels)[0]
        return labels.text(best.labels) if self.monitor == "per" else best.text

    def answer(self, predictor: Recognizer, item: Item) -> dict[str, Any]:
        """Return the text with its log-probability in nats and the confidence.

        A word search also returns its `score`, and `lm_log_probability` of a language model; rescoring
        returns the new `score` and `rescore_log_probability`. With `n_best`, `alternatives` lists
        several texts. With `times`, `words` lists begin and end in seconds and confidence. A
        confidence below `warn_below` gives a `warning`.
        """
        return _noticed(self._answer(predictor, item), predictor.decoder)

    def _answer(self, predictor: Recognizer, item: Item) -> dict[str, Any]:
        (logits,) = _logits(predictor.graphs[MODEL](**predictor.data.collate([item])))
        return self.answer_logits(logits, predictor, item.get("begin", 0.0))

    def answer_logits(
        self, logits: np.ndarray, predictor: Recognizer, begin: float = 0.0
    ) -> dict[str, Any]:
        """Return the `answer` for the logits [time, vocabulary_size] of one input.

        Args:
            logits: the logits.
            predictor: the trained model.
            begin: seconds of the input before the first frame.
        """
        decoder = predictor.decoder
        found = self.transcriptions(logits, decoder, predictor.data.labels)
        texts = [{"output": one.text, **one.scores} for one in found]
        answer: dict[str, Any] = texts[0] | {CONFIDENCE: _confidence(logits)}
        if decoder.n_best > 1:
            answer["alternatives"] = texts
        if decoder.times:
            seconds = _seconds_per_frame(predictor)
            answer["words"] = word_times(logits, found[0], seconds, begin)
        return answer

    def answer_segments(self, predictor: Recognizer, segments: Iterator[Segment]) -> dict[str, Any]:
        """Return the joined answers of `zoo.common.decoding.segments.join_texts`."""
        answers = ((segment, self._answer(predictor, segment.item)) for segment in segments)
        return _noticed(join_texts(answers), predictor.decoder)

    def answer_in_graph(self, predictor: Recognizer) -> Any:
        """Return `text` string [batch] and `log_probability` float32 [batch]."""
        import tensorflow as tf

        from zoo.common.ctc import in_graph

        labels, width = predictor.data.labels, predictor.decoder.beam_width
        symbols = tf.constant(["", *labels.symbols])
        model = predictor.graphs[MODEL]

        def answer(inputs):
            outputs = model(inputs, training=False)
            logits, lengths = outputs["logits"], outputs["logit_lengths"]
            if width == 1:
                found, _, log_probability = in_graph.greedy_search(logits, lengths)
            else:
                found, _, log_probability = in_graph.beam_search(logits, lengths, width)
            text = tf.strings.reduce_join(
                tf.gather(symbols, found), axis=1, separator=labels.separator
            )
            text = tf.strings.strip(tf.strings.regex_replace(text, " +", " "))
            return {"text": text, "log_probability": log_probability}

        return answer

    def choose_threshold(
        self, predictor: Recognizer, evaluation: Evaluation, examples: list[Any]
    ) -> tuple[dict[str, float], str]:
        return choose_warn_below(evaluation)

    def plot_evaluation(
        self, predictor: Recognizer, evaluation: Evaluation, folder: Path
    ) -> list[Path]:
        """Draw a histogram of the error rates of examples."""
        from zoo.common.utils.plots import figure, save

        metric = self.monitor
        rates = [row[metric] for row in evaluation.rows]
        picture = figure(figsize=(7, 4))
        axes = picture.subplots()
        axes.hist(np.minimum(rates, 1.5), bins=30, range=(0, 1.5), color="tab:blue")
        overall = evaluation.metrics[metric]
        axes.axvline(overall, color="tab:red", label=f"{metric} of the split: {overall:.3f}")
        axes.set(xlabel=f"{metric} of an example", ylabel="examples")
        axes.legend()
        return [save(picture, folder / "error_rates.png")]


def _noticed(answer: dict[str, Any], decoder: CTCSearch) -> dict[str, Any]:
    """Return an answer with its warning, after a message if a search for words found none."""
    if decoder.searches_words and not answer["output"]:
        say("The search found no word of its lexicon or language model in the input.")
    return warned(answer, decoder.warn_below)


def _confidence(logits: np.ndarray) -> float:
    """Return the geometric mean of the highest probability of each frame, [time, vocabulary_size].

    It does not depend on the search.
    """
    best = log_softmax(np.asarray(logits, np.float64), np).max(axis=-1)
    return confidence(float(best.sum()), max(1, len(best)))


def _logits(outputs: dict[str, np.ndarray]) -> Iterable[np.ndarray]:
    """Yield the logits [time, vocabulary_size] of each row of a batch, without padding."""
    for logits, length in zip(outputs["logits"], outputs["logit_lengths"], strict=True):
        yield logits[:length]


def _seconds_per_frame(predictor: Recognizer) -> float:
    """Return the seconds between frames of logits. Raises `ZooError` if the input has no time axis."""
    seconds = getattr(predictor.model, "seconds_per_frame", None)
    if seconds is None:
        raise ZooError(f"{predictor.name} has no timestamps: its input is not a recording.")
    return seconds
