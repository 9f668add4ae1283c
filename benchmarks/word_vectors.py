"""Compare the skip-gram of gensim with that of the zoo by the agreement with human ratings.

    python benchmarks/word_vectors.py --data corpora/enwiki_piece --word-lists corpora/lists

Word2Vec of gensim is trained on the train split with the settings of the recipe: size, window, number
and distribution of negative samples, subsampling, minimum count, epochs. The learning rate is the
default of gensim. All vectors are evaluated by the same code, on the pairs whose words are both
frequent enough in the train split, because the vocabulary of the preset also counts the words of dev.
Each contender has a process of its own. gensim runs in one thread, so that the seed determines its
result. This benchmark requires `pip install '.[benchmark]'`.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import _timing

from zoo.common.core.corpus import Source

PRESET = "language/skipgram-enwiki"
# gensim truncates longer sentences.
SENTENCE = 10_000


def train_gensim(data: Path, folder: Path, seed: int) -> dict:
    """Return the agreement of the vectors of gensim with each list, and the seconds of training."""
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
    """Return the agreement of the vectors of the preset with each list, and the seconds of training."""
    from zoo.common.presets import measurements, store
    from zoo.language.embeddings.commands import load_vectors

    _, vectors = load_vectors(PRESET)
    history = measurements.read_metrics(store.find(PRESET))["training"]["history"]
    lists = _agreements(vectors, _frequent(*_train_words(data)), folder)
    return {"words": len(vectors.words), "seconds": 60 * history["minutes"], "lists": lists}


def _train_words(data: Path) -> tuple:
    """Return the recipe of the preset, and the words of the train split in order."""
    from zoo.api.sources import read_train
    from zoo.common.core import registry

    entry = registry.entry(PRESET)
    recipe = entry.recipe()
    (text,) = read_train(recipe, entry.corpus, Source(folder=data)).train
    return recipe, list(text.tokens)


def _frequent(recipe, words: list[str]) -> set[str]:
    """Return the words that are frequent enough in the train split."""
    return {word for word, count in Counter(words).items() if count >= recipe.data.min_count}


def _agreements(vectors, frequent: set[str], folder: Path) -> dict:
    """Return the agreement with each list, on pairs of frequent words."""
    from zoo.language.embeddings.similarity import agreements

    def find(word: str) -> str | None:
        return next((w for w in (word, word.lower()) if w in frequent), None)

    return {
        each.name: {"spearman": each.spearman, "covered": each.covered, "total": each.total}
        for each in agreements(vectors, find, folder)
    }


def main() -> None:
    """Measure all contenders, print a table and save it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the text")
    parser.add_argument(
        "--word-lists", type=Path, required=True, help="folder of the lists EN-*.txt"
    )
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds of gensim, from 1")
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
    print(_timing.table(["spearman", *results, "covered pairs", "pairs"], rows))
    print(_timing.save("word_vectors", {"machine": _timing.machine(), "results": results}))


if __name__ == "__main__":
    main()
