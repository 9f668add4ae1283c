"""Speech recognition with CTC as a task: from recordings and transcripts to text."""

from __future__ import annotations

import functools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common import ctc_search
from zoo.common.errors import ZooError
from zoo.common.files import read_text
from zoo.common.progress import progress
from zoo.common.recipe import ModelConfig, asset
from zoo.common.task import Evaluation, Graphs, Signature, Source, Task
from zoo.speech import corpora
from zoo.speech.audio import read_audio
from zoo.speech.corpora import Example

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from zoo.common.recipe import Recipe

# Real clips that travel with the package (AN4's licence allows it).
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.flac"))

GRAPH = "model"
ALPHABET_FILE = "alphabet.txt"
BLANK_LINE = "<blank>"
EVALUATION_BATCH = 16

# Where a speech model's front end ends: layers whose outputs are [batch, frames, features] and their
# lengths [batch]. Training starts there, on augmented features.
FEATURES = ("features", "frames")


@dataclass(frozen=True)
class SpecAugment:
    """Masks over the features of a training utterance (Park et al. 2019).

    freq_masks, freq_width: int. Bands of mel bins set to their mean, and the most bins in one.
    time_masks, time_width: int. Spans of frames set to their mean, and the most frames in one.
    time_share: float. The most of an utterance that one span may cover.
    """

    freq_masks: int = 2
    freq_width: int = 20
    time_masks: int = 2
    time_width: int = 25
    time_share: float = 0.2

    def __post_init__(self):
        for name in ("freq_masks", "freq_width", "time_masks", "time_width"):
            if getattr(self, name) < 0:
                raise ZooError(
                    f"task.spec_augment.{name} is at least 0. Received: {getattr(self, name)}."
                )
        if not 0 <= self.time_share < 1:
            raise ZooError(
                f"task.spec_augment.time_share lies in [0, 1). Received: {self.time_share}."
            )


