"""Read and write ARPA files, the text format of n-gram models, plain or gzipped."""

from __future__ import annotations

import functools
import gzip
import itertools
import re
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import GZIP_MAGIC, MAX_LINES, MAX_WHOLE_BYTES, read_file
from zoo.common.language_model.ngram import DIGITS, END, NGramModel, NGrams
from zoo.common.utils.files import atomic_file, check_file

START_WORD, END_WORD = "<s>", "</s>"
# The logarithm of a probability of 0 in an ARPA file.
LOG_ZERO = -99.0
_MAX_LINE_BYTES = 2**16  # a small gzipped file may contain a line of gigabytes
COMPRESSION = 1  # three times as fast as the default, with 17% more bytes


def write_arpa(model: NGramModel, path: Path) -> None:
    """Write a model to an ARPA file.

    White space in a word, such as the word " " of a model of characters, is written as `<U+0020>`.

    Args:
        model: the model.
        path: the file. It is gzipped if the name ends in ".gz".

    Raises:
        ZooError: a word is reserved by the format, or the file cannot be written.
    """
    for word in (START_WORD, END_WORD):
        if word in model.words[END + 1 :]:
            raise ZooError(f"{word} must not be a word of an n-gram model: ARPA files reserve it.")
    with atomic_file(path) as temporary, temporary.open("wb") as raw:
        sections = (section.encode() for section in _sections(model))
        if path.suffix == ".gz":
            # Without a file name and a time, the same model gives the same bytes.
            with gzip.GzipFile("", "wb", COMPRESSION, raw, mtime=0) as file:
                file.writelines(sections)
        else:
            raw.writelines(sections)


def read_arpa(path: Path) -> NGramModel:
    """Return the model in an ARPA file.

    The first word is the end of a sentence, and the others have the order of the file. N-grams across
    the end of a sentence, which some tools write, are ignored.

    Args:
        path: the file, plain or gzipped.

    Raises:
        ZooError: the file is missing or is not an ARPA file. The message has the number of the first
            invalid line.
    """
    return _Reader(path).read()


def read_words(path: Path) -> list[str]:
    """Return the words of the unigrams in an ARPA file. Only this part of the file is read.

    Args:
        path: the file, plain or gzipped.

    Raises:
        ZooError: the file is missing or is not an ARPA file.
    """
    words: list[str] = []
    check_file(path, MAX_WHOLE_BYTES)
    try:
        with path.open("rb") as raw:
            zipped = raw.peek(2).startswith(GZIP_MAGIC)
            with gzip.open(raw) if zipped else raw as file:
                parts = iter(functools.partial(file.readline, _MAX_LINE_BYTES), b"")
                lines = (line.decode().strip() for line in itertools.islice(parts, MAX_LINES))
                if "\\1-grams:" in lines:  # reads the lines up to this one
                    for line in itertools.takewhile(lambda line: line[:1] != "\\", lines):
                        words += line.split()[1:2]
    except (EOFError, OSError, UnicodeDecodeError, zlib.error):
        read_file(path, MAX_WHOLE_BYTES)  # raises an error with the reason
    if not words:
        raise ZooError(f"{path} is not an ARPA file, or is incomplete.")
    return words


# Writing


def _sections(model: NGramModel) -> Iterator[str]:
    sizes = [len(ngrams.keys) for ngrams in model.orders]
    sizes[0] += 1  # the start of a sentence, which is never predicted
    rows = [f"ngram {order}={size}" for order, size in enumerate(sizes, start=1)]
    yield "\n".join(["\\data\\", *rows, ""])
    names = [re.sub(r"\s", lambda space: f"<U+{ord(space[0]):04X}>", w) for w in model.words]
    names[END] = END_WORD
    prefixes = [""]
    for order, ngrams in enumerate(model.orders, start=1):
        first, last = (part.tolist() for part in np.divmod(ngrams.keys, len(names)))
        texts = [f"{prefixes[i]}{names[j]}" for i, j in zip(first, last, strict=True)]
        log_probs, backoffs = ngrams.log_probs.tolist(), ngrams.backoffs.tolist()
        yield f"\n\\{order}-grams:\n"
        if order == 1:
            yield _row(LOG_ZERO, START_WORD, backoffs[END])
            backoffs[END] = 0.0
        if order < model.order:
            yield "".join(map(_row, log_probs, texts, backoffs))
        else:
            yield "".join(map(_row, log_probs, texts))
        if order == 1:
            texts[END] = START_WORD  # at the beginning of longer n-grams
        prefixes = [f"{text} " for text in texts]
    yield "\n\\end\\\n"


def _row(log_prob: float, text: str, backoff: float | None = None) -> str:
    ending = "" if backoff is None else f"\t{backoff:.{DIGITS}f}"
    return f"{log_prob:.{DIGITS}f}\t{text}{ending}\n"


# Reading

# Index of the start of a sentence in a reader. It may be the first word of an n-gram, `END` the last.
_START = -1


