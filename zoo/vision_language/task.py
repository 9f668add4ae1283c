"""Captioning as a task: from images with captions to a sentence about an image."""

from __future__ import annotations

import functools
import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common import decoding
from zoo.common.errors import ZooError
from zoo.common.files import read_text
from zoo.common.progress import progress
from zoo.common.recipe import asset
from zoo.common.task import Evaluation, Graphs, Signature, Source, Task
from zoo.common.vocabulary import END, PAD, START, VOCABULARY_FILE, Vocabulary
from zoo.vision_language import corpora
from zoo.vision_language.captioner import DECODER, SPECIALS, Captioner
from zoo.vision_language.corpora import Example, words
from zoo.vision_language.features import features_of
from zoo.vision_language.images import SIZE, read_image
from zoo.vision_language.telling import tell

if TYPE_CHECKING:
    import keras

SEEN_FILE = "seen.txt"
DIGEST_LENGTH = 12
SAMPLERS = ("beam", "greedy", "random", "top_k", "top_p")
SEARCHES = SAMPLERS[:2]
EVALUATION_BATCH = 64


@dataclass(frozen=True)
class Captioning(Task):
    """Image to sentence, a word at a time.

    vocabulary: Vocabulary. Empty: taken from the captions of the run.
    seen: tuple of str. What `digest` gives of each caption of the run, to know a copy by.
    min_count: int. Words rarer in the captions of a run are unknown.
    max_length: int. Words in the longest caption that is learnt or told.
    label_smoothing: float. Share of a target's probability spread over the vocabulary (Szegedy et al.,
        "Rethinking the Inception architecture", 2016, section 7).
    sampler: str. How `predict` chooses words: by "beam" search, "greedy", or drawn: "random", "top_k" or
        "top_p". Captions that are measured or served are searched for.
    beam_width, length_power: see `zoo.common.decoding.beam_search`.
    temperature, top_k, top_p: of draws; see `zoo.common.decoding.sampled`. seed: int. Fixes them.
    """

    options: ClassVar[tuple[str, ...]] = (
        "sampler",
        "beam_width",
        "length_power",
        "temperature",
        "top_k",
        "top_p",
        "seed",
    )

    vocabulary: Vocabulary = asset(Vocabulary((), ()))
    seen: tuple[str, ...] = asset(())
    min_count: int = 4
    max_length: int = 36
    label_smoothing: float = 0.1
    sampler: str = "beam"
    beam_width: int = 3
    length_power: float = 1.0
    temperature: float = 1.0
    top_k: int = 10
    top_p: float = 0.95
    seed: int = 0

    def __post_init__(self):
        if self.sampler not in SAMPLERS:
            valid = ", ".join(map(repr, SAMPLERS))
            raise ZooError(f"task.sampler is one of {valid}. Received: {self.sampler!r}.")
        for name in ("min_count", "max_length", "beam_width"):
            if getattr(self, name) < 1:
                raise ZooError(f"task.{name} is at least 1. Received: {getattr(self, name)}.")
        if not 0 <= self.label_smoothing < 1:
            raise ZooError(
                f"task.label_smoothing lies in [0, 1). Received: {self.label_smoothing}."
            )
        decoding.check_sampling(self)
        if not 0 <= self.length_power < float("inf"):
            raise ZooError(f"task.length_power is at least 0. Received: {self.length_power}.")

    @property
    def metric(self) -> str:
        """1 - BLEU-4."""
        return "bleu4_loss"

    # Data -----------------------------------------------------------------------------------------

    def read(self, corpus: str, source: Source, split: str) -> list[Example]:
        """See `Task.read`."""
        if source.manifest is not None:
            return corpora.read_manifest(source.manifest, split)
        return corpora.read_rsicd(source.folder, split)

    def cut_dev(self, examples, fraction, seed):
        """Cut so that no caption is in both: near-duplicate images stay together."""
        return corpora.cut_by_caption(examples, fraction, seed)

    def checksum(self, examples: list[Example]) -> str:
        """See `Task.checksum`."""
        return corpora.checksum(examples)

    def fit(self, examples: list[Example], model: Captioner) -> tuple[Captioning, Captioner]:
        """Take the vocabulary from the captions, where the recipe has none; remember the captions."""
        captions = [words(caption) for example in examples for caption in example.captions]
        vocabulary = self.vocabulary
        if not len(vocabulary):
            vocabulary = Vocabulary.of(captions, SPECIALS, self.min_count)
        seen = tuple(sorted({*self.seen, *map(digest, captions)}))
        task = replace(self, vocabulary=vocabulary, seen=seen)
        return task, replace(model, vocabulary_size=len(vocabulary))

    def usable(self, examples: list[Example], model: Captioner):
        """Leave out images that cannot be read and those without a caption of `max_length` words.

        Looks at every image that is not in the cache yet. Raises `ZooError` if none is left.
        """
        _, places, errors = looked_at(examples)
        for error in errors.values():
            print(error, file=sys.stderr, flush=True)
        reasons: Counter[str] = Counter()
        kept = []
        for example, place in zip(examples, places, strict=True):
            if place < 0:
                reasons["unreadable"] += 1
            elif not self.encode(example):
                reasons[f"without a caption of at most {self.max_length} words"] += 1
            else:
                kept.append(example)
        if not kept:
            raise ZooError(
                "No image can be learnt from: "
                + ", ".join(f"{count} {reason}" for reason, count in reasons.items())
                + f" of {len(examples)} images."
            )
        return kept, dict(reasons)

    def encode(self, example: Example) -> list[list[int]]:
        """Each caption of at most `max_length` words as tokens, from the start to the end."""
        captions = [words(caption) for caption in example.captions]
        return [
            self.vocabulary.encode([START, *caption, END])
            for caption in captions
            if len(caption) <= self.max_length
        ]

    # Learning -------------------------------------------------------------------------------------

    def learner(self, model: keras.Model) -> keras.Model:
        """From features on: the encoder is fixed, and its features are at hand."""
        return model.get_layer(DECODER)

    def batches(self, model, recipe, examples, epoch):
        """A row for each caption. See `zoo.vision_language.pipeline.training_batches`."""
        from zoo.vision_language.pipeline import Pair, training_batches

        table, places, _ = looked_at(examples)
        pairs = [
            Pair(example.id, place, tokens)
            for example, place in zip(examples, places, strict=True)
            for tokens in self.encode(example)
        ]
        return training_batches(
            table,
            pairs,
            recipe.training.batch_size,
            self.vocabulary.index(PAD),
            recipe.training.seed,
            epoch,
        )

    def steps(self, recipe, examples):
        """See `Task.steps`."""
        pairs = sum(len(self.encode(example)) for example in examples)
        return -(-pairs // recipe.training.batch_size)

    def loss(self, y, outputs):
        """Cross entropy of each caption, the mean over its words and its end, float32 [batch]; of a
        model of several members, the mean of theirs."""
        members = outputs.get("members", [outputs["logits"]])
        return sum(self._cost(y, logits) for logits in members) / len(members)

    def _cost(self, y, logits):
        from keras import ops

        logs = ops.log_softmax(ops.cast(logits, "float32"))
        likely = ops.take_along_axis(logs, y["targets"][:, :, None], axis=-1)[:, :, 0]
        share = self.label_smoothing
        costs = -(1 - share) * likely - share * ops.mean(logs, axis=-1)
        inside = ops.arange(ops.shape(costs)[1]) < y["lengths"][:, None]
        lengths = ops.cast(y["lengths"], "float32")
        return ops.sum(ops.where(inside, costs, 0.0), axis=1) / lengths

    # Use ------------------------------------------------------------------------------------------

    def evaluate(self, model, recipe, examples: list[Example]) -> Evaluation:
        """BLEU, CIDEr and copies from training, with telling examples."""
        from zoo.vision_language.scoring import score
        from zoo.vision_language.serving import teller

        started = time.perf_counter()
        table, places, errors = looked_at(examples)
        tell = teller(model, recipe.model, self._searched())
        captions = [""] * len(examples)  # of an image that cannot be read: nothing was said
        readable = np.flatnonzero(places >= 0)
        batches = [
            readable[i : i + EVALUATION_BATCH] for i in range(0, len(readable), EVALUATION_BATCH)
        ]
        for batch in progress(batches, "Evaluating", len(batches), "batch"):
            texts = tell(table[places[batch]].astype(np.float32))["caption"].numpy()
            for i, text in zip(batch, texts, strict=True):
                captions[i] = text.decode()
        seen = set(self.seen)
        copies = {caption for caption in captions if digest(caption.split()) in seen}
        metrics, report = score(examples, captions, copies)
        report += [f"Not readable, counted as silence: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report)

    def predict(self, graphs: Graphs, recipe, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """A sentence about each image, with its log-probability in nats."""
        generator = np.random.default_rng(self.seed)
        for source in inputs:
            try:
                pixels = read_image(source)
            except ZooError as error:
                yield {"input": source, "error": str(error)}
                continue
            states = graphs["encoder"](image=pixels[np.newaxis].astype(np.float32))
            told = tell(
                self,
                graphs["step"],
                states,
                np,
                lambda rows: generator.random(rows, np.float32),
            )
            tokens = told.tokens[0, : told.lengths[0]]
            yield {
                "input": source,
                "output": " ".join(self.vocabulary.decode(tokens)),
                "log_probability": float(told.log_probability[0]),
            }

    def _searched(self) -> Captioning:
        """This task. Raises `ZooError` if its sampler draws, and would answer anew each time."""
        if self.sampler not in SEARCHES:
            raise ZooError(
                "task.sampler is 'beam' or 'greedy' where captions are measured or served. "
                f"Received: {self.sampler!r}."
            )
        return self

    # Delivery -------------------------------------------------------------------------------------

    def graphs(self, model, recipe) -> dict[str, keras.Model]:
        """`encoder` and `step`. See `Captioner.graphs`."""
        return recipe.model.graphs(model)

    def signatures(self, model, recipe) -> dict[str, Signature]:
        """`serving_default`: the bytes of JPEG or PNG files to captions."""
        import tensorflow as tf

        from zoo.vision_language.serving import pixels_of, tell_texts

        graphs, task = recipe.model.graphs(model), self._searched()

        def caption(image_bytes):
            states = graphs["encoder"]({"image": pixels_of(image_bytes)}, training=False)
            return tell_texts(task, graphs["step"], states)

        spec = [tf.TensorSpec([None], tf.string, "image_bytes")]
        return {"serving_default": Signature(caption, spec)}

    def samples(self, recipe) -> dict[str, list[dict[str, Any]]]:
        """Pictures drawn by `zoo.vision_language.samples`, one by one and as one batch; captions of
        several lengths from several states."""
        from zoo.vision_language import samples

        files = samples.files()
        pixels = np.stack(samples.pictures(SIZE)).astype(np.float32)
        start, generator = self.vocabulary.index(START), np.random.default_rng(0)

        def step(rows: int, time_steps: int) -> dict[str, Any]:
            tokens = generator.integers(0, len(self.vocabulary), (rows, time_steps), np.int32)
            tokens[:, 0] = start
            states = {
                name: generator.uniform(-1, 1, (rows, *shape)).astype(np.float32)
                for name, shape in recipe.model.states.items()
            }
            return {"tokens": tokens, **states}

        return {
            "serving_default": [{"image_bytes": [file]} for file in files]
            + [{"image_bytes": files}],
            "encoder": [{"image": row[np.newaxis]} for row in pixels] + [{"image": pixels}],
            "step": [step(1, 1), step(1, 7), step(3, 1), step(4, 12)],
        }

    def assets(self) -> dict[str, str]:
        """vocabulary.txt, and seen.txt: a digest a line of each caption of the run."""
        return {
            VOCABULARY_FILE: self.vocabulary.text(),
            SEEN_FILE: "".join(f"{line}\n" for line in self.seen),
        }

    def with_assets(self, folder: Path) -> Captioning:
        """See `Task.with_assets`."""
        path = folder / VOCABULARY_FILE
        vocabulary = Vocabulary.from_text(read_text(path), path)
        if vocabulary.tokens[: len(SPECIALS)] != SPECIALS:
            raise ZooError(f"{path} is corrupt: its first lines are {', '.join(SPECIALS)}.")
        seen = read_text(folder / SEEN_FILE).split()
        if any(len(line) != DIGEST_LENGTH for line in seen) or seen != sorted(set(seen)):
            raise ZooError(
                f"{folder / SEEN_FILE} is corrupt: it has digests of {DIGEST_LENGTH} letters, sorted."
            )
        return replace(self, vocabulary=vocabulary, seen=tuple(seen))


def digest(caption: Sequence[str]) -> str:
    """What a caption, as words, is known by without being kept."""
    return hashlib.sha256(" ".join(caption).encode()).hexdigest()[:DIGEST_LENGTH]


def looked_at(examples: Sequence[Example]):
    """`features_of` the images of examples."""
    return _looked_at(tuple(example.image for example in examples))


@functools.lru_cache(maxsize=2)  # a run takes its train and dev images at every epoch
def _looked_at(paths: tuple[Path, ...]):
    return features_of(paths)