@dataclass(frozen=True)
class SpeechCTC(Task):
    """Speech to text, written in an alphabet whose symbol i has CTC label i + 1.

    alphabet: str. Empty: taken from the transcripts of the run.
    beam_width: int. Labellings the prefix beam search keeps; 1 takes the best path (greedy).
    speeds: factors of speed perturbation, one drawn for each utterance in each epoch (Ko et al. 2015).
    spec_augment: SpecAugment. Masks drawn for each utterance in each epoch.
    max_seconds: float. Longer clips are left out of training.
    """

    options: ClassVar[tuple[str, ...]] = ("beam_width",)

    alphabet: str = asset("")
    beam_width: int = 1
    speeds: tuple[float, ...] = (1.0,)
    spec_augment: SpecAugment = SpecAugment()
    max_seconds: float = 30.0

    def __post_init__(self):
        if self.beam_width < 1:
            raise ZooError(f"task.beam_width is at least 1. Received: {self.beam_width}.")
        if not self.speeds or not all(0.5 <= speed <= 2 for speed in self.speeds):
            raise ZooError(f"task.speeds lie between 0.5 and 2. Received: {self.speeds}.")
        if not self.max_seconds > 0:
            raise ZooError(f"task.max_seconds is above 0. Received: {self.max_seconds}.")

    @property
    def metric(self) -> str:
        """Word error rate."""
        return "wer"

    # Data -----------------------------------------------------------------------------------------

    def read(self, corpus: str, source: Source, split: str) -> list[Example]:
        """See `Task.read`."""
        if source.manifest is not None:
            examples = corpora.read_manifest(source.manifest)
            return corpora.of_split(examples, split, source.manifest)
        return corpora.read_corpus(corpus, source.folder, split)

    def cut_dev(self, examples, fraction, seed):
        """Cut by speaker: no voice is in both."""
        return corpora.split_by_speaker(examples, fraction, seed)

    def checksum(self, examples: list[Example]) -> str:
        """See `Task.checksum`."""
        return corpora.checksum(examples)

    def fit(self, examples: list[Example], model: ModelConfig) -> tuple[SpeechCTC, ModelConfig]:
        """Take the alphabet from the transcripts, where the recipe has none of its own."""
        alphabet = self.alphabet or "".join(sorted({c for e in examples for c in e.transcript}))
        return replace(self, alphabet=alphabet), replace(model, symbols=len(alphabet) + 1)

    def usable(self, examples: list[Example], model: ModelConfig):
        """Leave out clips that cannot be read, are too long, or are too short for their labels.

        Raises `ZooError` if a transcript has letters outside the alphabet, or no clip is left.
        """
        from zoo.common.ctc import min_frames

        def check(example: Example) -> str | None:
            try:
                samples = len(read_audio(example.audio, model.features.sample_rate))
            except ZooError:
                return "unreadable"
            if samples > self.max_seconds * model.features.sample_rate:
                return f"longer than {self.max_seconds:g} s"
            # At the fastest speed drawn in training there must still be a frame for every label.
            frames = model.frames(int(samples / max(self.speeds)))
            if frames < min_frames(self.encode(example)):
                return "too short for its transcript"
            return None

        for example in examples:
            self.encode(example)
        with ThreadPoolExecutor() as pool:
            checks = pool.map(check, examples)
            reasons = list(progress(checks, "Checking clips", len(examples), "clip"))
        kept = [e for e, reason in zip(examples, reasons, strict=True) if reason is None]
        if not kept:
            raise ZooError(
                f"No clip can be learnt from: {_counts(reasons)} of {len(examples)} clips."
            )
        return kept, dict(Counter(filter(None, reasons)))

    def encode(self, example: Example) -> list[int]:
        """CTC labels of a transcript. Raises `ZooError` for letters outside the alphabet."""
        table = {letter: label for label, letter in enumerate(self.alphabet, start=1)}
        try:
            return [table[letter] for letter in example.transcript]
        except KeyError:
            outside = "".join(sorted(set(example.transcript) - set(self.alphabet)))
            raise ZooError(
                f"The transcript of {example.id!r} has {outside!r}, which the alphabet "
                f"{self.alphabet!r} does not. Received: {example.transcript!r}."
            ) from None

    # Learning -------------------------------------------------------------------------------------

    def learner(self, model: keras.Model) -> keras.Model:
        """From normalised features on: the pipeline runs the front end, then masks its features."""
        import keras

        inputs = {name: model.get_layer(name).output for name in FEATURES}
        for name, tensor in inputs.items():
            tensor.name = name  # Keras wants an input called as its key
        return keras.Model(inputs, model.output)

    def batches(self, model, recipe, examples, epoch):
        """See `zoo.speech.pipeline.training_batches`."""
        import keras

        from zoo.speech.pipeline import training_batches

        masks = self.spec_augment
        return training_batches(
            examples,
            [self.encode(example) for example in examples],
            keras.Model(model.input, model.get_layer(FEATURES[0]).output),
            sample_rate=recipe.model.features.sample_rate,
            batch_size=recipe.training.batch_size,
            speeds=self.speeds,
            spec_augment=masks if masks.freq_masks or masks.time_masks else None,
            seed=recipe.training.seed,
            epoch=epoch,
        )

    def steps(self, recipe, examples):
        """Counted by bucket, at the speed of the recordings. See `Task.steps`."""
        from zoo.speech.pipeline import bucket

        features, size = recipe.model.features, recipe.training.batch_size
        frames = (features.frames(int(e.seconds * features.sample_rate)) for e in examples)
        return sum(-(-count // size) for count in Counter(map(bucket, frames)).values())

    def loss(self, y, outputs):
        """CTC over true lengths, float32 [batch]."""
        from zoo.common.ctc import ctc_loss

        return ctc_loss(
            outputs["logits"], outputs["logit_lengths"], y["labels"], y["label_lengths"]
        )

    # Use ------------------------------------------------------------------------------------------

    def transcriber(self, model: keras.Model) -> Callable[..., dict[str, tf.Tensor]]:
        """A graph function of `waveform` float32 [batch, samples] and `lengths` int32 [batch] to
        `text` string [batch] and `log_probability` float32 [batch], in nats."""
        return _transcriber(model, self.alphabet, self.beam_width)

    def evaluate(self, model, recipe, examples: list[Example]) -> Evaluation:
        """Word and character error rates, with the counts behind them and telling utterances."""
        from zoo.speech.scoring import score

        started = time.perf_counter()
        transcribe, rate = self.transcriber(model), recipe.model.features.sample_rate
        order = sorted(range(len(examples)), key=lambda i: examples[i].seconds)
        hypotheses: dict[int, str] = {}
        unreadable: list[str] = []
        batches = [order[i : i + EVALUATION_BATCH] for i in range(0, len(order), EVALUATION_BATCH)]
        for batch in progress(batches, "Evaluating", len(batches), "batch"):
            waveforms = {}
            for i in batch:
                try:
                    waveforms[i] = read_audio(examples[i].audio, rate)
                except ZooError as error:
                    unreadable.append(str(error))
            if waveforms:
                texts = transcribe(*pad(waveforms.values()))["text"].numpy()
                hypotheses |= {i: text.decode() for i, text in zip(waveforms, texts, strict=True)}
        # A clip that cannot be read is a clip that was not understood: all its words are deleted.
        hypotheses = [hypotheses.get(i, "") for i in range(len(examples))]
        metrics, report = score(examples, hypotheses)
        report += [f"Not readable, counted as deleted: {error}" for error in unreadable]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report)

    def predict(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Text of each recording, with its log-probability and duration."""
        run, rate = graphs[GRAPH], recipe.model.features.sample_rate
        for source in inputs:
            try:
                waveform = read_audio(source, rate)
            except ZooError as error:
                yield {"input": source, "error": str(error)}
                continue
            waveforms, lengths = pad([waveform])
            outputs = run(waveform=waveforms, lengths=lengths)
            logits = outputs["logits"][0, : outputs["logit_lengths"][0]]
            if self.beam_width == 1:
                labels, log_probability = ctc_search.greedy_search(logits)
            else:
                labels, log_probability = ctc_search.beam_search(logits, self.beam_width)
            yield {
                "input": source,
                "output": self.text(labels),
                "log_probability": log_probability,
                "seconds": len(waveform) / rate,
            }

    def text(self, labels: Sequence[int]) -> str:
        """What CTC labels say, with single spaces between words."""
        letters = "".join(self.alphabet[label - 1] for label in labels)
        return re.sub(" +", " ", letters).strip()

    # Delivery -------------------------------------------------------------------------------------

    def signatures(self, model, recipe) -> dict[str, Signature]:
        """`serving_default`: waveforms with lengths; `transcribe_wav`: the bytes of WAV files."""
        import tensorflow as tf

        transcribe, rate = self.transcriber(model), recipe.model.features.sample_rate

        def decode(contents):
            audio, file_rate = tf.audio.decode_wav(contents)
            check = tf.debugging.Assert(
                file_rate == rate, [f"The model hears {rate} Hz. The WAV file has", file_rate]
            )
            with tf.control_dependencies([check]):
                return tf.reduce_mean(audio, axis=1)

        def transcribe_wav(wav):
            waveforms = tf.map_fn(
                lambda contents: tf.RaggedTensor.from_tensor(decode(contents)[tf.newaxis])[0],
                wav,
                fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
            )
            return transcribe(waveforms.to_tensor(), tf.cast(waveforms.row_lengths(), tf.int32))

        return {
            "serving_default": Signature(transcribe, transcribe.input_signature),
            "transcribe_wav": Signature(transcribe_wav, [tf.TensorSpec([None], tf.string, "wav")]),
        }

    def graphs(self, model, recipe) -> dict[str, keras.Model]:
        """`model`: waveform and lengths to logits and logit_lengths."""
        return {GRAPH: model}

    def samples(self, recipe) -> dict[str, list[dict[str, Any]]]:
        """The shipped clips, one by one and as one batch."""
        import tensorflow as tf

        rate = recipe.model.features.sample_rate
        clips = [read_audio(path, rate) for path in SAMPLES]
        batches = [pad([clip]) for clip in clips] + [pad(clips)]
        files = [tf.audio.encode_wav(clip[:, np.newaxis], rate).numpy() for clip in clips]
        waveforms = [{"waveform": w, "lengths": n} for w, n in batches]
        return {
            "serving_default": waveforms,
            GRAPH: waveforms,
            "transcribe_wav": [{"wav": [file]} for file in files] + [{"wav": files}],
        }

    def assets(self) -> dict[str, str]:
        """alphabet.txt: a line for each CTC label, the blank first."""
        return {ALPHABET_FILE: "\n".join([BLANK_LINE, *self.alphabet]) + "\n"}

    def with_assets(self, folder: Path) -> SpeechCTC:
        """See `Task.with_assets`."""
        first, *letters = read_text(folder / ALPHABET_FILE).removesuffix("\n").split("\n")
        single = all(len(letter) == 1 for letter in letters)
        if first != BLANK_LINE or not letters or not single or len({*letters}) < len(letters):
            raise ZooError(
                f"{folder / ALPHABET_FILE} is corrupt: it has {BLANK_LINE} in its first line and a "
                "letter of its own in each other line."
            )
        return replace(self, alphabet="".join(letters))


@functools.lru_cache(maxsize=1)  # a run measures the same model after every epoch
def _transcriber(model: keras.Model, alphabet: str, beam_width: int):
    import tensorflow as tf

    from zoo.common import ctc

    letters = tf.constant(["", *alphabet])

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32, "waveform"),
            tf.TensorSpec([None], tf.int32, "lengths"),
        ]
    )
    def transcribe(waveform, lengths):
        outputs = model({"waveform": waveform, "lengths": lengths}, training=False)
        logits, logit_lengths = outputs["logits"], outputs["logit_lengths"]
        if beam_width == 1:
            labels, _, log_probability = ctc.greedy_decode(logits, logit_lengths)
        else:
            labels, _, log_probability = ctc.beam_decode(logits, logit_lengths, beam_width)
        text = tf.strings.reduce_join(tf.gather(letters, labels), axis=1)
        text = tf.strings.strip(tf.strings.regex_replace(text, " +", " "))
        return {"text": text, "log_probability": log_probability}

    return transcribe


def pad(waveforms: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(float32 [batch, samples] padded with 0, int32 [batch] lengths)."""
    waveforms = list(waveforms)
    lengths = np.array([len(waveform) for waveform in waveforms], np.int32)
    batch = np.zeros((len(waveforms), lengths.max()), np.float32)
    for row, waveform in zip(batch, waveforms, strict=True):
        row[: len(waveform)] = waveform
    return batch, lengths


def _counts(reasons: Iterable[str | None]) -> str:
    return ", ".join(
        f"{count} {reason}" for reason, count in Counter(filter(None, reasons)).items()
    )
