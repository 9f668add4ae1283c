"""Skip-gram by gensim beside the zoo's: one text, one budget, agreement with people.

    python benchmarks/word_vectors.py --data corpora/enwiki_piece --word-lists corpora/lists

gensim's Word2Vec learns from the train split with the settings of the preset's recipe: size, window,
drawn words, their power, subsampling, the least count, passes. Its learning rate is its own default.
All vectors are measured by the same code, over the pairs of which both words stand often enough in the
train split: the preset has counted words of dev, too. Each contender has a process of its own; gensim
runs on one thread, so that a seed fixes it. Needs `pip install '.[benchmark]'`.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import _timing

from zoo.common.core.corpus import Source

PRESET = "language/skipgram-enwiki"
# gensim cuts what is longer.
SENTENCE = 10_000


def train_gensim(data: Path, folder: Path, seed: int) -> dict:
    """Return the agreement of gensim's vectors with each list, and the seconds of training."""
    from gensim.models import Word2Vec

    from zoo.language.embeddings.word_vectors import WordVectors

    recipe, words = _train_words(data)
    sentences = [words[i : i + SENTENCE] for i in range(0, len(words), SENTENCE)]
    started = time.perf_counter()
    model = Word2Vec(
        sentences,
        sg=1,
        vector_size=recipe.model.embedding_size,
        window=recipe.data.window,
        negative=recipe.data.negatives,
        ns_exponent=recipe.data.noise_power,
        sample=recipe.data.subsampling,
        min_count=recipe.data.min_count,
        epochs=recipe.training.epochs,
        workers=1,
        seed=seed,
    )
    seconds = time.perf_counter() - started
    vectors = WordVectors(tuple(model.wv.index_to_key), model.wv.vectors)
    lists = _agreements(vectors, _frequent(recipe, words), folder)
    return {"words": len(vectors.words), "seconds": seconds, "lists": lists}


def measure_preset(data: Path, folder: Path) -> dict:
    """Return the agreement of the preset's vectors with each list, and the seconds of its training."""
    from zoo.common.presets import card, store
    from zoo.language.embeddings.commands import load_vectors

    _, vectors = load_vectors(PRESET)
    history = card.read_metrics(store.find(PRESET))["training"]["history"]
    lists = _agreements(vectors, _frequent(*_train_words(data)), folder)
    return {"words": len(vectors.words), "seconds": 60 * history["minutes"], "lists": lists}


def _train_words(data: Path) -> tuple:
    """The preset's recipe, and the words of the train split in their order."""
    from zoo.api.sources import read_train
    from zoo.common.core import registry

    entry = registry.entry(PRESET)
    recipe = entry.recipe()
    (text,) = read_train(recipe, entry.corpus, Source(folder=data)).train
    return recipe, list(text.tokens)


def _frequent(recipe, words: list[str]) -> set[str]:
    """The words that stand often enough in the train split."""
    return {word for word, count in Counter(words).items() if count >= recipe.data.min_count}


def _agreements(vectors, known: set[str], folder: Path) -> dict:
    from zoo.language.embeddings.similarity import agreements

    def find(word: str) -> str | None:
        return next((w for w in (word, word.lower()) if w in known), None)

    return {
        each.name: {"spearman": each.spearman, "covered": each.covered, "total": each.total}
        for each in agreements(vectors, find, folder)
    }


def main() -> None:
    """Measure all contenders, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of the text")
    parser.add_argument("--word-lists", type=Path, required=True, help="a folder of EN-*.txt")
    parser.add_argument("--seeds", type=int, default=3, help="of gensim, from 1 on")
    given = parser.parse_args()
    results = {PRESET: _timing.in_own_process(measure_preset, given.data, given.word_lists)}
    for seed in range(1, given.seeds + 1):
        results[f"gensim, seed {seed}"] = _timing.in_own_process(
            train_gensim, given.data, given.word_lists, seed
        )
    names = list(results[PRESET]["lists"])
    rows = [
        [
            name,
            *(results[contender]["lists"][name]["spearman"] for contender in results),
            *(f"{results[PRESET]['lists'][name][key]}" for key in ("covered", "total")),
        ]
        for name in names
    ]
    rows.append(["seconds of training", *(row["seconds"] for row in results.values()), "", ""])
    print(_timing.table(["spearman", *results, "pairs known", "pairs"], rows))
    print(_timing.save("word_vectors", {"machine": _timing.machine(), "results": results}))


if __name__ == "__main__":
    main()