class _Reader:
    """A reader of one file. See `read_arpa`."""

    def __init__(self, path: Path):
        self.path = path
        self.lines = read_file(path, MAX_WHOLE_BYTES).split("\n")
        self.next = 0  # index of the next line
        self.indices = {END_WORD: END, START_WORD: _START}

    def read(self) -> NGramModel:
        """Return the model."""
        while self._line() != "\\data\\":
            self.next += 1
        self.next += 1
        counts = []
        while found := re.fullmatch(r"ngram\s+\d+\s*=\s*(\d+)", self._line()):
            counts.append(int(found[1]))
            self.next += 1
        if not counts:
            raise self._bad(self.next, "must be like 'ngram 1=1000'")
        self._expect("\\1-grams:")
        model = self._unigrams(counts[0])
        for order, count in enumerate(counts[1:], start=2):
            self._expect(f"\\{order}-grams:")
            model = self._add_order(model, order, count)
        self._expect("\\end\\")
        plain = (re.sub("<U\\+([0-9A-F]{4,6})>", _character, word) for word in model.words)
        return replace(model, words=tuple(plain))

    def _line(self) -> str:
        if self.next >= len(self.lines):
            raise ZooError(f"{self.path} is not an ARPA file, or is incomplete.")
        return self.lines[self.next].strip()

    def _expect(self, header: str) -> None:
        while not self._line():
            self.next += 1
        if self._line() != header:
            raise self._bad(self.next, f"must be {header}")
        self.next += 1

    def _bad(self, index: int, must: str) -> ZooError:
        line = self.lines[index]
        return ZooError(f"{self.path}, line {index + 1}: {must}. Received: {line[:80]!r}.")

    def _unigrams(self, count: int) -> NGramModel:
        for line in self.lines[self.next : self.next + count]:
            for word in line.split()[1:2]:
                self.indices.setdefault(word, len(self.indices) - 1)
        words, log_probs, backoffs = self._section(1, count)
        names = tuple(word for word, index in self.indices.items() if index != _START)
        unigrams = NGrams(
            np.arange(len(names)), np.full(len(names), LOG_ZERO), np.zeros(len(names))
        )
        predicted, followed = words[:, 0] != _START, words[:, 0] != END
        unigrams.log_probs[words[predicted, 0]] = log_probs[predicted]
        unigrams.backoffs[np.maximum(words[followed, 0], END)] = backoffs[followed]
        return NGramModel(names, (unigrams,))

    def _add_order(self, model: NGramModel, order: int, count: int) -> NGramModel:
        start = self.next
        words, log_probs, backoffs = self._section(order, count)
        prefixes = np.maximum(words[:, 0], END)
        for length in range(2, order):
            prefixes = model.find(length, prefixes, words[:, length - 1])
        within = (
            (words[:, 0] != END) & (words[:, -1] != _START) & (words[:, 1:-1] > END).all(axis=1)
        )
        if (within & (prefixes < 0)).any():
            index = start + int(np.argmax(within & (prefixes < 0)))
            raise self._bad(index, f"must begin with a {order - 1}-gram of the file")
        keys = prefixes * len(model.words) + words[:, -1]
        by_key = np.flatnonzero(within)[np.argsort(keys[within], kind="stable")]
        backoffs = np.where(words[:, -1] == END, 0.0, backoffs)
        ngrams = NGrams(keys[by_key], log_probs[by_key], backoffs[by_key])
        return replace(model, orders=(*model.orders, ngrams))

    def _section(self, order: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the words int64 [count, order], log-probabilities and back-offs float64 [count]."""
        start, self.next = self.next, self.next + count
        lines = self.lines[start : self.next]
        try:
            return self._parse(order, lines)
        except (ValueError, KeyError):
            index = next(i for i, line in enumerate(lines) if not self._fits(order, line))
            must = f"must be a logarithm, {order} of the unigrams' words, and optionally a back-off"
            raise self._bad(start + index, must) from None

    def _parse(self, order: int, lines: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        width = order + 2
        fields = "\n".join(lines).split()  # much faster than a split of each line
        if len(fields) != width * len(lines):
            lines = [f"{line} 0" if len(line.split()) == order + 1 else line for line in lines]
            fields = "\n".join(lines).split()
        if len(fields) != width * len(lines):
            raise ValueError("a line has too many or too few fields")
        columns = [fields[i::width] for i in range(width)]
        index = self.indices.__getitem__
        words = np.empty((len(lines), order), np.int64)
        for i, column in enumerate(columns[1:-1]):
            words[:, i] = np.fromiter(map(index, column), np.int64, len(lines))
        log_probs, backoffs = (np.array(columns[i], np.float64) for i in (0, -1))
        if not ((log_probs <= 0).all() and np.isfinite(backoffs).all()):
            raise ValueError("a logarithm of a probability is above 0 or NaN")
        return words, log_probs, backoffs

    def _fits(self, order: int, line: str) -> bool:
        try:
            self._parse(order, [line])
        except (ValueError, KeyError):
            return False
        return True


def _character(escape: re.Match) -> str:
    return chr(int(escape[1], 16))
