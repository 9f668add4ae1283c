"""Images with captions as a data kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import CustomSplit, InputPlots, RawInput, RawInputs
from zoo.common.core.data import Batch, Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.core.states import STEP
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
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.utils.progress import say
from zoo.vision_language.captioning import captions
from zoo.vision_language.captioning.caption_hashes import HASHES_FILE, CaptionHashes
from zoo.vision_language.captioning.captioner import Captioner
from zoo.vision_language.captioning.captions import CaptionedImage, words
from zoo.vision_language.captioning.features import cached_features
from zoo.vision_language.captioning.images import SIZE, ImageSource, read_image
from zoo.vision_language.captioning.vgg16 import shape_after


@dataclass(frozen=True)
class CaptionedImages(TargetSentences, CustomSplit, InputPlots, RawInputs, Baselines):
    """Images with captions. Training reads cached features of VGG16 instead of images.

    Args:
        vocabulary: words of the captions; if it is empty, a run takes it from its captions.
        train_caption_hashes: hashes of the captions of a run, to count copies.
        min_count: words that are rarer in the captions of a run are unknown.
        max_length: maximum number of words in a caption; longer captions are left out.
        image_column: column of the images in a user's list; None for `image`.
        caption_column: column of the captions; None for `caption`, or `captions` in JSON lines.
    """

    input_example: ClassVar[str] = "photo.jpg"

    vocabulary: Vocabulary = asset(Vocabulary, file=VOCABULARY_FILE)
    train_caption_hashes: CaptionHashes = asset(CaptionHashes, file=HASHES_FILE)
    min_count: int = 4
    max_length: int = 36
    image_column: str | None = option(None, "column of the images in a list; default: image")
    caption_column: str | None = option(None, "column of their captions; default: caption")

    def __post_init__(self):
        self.vocabulary.check_first(SENTENCE_SPECIALS)
        check_range("data.min_count", self.min_count, at_least=1)
        check_range("data.max_length", self.max_length, at_least=1)

    # Reading

    def read_manifest(self, path: Path) -> list[CaptionedImage]:
        return captions.read_manifest(path, self.image_column, self.caption_column)

    def split_dev(
        self, examples: list[CaptionedImage], fraction: float, seed: int
    ) -> tuple[list[CaptionedImage], list[CaptionedImage]]:
        return captions.split_by_caption(examples, fraction, seed)

    def checksum(self, examples: list[CaptionedImage]) -> str:
        return digest((e.id, e.captions, e.image.stat().st_size) for e in examples)

    def adapt(
        self, examples: list[CaptionedImage], model: Any
    ) -> tuple[CaptionedImages, Captioner]:
        texts = [words(caption) for example in examples for caption in example.captions]
        vocabulary = self.vocabulary or Vocabulary.of(texts, SENTENCE_SPECIALS, self.min_count)
        hashes = self.train_caption_hashes.add(texts)
        data = replace(self, vocabulary=vocabulary, train_caption_hashes=hashes)
        return data, replace(model, vocabulary_size=len(vocabulary))

    def filter_examples(
        self, examples: list[CaptionedImage], model: Captioner
    ) -> tuple[list[CaptionedImage], dict[str, int]]:
        """Leave out unreadable images, and images without a caption of at most `max_length` words.

        The features of images that are not in the cache are computed.
        """
        _, rows, errors = cached_features(examples, model.encoder.fixed_blocks)
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
            raise ZooError(f"No image is usable: {counts} of {len(examples)} images.")
        return kept, dict(left_out)

    def encode(self, example: CaptionedImage) -> list[list[int]]:
        """Return the tokens of each caption of at most `max_length` words, with start and end."""
        texts = [words(caption) for caption in example.captions]
        return [
            self.vocabulary.encode([START, *text, END])
            for text in texts
            if len(text) <= self.max_length
        ]

    def read_target(self, text: str) -> np.ndarray:
        caption = words(text)
        check_range("words of the caption", len(caption), at_least=1, at_most=self.max_length)
        return np.array(self.vocabulary.encode([START, *caption, END]), np.int32)

    # Training

    def batches(
        self, examples: list[CaptionedImage], model: Captioner, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches with one row per caption.

        x has `features` float32 [batch, *vgg16.shape_after(fixed_blocks)] and `tokens` of
        `shift_sentences`; y is that of `shift_sentences`.
        """
        table, rows, _ = cached_features(examples, model.encoder.fixed_blocks)
        pairs = [
            (example.id, row, np.array(tokens, np.int32))
            for example, row in zip(examples, rows, strict=True)
            for tokens in self.encode(example)
        ]
        lengths = [len(tokens) for _, _, tokens in pairs]
        padding = self.vocabulary.index(PAD)

        def generate() -> Iterator[Batch]:
            for group in shuffled_windows(lengths, epoch.batch_size, epoch.generator()):
                ids, images, texts = zip(*(pairs[i] for i in group), strict=True)
                features = table[list(images)].astype(np.float32)
                tokens, y = shift_sentences(texts, padding)
                yield {"features": features, "tokens": tokens}, y, np.array(ids)

        shape = shape_after(model.encoder.fixed_blocks)
        x = {"features": ((None, *shape), "float32"), "tokens": SHIFTED_SPEC["targets"]}
        return Batches(generate, (x, SHIFTED_SPEC), -(-len(pairs) // epoch.batch_size))

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.vision_language.captioning.baselines import consensus_baselines

        return consensus_baselines(predictor, examples)

    # Use

    def read_input(self, source: ImageSource, model: Captioner) -> Item:
        """Return `image` float32 [192, 192, 3].

        Args:
            source: path of an image file, a PIL image, or uint8 [height, width, 3], RGB.
            model: config of the model.

        Raises:
            ZooError: the image cannot be read.
        """
        return {"image": read_image(source).astype(np.float32)}

    def read_example(self, example: CaptionedImage, model: Captioner) -> Item:
        return self.read_input(example.image, model)

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: ImageSource, path: Path
    ) -> None:
        """Draw the image regions that each word of the caption attends to.

        Raises:
            ZooError: the image cannot be read, or the model has no attention.
        """
        from zoo.vision_language.captioning.plots import plot_attention

        plot_attention(predictor, source, path)

    # Export

    def export_metadata(self, model: Captioner) -> dict[str, Any]:
        return self.vocabulary.export_metadata()

    def raw_inputs(self, model: Captioner, decoder: SequenceSearch) -> dict[str, RawInput]:
        """Return `serving_default`, which takes the bytes of JPEG or PNG files."""
        import tensorflow as tf

        from zoo.vision_language.captioning.signatures import decode_images

        def to_inputs(image_bytes):
            return {"image": decode_images(image_bytes)}

        spec = [tf.TensorSpec([None], tf.string, "image_bytes")]
        return {"serving_default": RawInput(spec, to_inputs)}

    def example_inputs(
        self, model: Captioner, decoder: SequenceSearch
    ) -> dict[str, list[dict[str, Any]]]:
        """Return drawn pictures, one by one and as a batch, and captions of several lengths."""
        from zoo.vision_language.captioning import samples

        files = samples.files()
        pixels = np.stack(samples.pictures(SIZE)).astype(np.float32)
        return {
            "serving_default": [{"image_bytes": [file]} for file in files]
            + [{"image_bytes": files}],
            "encoder": [{"image": row[np.newaxis]} for row in pixels] + [{"image": pixels}],
            STEP: example_steps(self.vocabulary, model.states),
        }


CaptioningPredictor = Predictor[CaptionedImages, Captioner, SequenceSearch]
