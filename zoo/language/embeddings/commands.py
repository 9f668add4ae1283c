"""`zoo neighbours`, `zoo analogy` and `zoo vectors`: what the vectors of words are used for."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.language.embeddings.similarity import answer_questions, read_questions
from zoo.language.embeddings.task import WordEmbedding, question_text, word_vectors
from zoo.language.embeddings.vector_files import WRITERS, write_vectors
from zoo.language.embeddings.word_vectors import WordVectors


def load_vectors(name: str) -> tuple[Recipe, WordVectors]:
    """Return the recipe of a preset and the vectors of its words.

    Args:
        name: of a preset, or the folder of a run.

    Raises:
        ZooError: there is no such preset, or it is none of word vectors.
    """
    from zoo.common.runtime import AUTO, open_graphs

    recipe = store.load_recipe(store.find(name))
    if not isinstance(recipe.task, WordEmbedding):
        raise ZooError(f"{name} has no vectors of words: it must be a preset of word embeddings.")
    return recipe, word_vectors(open_graphs(AUTO, name), recipe)


def neighbours(name: str, words: list[str], count: int = 10) -> list[dict[str, Any]]:
    """Return the nearest words of each word, or an error for one that is not known.

    Args:
        name: see `load_vectors`. words: as they are typed. count: how many neighbours of each.

    Returns:
        `{"input", "output", "neighbours"}`, or `{"input", "error"}`, for each word.

    Raises:
        ZooError: as `load_vectors`; or `count` is out of range.

    Example:
        >>> neighbours("language/skipgram-enwiki", ["king"], 3)[0]["output"]
    """
    check_range("--n-best", count, at_least=1, at_most=100_000)
    recipe, vectors = load_vectors(name)
    return [_neighbours(recipe, vectors, word, count) for word in words]


def _neighbours(recipe: Recipe, vectors: WordVectors, word: str, count: int) -> dict[str, Any]:
    try:
        known = recipe.data.read_input(word, recipe)["word"]
    except ZooError as error:
        return {"input": word, "error": str(error)}
    found = vectors.neighbours(known, count)
    return {"input": word, "output": " ".join(row["word"] for row in found), "neighbours": found}


def analogy(name: str, a: str, b: str, c: str, count: int = 5) -> list[dict[str, Any]]:
    """Return the likeliest words d of "a is to b as c is to d", the best first.

    Args:
        name: see `load_vectors`. count: how many words.

    Raises:
        ZooError: as `load_vectors`; a word is not known, or `count` is out of range.
    """
    check_range("--n-best", count, at_least=1, at_most=100_000)
    recipe, vectors = load_vectors(name)
    words = [recipe.data.read_input(word, recipe)["word"] for word in (a, b, c)]
    return vectors.analogy(*words, count)


def questions(name: str, path: Path) -> list[dict[str, Any]]:
    """Return how many questions of analogy are answered rightly, by section; see `answer_questions`.

    Args:
        name: see `load_vectors`. path: a file like word2vec's `questions-words.txt`.

    Raises:
        ZooError: as `load_vectors`, or the file is missing or has a bad line.
    """
    asked = read_questions(path)
    recipe, vectors = load_vectors(name)
    return answer_questions(vectors, recipe.data.find, asked)


def _print(options: argparse.Namespace, value: dict[str, Any], lines: Iterable[str]) -> None:
    """Print an answer: with `--json` the value, else the lines."""
    print(json.dumps(value) if options.json else "\n".join(lines), flush=True)


def _add_count(parser: argparse.ArgumentParser, default: int) -> None:
    words = f"how many words are given (default: {default})"
    parser.add_argument("--n-best", type=int, default=default, metavar="INT", help=words)


def _add_neighbours(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", metavar="PRESET|RUN")
    parser.add_argument("word", nargs="+")
    _add_count(parser, 10)


@register_verb(
    "neighbours",
    "the words nearest to a word, by the vectors of a preset",
    "zoo neighbours language/skipgram-enwiki king",
    _add_neighbours,
)
def run_neighbours(options: argparse.Namespace) -> int:
    """Run the verb."""
    answers = neighbours(options.preset, options.word, options.n_best)
    value = {"preset": options.preset, "words": answers}
    _print(options, value, map(_neighbours_text, answers))
    return int(any("error" in answer for answer in answers))


def _neighbours_text(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['input']}: error: {answer['error']}"
    return f"{answer['input']}: {', '.join(map(_word_text, answer['neighbours']))}"


def _word_text(row: dict[str, Any]) -> str:
    return f"{row['word']} {row['similarity']:.3f}"


def _add_analogy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", metavar="PRESET|RUN")
    parser.add_argument("word", nargs="*", help="three words A B C: A is to B as C is to ?")
    words = "a file like word2vec's questions-words.txt, to measure on"
    parser.add_argument("--questions", type=Path, metavar="FILE", help=words)
    _add_count(parser, 5)


@register_verb(
    "analogy",
    "the word that is to C as B is to A, by the vectors of a preset",
    "zoo analogy language/skipgram-enwiki germany german france",
    _add_analogy,
)
def run_analogy(options: argparse.Namespace) -> None:
    """Run the verb."""
    if len(options.word) != (0 if options.questions else 3):
        raise ZooError(
            "There must be three words, or --questions and none. "
            f"Received: {' '.join(options.word) or 'none'}."
        )
    if options.questions:
        rows = questions(options.preset, options.questions)
        _print(options, {"preset": options.preset, "sections": rows}, map(question_text, rows))
        return
    rows = analogy(options.preset, *options.word, options.n_best)
    value = {"preset": options.preset, "words": options.word, "answers": rows}
    _print(options, value, map(_word_text, rows))


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("preset", metavar="PRESET|RUN")
    parser.add_argument("--to", default="word2vec-text", metavar="FORMAT", help=", ".join(WRITERS))
    words = "the beginning of the files' names; default: the preset's name in this folder"
    parser.add_argument("--out", type=Path, metavar="PATH", help=words)


@register_verb(
    "vectors",
    "write the vectors of a preset's words for other tools: gensim, TensorBoard's projector",
    "zoo vectors language/skipgram-enwiki --to word2vec-binary --out enwiki",
    _add_vectors,
)
def run_vectors(options: argparse.Namespace) -> None:
    """Run the verb."""
    recipe, vectors = load_vectors(options.preset)
    out = options.out or Path(recipe.name.rpartition("/")[2])
    files = list(map(str, write_vectors(vectors, options.to, out)))
    value = {"preset": options.preset, "words": len(vectors.words), "files": files}
    _print(options, value, files)
