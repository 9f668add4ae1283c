"""Captioned images as a data kind."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batch, Batches, Item, RawInput
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import asset
from zoo.common.data.batching import shuffled_windows
from zoo.common.data.manifests import digest
from zoo.common.data.target_sentences import (
    SHIFTED_SPEC,
    TargetSentences,
    example_steps,
    shift_sentences,
)
from zoo.common.data.vocabulary import (
    END,
    PAD,
    SENTENCE_SPECIALS,
    START,
    VOCABULARY_FILE,
    Vocabulary,
)
from zoo.common.utils.files import read_text
from zoo.common.utils.progress import say
from zoo.vision_language.captioning import captions
from zoo.vision_language.captioning.captioner import Captioner
from zoo.vision_language.captioning.captions import CaptionedImage, words
from zoo.vision_language.captioning.features import cached_features
from zoo.vision_language.captioning.images import SIZE, read_image
from zoo.vision_language.captioning.vgg16 import shape_after

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

HASHES_FILE = "train_caption_hashes.txt"
HASH_LENGTH = 12


@dataclass(frozen=True)
class CaptionedImages(TargetSentences):
    """Images with captions, which a model is trained on from cached features of VGG16.

    vocabulary: Vocabulary. Empty: taken from the captions of the run.
    train_caption_hashes: tuple of str. `caption_hash` of each caption of the run, to know a copy by.
    min_count: int. Words rarer in the captions of a run are unknown.
    max_length: int. Words in the longest caption that is learnt.
    """

    input_example: ClassVar[str] = "photo.jpg"

    vocabulary: Vocabulary = asset(Vocabulary((), ()))
    train_caption_hashes: tuple[str, ...] = asset(())
    min_count: int = 4
    max_length: int = 36

    def __post_init__(self):
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.max_length", self.max_length, at_least=1)

    # Reading

    def read_manifest(self, path: Path) -> list[CaptionedImage]:
        """See `zoo.vision_language.captioning.captions.read_manifest`."""
        return captions.read_manifest(path)

    def split_dev(
        self, examples: list[CaptionedImage], fraction: float, seed: int
    ) -> tuple[list[CaptionedImage], list[CaptionedImage]]:
        """See `Data.split_dev`: no caption is in both, so near-duplicate images stay together."""
        return captions.split_by_caption(examples, fraction, seed)

    def checksum(self, examples: list[CaptionedImage]) -> str:
        """See `Data.checksum`: of ids, captions and sizes of image files."""
        return digest((e.id, e.captions, e.image.stat().st_size) for e in examples)

    def adapt(
        self, examples: list[CaptionedImage], model: Captioner
    ) -> tuple[CaptionedImages, Captioner]:
        """See `Data.adapt`: takes the vocabulary, where there is none, and hashes of the captions."""
        texts = [words(caption) for example in examples for caption in example.captions]
        vocabulary = self.vocabulary
        if not len(vocabulary):
            vocabulary = Vocabulary.of(texts, SENTENCE_SPECIALS, self.min_count)
        hashes = tuple(sorted({*self.train_caption_hashes, *map(caption_hash, texts)}))
        data = replace(self, vocabulary=vocabulary, train_caption_hashes=hashes)
        return data, replace(model, vocabulary_size=len(vocabulary))

    def filter_examples(
        self, examples: list[CaptionedImage], recipe: Recipe
    ) -> tuple[list[CaptionedImage], dict[str, int]]:
        """See `Data.filter_examples`: leaves out images that cannot be read, and those without a caption
        of at most `max_length` words.

        Computes the features of every image that is not in the cache yet.
        """
        _, rows, errors = cached_features(examples, recipe.model.encoder.fixed_blocks)
        for error in errors.values():
            say(error)
        left_out: Counter[str] = Counter()
        kept = []
        for example, row in zip(examples, rows, strict=True):
            if row < 0:
                left_out["unreadable"] += 1
            elif not self.encode(example):
                left_out[f"without a caption of at most {self.max_length} words"] += 1
            else:
                kept.append(example)
        if not kept:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise ZooError(f"No image can be learnt from: {counts} of {len(examples)} images.")
        return kept, dict(left_out)

    def encode(self, example: CaptionedImage) -> list[list[int]]:
        """Return each caption of at most `max_length` words as tokens, from the start to the end."""
        texts = [words(caption) for caption in example.captions]
        return [
            self.vocabulary.encode([START, *text, END])
            for text in texts
            if len(text) <= self.max_length
        ]

    def read_target(self, text: str) -> np.ndarray:
        """Return a caption as tokens int32 [tokens], from the start to the end.

        Raises:
            ZooError: it has no words, or more than `max_length`.
        """
        caption = words(text)
        check_range("words of the caption", len(caption), at_least=1, at_most=self.max_length)
        return np.array(self.vocabulary.encode([START, *caption, END]), np.int32)

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[CaptionedImage], epoch: int
    ) -> Batches:
        """See `Data.batches`: a row for each caption.

        x: `features` float32 [batch, *vgg16.shape_after(fixed_blocks)], and `tokens` as of
            `shift_sentences`. y: as there.
        """
        table, rows, _ = cached_features(examples, recipe.model.encoder.fixed_blocks)
        pairs = [
            (example.id, row, np.array(tokens, np.int32))
            for example, row in zip(examples, rows, strict=True)
            for tokens in self.encode(example)
        ]
        lengths_of = [len(tokens) for _, _, tokens in pairs]
        padding, training = self.vocabulary.index(PAD), recipe.training

        def generate() -> Iterator[Batch]:
            generator = np.random.default_rng((training.seed, epoch))
            for group in shuffled_windows(lengths_of, training.batch_size, generator):
                ids, images, texts = zip(*(pairs[i] for i in group), strict=True)
                features = table[list(images)].astype(np.float32)
                tokens, y = shift_sentences(texts, padding)
                yield {"features": features, "tokens": tokens}, y, np.array(ids)

        shape = shape_after(recipe.model.encoder.fixed_blocks)
        x = {"features": ((None, *shape), "float32"), "tokens": SHIFTED_SPEC["targets"]}
        return Batches(generate, (x, SHIFTED_SPEC))

    def steps_per_epoch(self, recipe: Recipe, examples: list[CaptionedImage]) -> int:
        """See `Data.steps_per_epoch`."""
        pairs = sum(len(self.encode(example)) for example in examples)
        return -(-pairs // recipe.training.batch_size)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: the path of an image file."""
        return {"image": read_image(source).astype(np.float32)}

    def read_example(self, example: CaptionedImage, recipe: Recipe) -> Item:
        """See `Data.read_example`."""
        return self.read_input(str(example.image), recipe)

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the places that counted for each word, of a captioner with attention."""
        from zoo.vision_language.captioning.plots import plot_attention

        plot_attention(recipe, graphs, source, path)

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the words."""
        return self.vocabulary.facts()

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: `serving_default` takes the bytes of JPEG or PNG files."""
        import tensorflow as tf

        from zoo.vision_language.captioning.signatures import decode_images

        def to_inputs(image_bytes):
            return {"image": decode_images(image_bytes)}

        spec = [tf.TensorSpec([None], tf.string, "image_bytes")]
        return {"serving_default": RawInput(spec, to_inputs)}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: pictures drawn by code, one by one and as one batch; captions of
        several lengths from several states."""
        from zoo.vision_language.captioning import samples

        files = samples.files()
        pixels = np.stack(samples.pictures(SIZE)).astype(np.float32)
        return {
            "serving_default": [{"image_bytes": [file]} for file in files]
            + [{"image_bytes": files}],
            "encoder": [{"image": row[np.newaxis]} for row in pixels] + [{"image": pixels}],
            "step": example_steps(self.vocabulary, recipe.model.states),
        }

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: the vocabulary, and a line for the hash of each caption of the run."""
        return {
            VOCABULARY_FILE: self.vocabulary.text(),
            HASHES_FILE: "".join(f"{line}\n" for line in self.train_caption_hashes),
        }

    def with_assets(self, folder: Path) -> CaptionedImages:
        """See `Data.with_assets`."""
        vocabulary = Vocabulary.read(folder, SENTENCE_SPECIALS)
        hashes = read_text(folder / HASHES_FILE).split()
        if any(len(line) != HASH_LENGTH for line in hashes) or hashes != sorted(set(hashes)):
            raise ZooError(
                f"{folder / HASHES_FILE} is corrupt: it must have hashes of {HASH_LENGTH} letters, "
                "sorted."
            )
        return replace(self, vocabulary=vocabulary, train_caption_hashes=tuple(hashes))


def caption_hash(caption: Sequence[str]) -> str:
    """Return what a caption, as words, is known by without being kept."""
    return hashlib.sha256(" ".join(caption).encode()).hexdigest()[:HASH_LENGTH]
