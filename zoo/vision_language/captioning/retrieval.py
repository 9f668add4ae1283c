"""Retrieval with a captioner: find the text of an image, and the image of a text.

Images and texts are ranked by how much an image increases the probability of a text (Mao, Xu, Yang, Wang
& Yuille, "Explain images with multimodal recurrent neural networks", 2014, section 5.2):

    score(i, t) = log P(t | i) - log P(t)        P(t) = mean of P(t | j) over the images j of the split

Without P(t), short and frequent texts would be found for every image. In the ranking of images by a
text, P(t) is constant and has no effect. P(t | i) is a product over the tokens of the text and its end,
and is not divided by their number.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.states import NEXT, STEP
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.vocabulary import END, START
from zoo.common.tasks.sequence_to_sequence import Reader
from zoo.vision_language.captioning.captions import CaptionedImage, words
from zoo.vision_language.captioning.data import CaptioningPredictor
from zoo.vision_language.captioning.prefix_tree import prefix_tree, tree_log_probabilities

# Numbers of images and texts that are scored at once. They limit the memory for any size of the split.
IMAGES, TEXTS = 4, 512
RANKS = (1, 5, 10)
SHOWN = 8


def retrieve(
    predictor: CaptioningPredictor, examples: Sequence[CaptionedImage], encoder: tuple[str, Reader]
) -> Evaluation:
    """Return recall at 1, 5 and 10, from each image to its text and from each text to its image.

    The text of an example is its first caption of at most the data's `max_length` words; an example
    without one is left out. A text is correct for every image that has it as a caption. An unreadable
    image never matches. Among equal scores, incorrect ones are ranked first.

    Args:
        predictor: a trained captioner.
        examples: the examples of a split.
        encoder: result of `SequenceToSequence.encoder`.

    Returns:
        The metrics are `recall_at_1_text` and so on, the share of images for which a correct text is
        among the first, and `recall_at_1_image` and so on, the share of texts for which a correct image
        is. The rows have both ranks, from 1, or None without a match, and the first text as `output`.

    Raises:
        ZooError: no example has a text.
    """
    started = time.perf_counter()
    max_length = predictor.data.max_length
    own = [_text(example, max_length) for example in examples]
    left_out = own.count("")
    examples = [example for example, text in zip(examples, own, strict=True) if text]
    own = [text for text in own if text]
    if not examples:
        raise ZooError(f"No image has a caption of at most {max_length} words.")
    # Sorted, because texts with a common beginning are scored together.
    texts = sorted(set(own))
    errors: dict[int, str] = {}
    scores = _scores(_log_probabilities(predictor, examples, texts, encoder, errors))
    correct = np.array([_is_correct(example, texts) for example in examples])
    text_ranks = ranks(scores, correct)
    image_ranks = ranks(scores.T, correct.T)[[texts.index(text) for text in own]]
    rows = [
        {
            "id": example.id,
            "image": str(example.image),
            "text": text,
            "rank_text": _json_rank(text_rank),
            "rank_image": _json_rank(image_rank),
            "output": texts[first],
        }
        for example, text, text_rank, image_rank, first in zip(
            examples, own, text_ranks, image_ranks, scores.argmax(axis=1), strict=True
        )
    ]
    for i, error in errors.items():
        rows[i] |= {"output": "", "error": error}
    metrics = {
        f"recall_at_{k}_{target}": float(np.mean(found <= k))
        for target, found in (("text", text_ranks), ("image", image_ranks))
        for k in RANKS
    }
    report = _report(rows, len(texts))
    if left_out:
        report.append(f"Left out, without a caption of at most {max_length} words: {left_out}.")
    report += [f"Unreadable, counted as not found: {error}" for error in errors.values()]
    return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)


def ranks(scores: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Return the rank of the best correct column of each row, from 1; infinite without a match.

    Args:
        scores: float [rows, columns]; minus infinity where no match is possible.
        correct: bool [rows, columns].
    """
    best = np.where(correct, scores, -np.inf).max(axis=1)
    # Incorrect columns precede equal correct ones: a model with constant scores is never correct.
    incorrect_before = np.sum(~correct & (scores >= best[:, None]), axis=1)
    return np.where(np.isfinite(best), 1.0 + incorrect_before, np.inf)


def _text(example: CaptionedImage, max_length: int) -> str:
    """Return the first caption that is short enough, its words joined by spaces; "" without one."""
    captions = map(words, example.captions)
    short = (caption for caption in captions if len(caption) <= max_length)
    return " ".join(next(short, ()))


def _is_correct(example: CaptionedImage, texts: Sequence[str]) -> list[bool]:
    captions = {" ".join(words(caption)) for caption in example.captions}
    return [text in captions for text in texts]


def _log_probabilities(
    predictor: CaptioningPredictor,
    examples: Sequence[CaptionedImage],
    texts: Sequence[str],
    encoder: tuple[str, Reader],
    errors: dict[int, str],
) -> np.ndarray:
    """Return log P(text | image) in nats, float64 [images, texts].

    The values of an unreadable image are minus infinity, and `errors` receives its error.
    """
    graph, read = encoder
    data, model, step = predictor.data, predictor.model, predictor.graphs[STEP]
    start, end = data.vocabulary.index(START), data.vocabulary.index(END)
    trees = [
        prefix_tree([data.read_target(text).tolist() for text in texts[i : i + TEXTS]])
        for i in range(0, len(texts), TEXTS)
    ]
    found = np.full((len(examples), len(texts)), -np.inf)
    for indices, inputs in evaluation_batches(data, model, examples, errors, IMAGES, read):
        outputs = predictor.graphs[graph](**inputs)
        states = {spec.name: outputs[NEXT + spec.name] for spec in model.states}
        found[indices] = np.concatenate(
            [
                tree_log_probabilities(step, model.states, states, tree, start, end)
                for tree in trees
            ],
            axis=1,
        )
    return found


def _scores(log_probs: np.ndarray) -> np.ndarray:
    """Return the score of each image and text; minus infinity for an unreadable image."""
    of_texts = np.logaddexp.reduce(log_probs, axis=0) - np.log(len(log_probs))
    scores = np.full_like(log_probs, -np.inf)
    return np.subtract(log_probs, of_texts, out=scores, where=np.isfinite(log_probs))


def _json_rank(rank: float) -> int | None:
    return int(rank) if np.isfinite(rank) else None


def _report(rows: Sequence[dict], num_texts: int) -> list[str]:
    found = [row for row in rows if row["rank_text"]]
    worst = sorted(found, key=lambda row: -row["rank_text"])[:SHOWN]
    return [
        f"{len(rows)} images, {num_texts} texts: the first caption of each image.",
        "Images with the worst rank of their text: rank, first text (own text)",
        *(f"  {row['id']} {row['rank_text']}  {row['output']}  ({row['text']})" for row in worst),
    ]
