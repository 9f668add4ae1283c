"""`zoo neighbours`, `zoo analogy` and `zoo vectors`: uses of word vectors."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.cli.arguments import add_cache, add_preset
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe
    from zoo.language.embeddings.word_vectors import WordVectors

MAX_WORDS = 100_000


def load_vectors(name: str) -> tuple[Recipe, WordVectors]:
    """Return the recipe of a preset and the vectors of its words.

    Args:
        name: a preset or run.

    Raises:
        ZooError: there is no such preset, or it does not have word vectors.
    """
    from zoo.api.options import open_predictor, preset_recipe
    from zoo.common.runtime import AUTO
    from zoo.language.embeddings.task import WordEmbedding, word_vectors

    recipe = preset_recipe(name)
    if not isinstance(recipe.task, WordEmbedding):
        raise ZooError(f"{name} has no word vectors: it is not a preset of word embeddings.")
    return recipe, word_vectors(open_predictor(name, recipe, AUTO))


def neighbours(name: str, words: list[str], count: int = 10) -> list[dict[str, Any]]:
    """Return the nearest words of each word, or an error for a word that is not in the vocabulary.

    Args:
        name: a preset or run.
        words: the words.
        count: number of neighbours of each word.

    Returns:
        `{"input", "output", "neighbours"}`, or `{"input", "error"}`, for each word.

    Raises:
        ZooError: as `load_vectors`, or `count` is out of range.
    """
    check_range("--n-best", count, at_least=1, at_most=MAX_WORDS)
    recipe, vectors = load_vectors(name)
    return [_neighbours(recipe, vectors, word, count) for word in words]


def _neighbours(recipe: Recipe, vectors: WordVectors, word: str, count: int) -> dict[str, Any]:
    try:
        known = recipe.data.read_input(word, recipe.model)["word"]
    except ZooError as error:
        return {"input": word, "error": str(error)}
    found = vectors.neighbours(known, count)
    return {"input": word, "output": " ".join(row["word"] for row in found), "neighbours": found}


def analogy(name: str, a: str, b: str, c: str, count: int = 5) -> list[dict[str, Any]]:
    """Return the best words d of "a is to b as c is to d", the best one first.

    Args:
        name: a preset or run.
        a: a word.
        b: a word.
        c: a word.
        count: number of words.

    Raises:
        ZooError: as `load_vectors`, a word is not in the vocabulary, or `count` is out of range.
    """
    check_range("--n-best", count, at_least=1, at_most=MAX_WORDS)
    recipe, vectors = load_vectors(name)
    first, second, third = (
        recipe.data.read_input(word, recipe.model)["word"] for word in (a, b, c)
    )
    return vectors.analogy(first, second, third, count)


def questions(name: str, path: Path) -> list[dict[str, Any]]:
    """Return the share of analogy questions that are answered correctly, by section.

    Args:
        name: a preset or run.
        path: a file in the form of word2vec's `questions-words.txt`.

    Raises:
        ZooError: as `load_vectors`, or the file is missing or invalid.
    """
    from zoo.language.embeddings.similarity import answer_questions, read_questions

    asked = read_questions(path)
    recipe, vectors = load_vectors(name)
    data: Any = recipe.data
    return answer_questions(vectors, data.find, asked)


def _print(options: argparse.Namespace, value: dict[str, Any], lines: Iterable[str]) -> None:
    """Print the value as JSON if `--json` is given, else the lines."""
    print(json.dumps(value) if options.json else "\n".join(lines), flush=True)


def _add_preset(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    add_cache(parser)


def _fill_cache(options: argparse.Namespace) -> None:
    """Export the preset, so that later calls do not load TensorFlow, if `--cache` is given."""
    from zoo.api.export import fill_cache
    from zoo.common.runtime import AUTO

    if options.cache:
        fill_cache(options.preset, AUTO)


def _add_count(parser: argparse.ArgumentParser, default: int) -> None:
    words = f"number of words; default: {default}"
    parser.add_argument("--n-best", type=int, default=default, metavar="INT", help=words)


def _add_neighbours(parser: argparse.ArgumentParser) -> None:
    _add_preset(parser)
    parser.add_argument("word", nargs="+")
    _add_count(parser, 10)


@register_verb(
    "neighbours",
    "list the words nearest to a word",
    "zoo neighbours language/skipgram-enwiki king",
    _add_neighbours,
)
def run_neighbours(options: argparse.Namespace) -> int:
    """Run the verb."""
    _fill_cache(options)
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
    _add_preset(parser)
    parser.add_argument("word", nargs="*", help="three words A B C: A is to B as C is to ?")
    words = "measure on a file in the form of word2vec's questions-words.txt"
    parser.add_argument("--questions", type=Path, metavar="FILE", help=words)
    _add_count(parser, 5)


@register_verb(
    "analogy",
    "find the word that is to C as B is to A",
    "zoo analogy language/skipgram-enwiki germany german france",
    _add_analogy,
)
def run_analogy(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.language.embeddings.task import question_text

    if len(options.word) != (0 if options.questions else 3):
        raise ZooError(
            "analogy takes three words, or --questions without words. "
            f"Received: {' '.join(options.word) or 'none'}."
        )
    _fill_cache(options)
    if options.questions:
        rows = questions(options.preset, options.questions)
        _print(options, {"preset": options.preset, "sections": rows}, map(question_text, rows))
        return
    a, b, c = options.word
    rows = analogy(options.preset, a, b, c, options.n_best)
    value = {"preset": options.preset, "words": options.word, "answers": rows}
    _print(options, value, map(_word_text, rows))


def _add_vectors(parser: argparse.ArgumentParser) -> None:
    _add_preset(parser)
    words = "word2vec-text (default), word2vec-binary or projector"
    parser.add_argument("--to", default="word2vec-text", metavar="FORMAT", help=words)
    words = "first part of the names of the files; default: the name of the preset, in this folder"
    parser.add_argument("--out", type=Path, metavar="PATH", help=words)


@register_verb(
    "vectors",
    "write word vectors for other tools: gensim, the projector of TensorBoard",
    "zoo vectors language/skipgram-enwiki --to word2vec-binary --out enwiki",
    _add_vectors,
)
def run_vectors(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.language.embeddings.vector_files import write_vectors

    _fill_cache(options)
    recipe, vectors = load_vectors(options.preset)
    out = options.out or Path(recipe.name.rpartition("/")[2])
    files = list(map(str, write_vectors(vectors, options.to, out)))
    value = {"preset": options.preset, "words": len(vectors.words), "files": files}
    _print(options, value, files)
