"""Captioning as a task: a sentence about an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import EvaluationPlots, Gallery, Retrieval, RowMetrics
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.decoding.decoders import SequenceSearch
from zoo.common.tasks.sequence_to_sequence import Reader, SequenceToSequence
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.vision_language.captioning import metrics
from zoo.vision_language.captioning.caption_hashes import caption_hash
from zoo.vision_language.captioning.captioner import ENCODER_FROM_FEATURES, Captioner
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.data import CaptionedImages, CaptioningPredictor
from zoo.vision_language.captioning.features import cached_features


@dataclass(frozen=True)
class Captioning(SequenceToSequence, EvaluationPlots, Retrieval, Gallery, RowMetrics):
    """Describe an image in a sentence. The metrics are BLEU, ROUGE-L, CIDEr and the rate of copies.

    Args:
        monitor: "bleu4".
        label_smoothing: see `SequenceToSequence`.
    """

    verb: ClassVar[str] = "caption"
    packages: ClassVar[tuple[str, ...]] = ("pycocoevalcap",)
    monitors: ClassVar[tuple[str, ...]] = ("bleu4",)
    output_name: ClassVar[str] = "caption"

    monitor: str = "bleu4"

    def compute_metrics(
        self, data: CaptionedImages, examples: list[CaptionedImage], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        hashes = set(data.train_caption_hashes.hashes)
        copies = {caption for caption in outputs if caption_hash(caption.split()) in hashes}
        return metrics.compute_metrics(examples, outputs, copies)

    def row_metrics(
        self, predictor: CaptioningPredictor, rows: list[dict[str, Any]]
    ) -> dict[str, float]:
        """See `zoo.vision_language.captioning.metrics.row_metrics`."""
        return metrics.row_metrics(rows)

    def encoder(
        self, predictor: Predictor[Any, Any, Any], examples: list[CaptionedImage]
    ) -> tuple[str, Reader]:
        """Return the graph that begins at cached features, if the runtime has it, and its reader."""
        if ENCODER_FROM_FEATURES not in predictor.graphs:
            return super().encoder(predictor, examples)
        blocks = predictor.model.encoder.fixed_blocks
        table, rows, errors = cached_features(examples, blocks)
        row_of = {example.image: row for example, row in zip(examples, rows, strict=True)}

        def read(example: CaptionedImage) -> dict[str, np.ndarray]:
            if example.image in errors:
                raise ZooError(errors[example.image])
            return {"features": table[row_of[example.image]].astype(np.float32)}

        return ENCODER_FROM_FEATURES, read

    def plot_evaluation(
        self, predictor: CaptioningPredictor, evaluation: Evaluation, folder: Path
    ) -> list[Path]:
        """Draw images with their generated captions as `captions.png`."""
        from zoo.vision_language.captioning.plots import plot_captions

        return [plot_captions(evaluation.rows, folder / "captions.png")]

    def retrieve(
        self, predictor: CaptioningPredictor, examples: list[CaptionedImage]
    ) -> Evaluation:
        """Return the recall of texts and images. See `zoo.vision_language.captioning.retrieval`."""
        from zoo.vision_language.captioning.retrieval import retrieve

        return retrieve(predictor, examples, self.encoder(predictor, examples))

    def write_gallery(
        self,
        presets: Sequence[tuple[str, CaptioningPredictor]],
        examples: list[CaptionedImage],
        folder: Path,
    ) -> Path:
        from zoo.vision_language.captioning.gallery import write_gallery

        return write_gallery(self, presets, examples, folder)


def captioning_recipe(name: str, model: Captioner, learning_rate: float = 1.5e-3) -> Recipe:
    """Return a recipe that differs from the other captioning recipes only in its model.

    Args:
        name: the registered name.
        model: config of the model.
        learning_rate: learning rate of the optimizer.
    """
    return Recipe(
        name=name,
        data=CaptionedImages(),
        model=model,
        task=Captioning(),
        decoder=SequenceSearch(length_penalty=0.8),
        optimizer=AdamW(learning_rate=learning_rate, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=12, batch_size=64, patience=12, dev_fraction=0.02),
    )
