"""Connectionist temporal classification as a task: from frames without labels in time to a text.

Its data has `labels` (`zoo.common.data.labels.Labels`), its examples `id` and `transcript`; its model
has the outputs `logits` float32 [batch, time, vocabulary_size] and `logit_lengths` int32 [batch].
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.task import Evaluation, Task
from zoo.common.ctc.search import greedy_search
from zoo.common.ctc.transcribe import check_search, transcribe
from zoo.common.ctc.words import Transcription, word_times
from zoo.common.data.batching import evaluation_batches
from zoo.common.decoding.segments import join_texts
from zoo.common.metrics.error_rates import METRICS, error_rates
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.rescoring import open_language_model, rescore

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.common.core.data import Item, Segment
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe


@dataclass(frozen=True)
class CTC(Task):
    """A text out of frames. The decoder is a `CTCSearch`.

    error_rate: str. What steers a run: "wer", errors of words; "cer", of characters; "per", of
        phonemes, which are the words of their transcripts.
    """

    verb: ClassVar[str] = "transcribe"
    packages: ClassVar[tuple[str, ...]] = ("jiwer",)

    error_rate: str = "wer"

    def __post_init__(self):
        check_choice("task.error_rate", self.error_rate, METRICS)

    @property
    def metric(self) -> str:
        """The error rate."""
        return self.error_rate

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: CTC over true lengths."""
        from zoo.common.ctc.loss import ctc_loss

        return ctc_loss(
            outputs["logits"], outputs["logit_lengths"], y["labels"], y["label_lengths"]
        )

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: error rates, with the counts behind them and utterances that show them.

        Of an example that cannot be read, all is counted as deleted. A row has `raw`, too: the text of
        the likeliest path, without a search.
        """
        started = time.perf_counter()
        self.check_decoder(recipe)
        labels, errors = recipe.data.labels, {}
        texts, raw = [""] * len(examples), [""] * len(examples)
        for i, logits in self.logits(graphs, recipe, examples, errors):
            texts[i] = self.text(logits, recipe)
            raw[i] = labels.text(greedy_search(logits).labels)
        metrics, report, rows = error_rates(examples, texts, raw, self.metric)
        report += [f"Not readable, counted as deleted: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def logits(
        self, graphs: Graphs, recipe: Recipe, examples: list[Any], errors: dict[str, ZooError]
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Yield (index of an example, its logits [time, vocabulary_size]) of all that can be read.

        Args:
            errors: takes the others, by their ids.
        """
        for indices, inputs in evaluation_batches(recipe, examples, errors):
            yield from zip(indices, _logits(graphs[MODEL](**inputs)), strict=True)

    def check_decoder(self, recipe: Recipe) -> None:
        """Check that the decoder can be used: read its files, open its language model.

        Raises:
            ZooError: as `check_search` and `open_language_model`.
        """
        check_search(recipe.decoder, recipe.data.labels)
        if recipe.decoder.rescore:
            open_language_model(recipe.decoder.rescore)

    def transcriptions(self, logits: np.ndarray, recipe: Recipe) -> list[Transcription]:
        """Return the best texts of logits [time, vocabulary_size], the best first."""
        found = transcribe(logits, recipe.decoder, recipe.data.labels)
        return rescore(found, recipe.decoder) if recipe.decoder.rescore else found

    def text(self, logits: np.ndarray, recipe: Recipe) -> str:
        """Return the best text of logits, as transcripts are written: of phonemes in `per`."""
        best = self.transcriptions(logits, recipe)[0]
        return recipe.data.labels.text(best.labels) if self.metric == "per" else best.text

    def predict(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """See `Task.predict`. What is wrong with the decoder is raised before the first answer."""
        self.check_decoder(recipe)
        if recipe.decoder.times:
            _clock(recipe)
        return super().predict(graphs, recipe, inputs)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the text with its log-probability in nats.

        Of a search for words also its `score`, and `lm_log_probability` by a language model; of what was
        rescored its new `score`, and `rescore_log_probability`. Of several
        (`n_best`), `alternatives` lists all; `times` adds `words`, each with its begin and end in
        seconds and a confidence.
        """
        (logits,) = _logits(graphs[MODEL](**recipe.data.collate([item])))
        return self.answer_logits(logits, recipe, item.get("begin", 0.0))

    def answer_logits(
        self, logits: np.ndarray, recipe: Recipe, begin: float = 0.0
    ) -> dict[str, Any]:
        """Return what `answer` gives for the logits [time, vocabulary_size] of one input.

        Args:
            begin: seconds of the input before the first frame.
        """
        decoder, found = recipe.decoder, self.transcriptions(logits, recipe)
        texts = [{"output": one.text, **one.scores} for one in found]
        answer: dict[str, Any] = dict(texts[0])
        if decoder.n_best > 1:
            answer["alternatives"] = texts
        if decoder.times:
            answer["words"] = word_times(logits, found[0], _clock(recipe), begin)
        return answer

    def answer_segments(
        self, graphs: Graphs, recipe: Recipe, segments: Iterator[Segment]
    ) -> dict[str, Any]:
        """See `Task.answer_segments` and `zoo.common.decoding.segments.join_texts`."""
        return join_texts((piece, self.answer(graphs, recipe, piece.item)) for piece in segments)

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `text` string [batch] and `log_probability` float32 [batch]."""
        import tensorflow as tf

        from zoo.common.ctc import in_graph

        labels, width = recipe.data.labels, recipe.decoder.beam_width
        symbols = tf.constant(["", *labels.symbols])

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

    def plot(self, recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
        """See `Task.plot`: how many examples have which error rate."""
        from zoo.common.utils.plots import figure, save

        metric = self.metric
        rates = [row[metric] for row in evaluation.rows]
        picture = figure(figsize=(7, 4))
        axes = picture.subplots()
        axes.hist(np.minimum(rates, 1.5), bins=30, range=(0, 1.5), color="tab:blue")
        overall = evaluation.metrics[metric]
        axes.axvline(overall, color="tab:red", label=f"{metric} of the split: {overall:.3f}")
        axes.set(xlabel=f"{metric} of an example", ylabel="examples")
        axes.legend()
        return [save(picture, folder / "error_rates.png")]


def _logits(outputs: dict[str, np.ndarray]) -> Iterable[np.ndarray]:
    """The logits [time, vocabulary_size] of each row of a batch, true frames only."""
    for logits, length in zip(outputs["logits"], outputs["logit_lengths"], strict=True):
        yield logits[:length]


def _clock(recipe: Recipe) -> float:
    """The seconds from one frame of logits to the next. Raises `ZooError` where there is no clock."""
    seconds = getattr(recipe.model, "seconds_per_frame", None)
    if seconds is None:
        raise ZooError(f"{recipe.name} knows no times: its input has no clock.")
    return seconds
