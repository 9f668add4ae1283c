"""Captioning as a task: a sentence about an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.core.task import Evaluation
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.tasks.sequence_to_sequence import Reader, SequenceToSequence
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.captioning import metrics
from zoo.vision_language.captioning.captioner import ENCODER_FROM_FEATURES, Captioner
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.data import CaptionedImages, caption_hash
from zoo.vision_language.captioning.features import cached_features

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs


@dataclass(frozen=True)
class Captioning(SequenceToSequence):
    """A sentence about an image, measured by BLEU, CIDEr and copies. See `SequenceToSequence`."""

    verb: ClassVar[str] = "caption"
    packages: ClassVar[tuple[str, ...]] = ("pycocoevalcap",)
    output_name: ClassVar[str] = "caption"

    @property
    def metric(self) -> str:
        """BLEU-4."""
        return "bleu4"

    def compute_metrics(
        self, recipe: Recipe, examples: list[CaptionedImage], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """See `zoo.vision_language.captioning.metrics.compute_metrics`."""
        hashes = set(recipe.data.train_caption_hashes)
        copies = {caption for caption in outputs if caption_hash(caption.split()) in hashes}
        return metrics.compute_metrics(examples, outputs, copies)

    def encoder(
        self, graphs: Graphs, recipe: Recipe, examples: list[CaptionedImage]
    ) -> tuple[str, Reader]:
        """See `SequenceToSequence.encoder`: from cached features where the runtime has that graph."""
        if ENCODER_FROM_FEATURES not in graphs:
            return super().encoder(graphs, recipe, examples)
        table, rows, errors = cached_features(examples, recipe.model.encoder.fixed_blocks)
        row_of = {example.image: row for example, row in zip(examples, rows, strict=True)}

        def read(example: CaptionedImage) -> dict[str, np.ndarray]:
            if example.image in errors:
                raise ZooError(errors[example.image])
            return {"features": table[row_of[example.image]].astype(np.float32)}

        return ENCODER_FROM_FEATURES, read

    def plot(self, recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
        """See `Task.plot`: images with what was said of them."""
        from zoo.vision_language.captioning.plots import plot_captions

        return [plot_captions(evaluation.rows, folder / "captions.png")]

    def retrieve(
        self, graphs: Graphs, recipe: Recipe, examples: list[CaptionedImage]
    ) -> Evaluation:
        """See `zoo.vision_language.captioning.retrieval.retrieve`."""
        from zoo.vision_language.captioning.retrieval import retrieve

        return retrieve(graphs, recipe, examples, self.encoder(graphs, recipe, examples))

    def write_gallery(
        self,
        presets: Sequence[tuple[str, Recipe, Graphs]],
        examples: list[CaptionedImage],
        folder: Path,
    ) -> Path:
        """See `zoo.vision_language.captioning.gallery.write_gallery`."""
        from zoo.vision_language.captioning.gallery import write_gallery

        for name, recipe, _ in presets:
            if not isinstance(recipe.task, Captioning):
                raise ZooError(f"A gallery is of captioners. Received: {name}.")
        return write_gallery(presets, examples, folder)


def captioning_recipe(name: str, model: Captioner, learning_rate: float = 1.5e-3) -> Recipe:
    """Return a recipe that differs from the others of its kind in its model alone."""
    return Recipe(
        name=name,
        data=CaptionedImages(),
        model=model,
        task=Captioning(),
        decoder=SequenceSearch(length_penalty=0.8),
        optimizer=AdamW(learning_rate=learning_rate, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=12, batch_size=64, patience=12, dev_fraction=0.02),
    )
