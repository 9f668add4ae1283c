"""Draw handwritten words, since the licence of the corpus does not allow copies of its words."""

import json
from pathlib import Path

import numpy as np

from zoo.vision_language.handwriting.ink import HandwrittenWord, parse_ink

# Letters as strokes: x from 0, y downwards, small letters between 0 and 1.
LETTERS = {
    "l": [[(0.2, -1), (0.2, 1), (0.5, 1)]],
    "t": [[(0.3, -0.8), (0.3, 1), (0.6, 1)], [(0, 0), (0.7, 0)]],
    "i": [[(0.2, 0), (0.2, 1)], [(0.2, -0.5), (0.22, -0.48)]],
    "u": [[(0, 0), (0.1, 0.9), (0.4, 1), (0.6, 0.8), (0.7, 0), (0.7, 1)]],
    "n": [[(0, 0), (0, 1), (0.1, 0.2), (0.4, 0), (0.6, 0.2), (0.7, 1)]],
    "v": [[(0, 0), (0.35, 1), (0.7, 0)]],
    "o": [[(0.4, 0), (0, 0.5), (0.4, 1), (0.8, 0.5), (0.4, 0)]],
}


def draw_word(word: str, seed: int = 0, size: float = 50.0) -> list[list[list[float]]]:
    """Return the strokes of a word, which depend on the seed."""
    generator = np.random.default_rng(seed)
    strokes, left = [], 0.0
    for letter in word:
        for corners in LETTERS[letter]:
            steps = np.linspace(0, len(corners) - 1, 5 * len(corners))
            line = [np.interp(steps, range(len(corners)), axis) for axis in np.transpose(corners)]
            points = generator.normal(line, 0.02).T
            points[:, 0] += left
            strokes.append((size * points).round(2).tolist())
        left += 1.1
    return strokes


def handwritten(word: str, seed: int = 0, **given) -> HandwrittenWord:
    """Return a drawn word as an example."""
    return HandwrittenWord(
        f"{word}-{seed}", word, parse_ink({"strokes": draw_word(word, seed)}), **given
    )


def write_manifest(path: Path, words: list[str], **given) -> Path:
    """Write drawn words as JSON lines."""
    rows = [{"word": w, "strokes": draw_word(w, i), **given} for i, w in enumerate(words)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
