"""Connectionist temporal classification as a task: from frames without labels in time to a text.

Its data has `labels` (`zoo.common.data.labels.Labels`), its examples `id` and `transcript`; its model
has the outputs `logits` float32 [batch, time, vocabulary_size] and `logit_lengths` int32 [batch].
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.task import Evaluation, Task
from zoo.common.ctc.alignment import align
from zoo.common.ctc.search import search
from zoo.common.data.batching import evaluation_batches
from zoo.common.runtime.keras_model import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.common.core.data import Item
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

METRICS = ("wer", "cer", "per")
# Examples of each group that a report shows.
SHOWN = 3


@dataclass(frozen=True)
class CTC(Task):
    """A text out of frames. The decoder is a `CTCSearch`.

    error_rate: str. What steers a run: "wer", errors of words; "cer", of characters; "per", of
        phonemes, which are the words of their transcripts.
    """

    verb: ClassVar[str] = "transcribe"

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

        Of an example that cannot be read, all is counted as deleted.
        """
        started = time.perf_counter()
        data, decoder = recipe.data, recipe.decoder
        hypotheses, errors = [""] * len(examples), {}
        for indices, inputs in evaluation_batches(recipe, examples, errors):
            for i, logits in zip(indices, _logits(graphs[MODEL](**inputs)), strict=True):
                best = search(logits, decoder.beam_width)[0]
                hypotheses[i] = data.labels.text(best.labels)
        metrics, report, rows = self._compute_metrics(examples, hypotheses)
        report += [f"Not readable, counted as deleted: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the text with its log-probability in nats.

        Of several (`n_best`), `alternatives` lists all; `times` adds `words`, each with its begin and
        end in seconds.
        """
        decoder, labels = recipe.decoder, recipe.data.labels
        (logits,) = _logits(graphs[MODEL](**recipe.data.collate([item])))
        found = search(logits, decoder.beam_width, decoder.n_best)
        texts = [
            {"output": labels.text(best.labels), "log_probability": best.log_probability}
            for best in found
        ]
        answer = dict(texts[0])
        if decoder.n_best > 1:
            answer["alternatives"] = texts
        if decoder.times:
            seconds = getattr(recipe.model, "seconds_per_frame", None)
            if seconds is None:
                raise ZooError(f"{recipe.name} knows no times: its input has no clock.")
            answer["words"] = _word_times(logits, found[0].labels, labels, seconds)
        return answer

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `text` string [batch] and `log_probability` float32 [batch]."""
        import tensorflow as tf

        from zoo.common.ctc import in_graph

        labels, width = recipe.data.labels, recipe.decoder.beam_width
        symbols = tf.constant(["", *labels.symbols])
        separator = "" if labels.unit == "character" else " "

        def answer(inputs):
            outputs = model(inputs, training=False)
            logits, lengths = outputs["logits"], outputs["logit_lengths"]
            if width == 1:
                found, _, log_probability = in_graph.greedy_search(logits, lengths)
            else:
                found, _, log_probability = in_graph.beam_search(logits, lengths, width)
            text = tf.strings.reduce_join(tf.gather(symbols, found), axis=1, separator=separator)
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

    def _compute_metrics(
        self, examples: list[Any], hypotheses: list[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """Error rates counted by `jiwer`, lines of a report, a row an example.

        The spaces between words count as characters in `cer`.
        """
        import jiwer

        count = {"cer": jiwer.process_characters}
        names = ("per",) if self.metric == "per" else sorted(("wer", "cer"), key=self._steers)
        references = [example.transcript for example in examples]
        counts = {name: count.get(name, jiwer.process_words) for name in names}
        rate = {"cer": "cer"}
        totals = {name: counts[name](references, hypotheses) for name in names}
        metrics = {name: getattr(totals[name], rate.get(name, "wer")) for name in names}
        what = {"wer": "words", "cer": "characters", "per": "phonemes"}
        report = [
            f"{what[name]}: {out.hits + out.substitutions + out.deletions} in the references, "
            f"{out.substitutions} substituted, {out.deletions} deleted, {out.insertions} inserted"
            for name, out in totals.items()
        ]
        rows = [
            {"id": example.id, "reference": reference, "output": hypothesis}
            | {
                name: getattr(counts[name](reference, hypothesis), rate.get(name, "wer"))
                for name in names
            }
            for example, reference, hypothesis in zip(examples, references, hypotheses, strict=True)
        ]
        return metrics, report + self._show(rows), rows

    def _steers(self, name: str) -> bool:
        return name != self.metric

    def _show(self, rows: list[dict[str, Any]]) -> list[str]:
        """Lines of the best, median and worst rows."""
        metric = self.metric
        order = sorted(rows, key=lambda row: (row[metric], row["id"]))
        middle = max(0, (len(order) - SHOWN) // 2)
        groups = {
            "best": order[:SHOWN],
            "median": order[middle : middle + SHOWN],
            "worst": order[-SHOWN:],
        }
        return [
            line
            for name, chosen in groups.items()
            for row in chosen
            for line in (
                f"{name:6} {row['id']}, {metric} {row[metric]:.2f}",
                f"       reference:  {row['reference']}",
                f"       recognised: {row['output']}",
            )
        ]


def _logits(outputs: dict[str, np.ndarray]) -> Iterable[np.ndarray]:
    """The logits [time, vocabulary_size] of each row of a batch, true frames only."""
    for logits, length in zip(outputs["logits"], outputs["logit_lengths"], strict=True):
        yield logits[:length]


def _word_times(
    logits: np.ndarray, found: list[int], labels: Any, seconds_per_frame: float
) -> list[dict[str, Any]]:
    """Each word of a labelling with its begin and end in seconds, by its most probable path."""
    if not found:
        return []
    path = align(logits, found)
    words: list[dict[str, Any]] = []
    new = True
    for symbol, first, last in zip(labels.decode(found), path.first, path.last, strict=True):
        if symbol == " ":
            new = True
            continue
        end = round((int(last) + 1) * seconds_per_frame, 3)
        if new or labels.unit == "word":
            begin = round(int(first) * seconds_per_frame, 3)
            words.append({"word": symbol, "begin": begin, "end": end})
        else:
            words[-1] |= {"word": words[-1]["word"] + symbol, "end": end}
        new = False
    return words
