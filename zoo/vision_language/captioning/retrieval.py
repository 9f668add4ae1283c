"""Retrieval by a captioner: the text that an image has, and the image that a text is about.

Images and texts are ranked by each other by how much likelier an image makes a text (Mao, Xu, Yang, Wang
& Yuille, "Explain images with multimodal recurrent neural networks", 2014, section 5.2):

    score(i, t) = log P(t | i) - log P(t)        P(t) = mean of P(t | j) over the images j of the split

Without P(t), short and frequent texts would be found for every image. Among images for one text, P(t)
is the same for all and has no effect. P(t | i) is the product over the tokens of the text and its end,
and is not divided by their number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.states import NEXT
from zoo.common.core.task import Evaluation
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.vocabulary import END, START
from zoo.common.tasks.sequence_to_sequence import STEP, Reader
from zoo.vision_language.captioning.captions import CaptionedImage, words
from zoo.vision_language.captioning.prefix_tree import prefix_tree, tree_log_probabilities

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

# How many of each are scored at once: what bounds the memory, whatever the size of the split.
IMAGES, TEXTS = 4, 512
RANKS = (1, 5, 10)
SHOWN = 8


def retrieve(
    graphs: Graphs, recipe: Recipe, examples: Sequence[CaptionedImage], encoder: tuple[str, Reader]
) -> Evaluation:
    """Return recall at 1, 5 and 10, from each image to its text and from each text to its image.

    The text of an example is its first caption of at most the data's `max_length` words; an example
    without one is left out. A text is right for every image that has it as a caption. An image that
    cannot be read is found for no text and no text for it. Of equal scores the wrong ones come first.

    Args:
        encoder: as of `SequenceToSequence.encoder`.

    Returns:
        `recall_at_1_text` and so on: the share of examples for whose image a right text is among the
        first. `recall_at_1_image` and so on: the share for whose text a right image is. The rows have
        both ranks, from 1, None where nothing is found, and as `output` the text found first.

    Raises:
        ZooError: no example has a text.
    """
    started = time.perf_counter()
    own = [_text(example, recipe) for example in examples]
    left_out = own.count("")
    examples = [example for example, text in zip(examples, own, strict=True) if text]
    own = [text for text in own if text]
    if not examples:
        raise ZooError(f"No image has a caption of at most {recipe.data.max_length} words.")
    # Sorted, texts that begin alike are scored together.
    texts, errors = sorted(set(own)), {}
    scores = _scores(_log_probabilities(graphs, recipe, examples, texts, encoder, errors))
    right = np.array([_is_right(example, texts) for example in examples])
    text_ranks = ranks(scores, right)
    image_ranks = ranks(scores.T, right.T)[[texts.index(text) for text in own]]
    rows = [
        {
            "id": example.id,
            "image": str(example.image),
            "text": text,
            "rank_text": _whole(text_rank),
            "rank_image": _whole(image_rank),
            "output": texts[first],
        }
        for example, text, text_rank, image_rank, first in zip(
            examples, own, text_ranks, image_ranks, scores.argmax(axis=1), strict=True
        )
    ]
    for i, error in errors.items():
        rows[i] |= {"output": "", "error": error}
    metrics = {
        f"recall_at_{k}_{wanted}": float(np.mean(found <= k))
        for wanted, found in (("text", text_ranks), ("image", image_ranks))
        for k in RANKS
    }
    report = _report(rows, len(texts))
    if left_out:
        report.append(f"Left out, without a caption short enough: {left_out}.")
    report += [f"Not readable, counted as not found: {error}" for error in errors.values()]
    return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)


def ranks(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the rank of the first right column of each row, from 1; infinite where none can be found.

    Args:
        scores: float [rows, columns]; minus infinity for what cannot be found. right: bool, as many.
    """
    best = np.where(right, scores, -np.inf).max(axis=1)
    # Of equal ones the wrong come first: what answers all alike is never right.
    wrong_before = np.sum(~right & (scores >= best[:, None]), axis=1)
    return np.where(np.isfinite(best), 1.0 + wrong_before, np.inf)


def _text(example: CaptionedImage, recipe: Recipe) -> str:
    """The first caption that is short enough, as words joined by blanks; empty where there is none."""
    captions = map(words, example.captions)
    short = (caption for caption in captions if len(caption) <= recipe.data.max_length)
    return " ".join(next(short, ()))


def _is_right(example: CaptionedImage, texts: Sequence[str]) -> list[bool]:
    captions = {" ".join(words(caption)) for caption in example.captions}
    return [text in captions for text in texts]


def _log_probabilities(
    graphs: Graphs,
    recipe: Recipe,
    examples: Sequence[CaptionedImage],
    texts: Sequence[str],
    encoder: tuple[str, Reader],
    errors: dict[int, str],
) -> np.ndarray:
    """log P(text | image) in nats, float64 [images, texts]; minus infinity for an image that cannot be
    read, whose error `errors` gets."""
    graph, read = encoder
    specs, vocabulary = recipe.model.states, recipe.data.vocabulary
    start, end = vocabulary.index(START), vocabulary.index(END)
    trees = [
        prefix_tree([recipe.data.read_target(text) for text in texts[i : i + TEXTS]])
        for i in range(0, len(texts), TEXTS)
    ]
    found = np.full((len(examples), len(texts)), -np.inf)
    for indices, inputs in evaluation_batches(recipe, examples, errors, IMAGES, read):
        outputs = graphs[graph](**inputs)
        states = {spec.name: outputs[NEXT + spec.name] for spec in specs}
        found[indices] = np.concatenate(
            [
                tree_log_probabilities(graphs[STEP], specs, states, tree, start, end)
                for tree in trees
            ],
            axis=1,
        )
    return found


def _scores(log_probs: np.ndarray) -> np.ndarray:
    """The score of each image and text; minus infinity where the image cannot be read."""
    of_texts = np.logaddexp.reduce(log_probs, axis=0) - np.log(len(log_probs))
    scores = np.full_like(log_probs, -np.inf)
    return np.subtract(log_probs, of_texts, out=scores, where=np.isfinite(log_probs))


def _whole(rank: float) -> int | None:
    """A rank as a row has it."""
    return int(rank) if np.isfinite(rank) else None


def _report(rows: Sequence[dict], num_texts: int) -> list[str]:
    worst = sorted((row for row in rows if row["rank_text"]), key=lambda row: -row["rank_text"])[
        :SHOWN
    ]
    return [
        f"{len(rows)} images, {num_texts} texts: the first caption of each image.",
        "Images whose text was found last, with the text found first:",
        *(
            f"  {row['id']} {row['rank_text']}  {row['output']}  ({row['text']})"
            for row in worst[:SHOWN]
        ),
    ]
