"""Write the English texts of several corpora as one text of sentences, for language models.

python tools/english_text.py DATA OUT

DATA has the folders of the corpora of `SOURCES`, at any depth of two. OUT gets `english.train.txt` and
`english.valid.txt`, the corpus of `language/lstm-english`, and `reviews.txt`, the part of the training
text that is film reviews. Each line is a sentence in the words of `LabelledText`.

The sentences of `mr` include those of SST-2, which were made from them. A sentence that shares a run of
words with SST-2's dev or test is left out, whatever its corpus.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import read_lines
from zoo.common.utils.files import write_text
from zoo.language.classification.corpora.sst2 import SST2
from zoo.language.classification.sentences import split_sentence
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.modelling.corpora.english import REVIEWS_FILE, SPLITS
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2

RUN = 5  # number of successive words that two sentences may not share
# Each sentence of this number is in the valid split. No review is, since `mr` has those of `sst2` again.
VALID = 100
LINE = 30  # number of words of a line of a text without sentences
# Marks that the corpora write in different ways: brackets, and marks inside words.
_MARKS = re.compile(r"\b[lr]rb\b|[^a-z0-9 ]")


def plain_words(text: str) -> list[str]:
    """Return the words of a text in letters and digits, in a form that all corpora share."""
    return _MARKS.sub(" ", text.lower().replace("'", " ")).split()


class HeldOut:
    """Sentences that a training text must not have.

    Args:
        sentences: the sentences.
    """

    def __init__(self, sentences: Iterable[str]):
        self._runs: set[tuple[str, ...]] = set()
        self._short: set[tuple[str, ...]] = set()  # whole sentences of fewer words
        for words in map(plain_words, sentences):
            if len(words) < RUN:
                self._short.add(tuple(words))
            self._runs.update(_runs(words, RUN))

    def shares_words(self, text: str) -> bool:
        """Return whether a text shares a run of `RUN` words, or has a whole shorter sentence."""
        if not self._runs.isdisjoint(_runs(plain_words(text), RUN)):
            return True
        sentences = [text, *re.split("[.!?;:]", text)]
        return not self._short.isdisjoint(tuple(plain_words(sentence)) for sentence in sentences)


def _runs(words: list[str], size: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[i : i + size]) for i in range(len(words) - size + 1))


# Sources


def _reviews(folder: Path) -> list[str]:
    files = [folder / f"rt-polarity.{label}" for label in ("neg", "pos")]
    return [line for file in files for _, line in read_lines(file)]


def _sentences(text: str) -> list[str]:
    return [s for line in text.split("\n") for s in re.split(r"(?<= [.?!]) ", line) if s.strip()]


def _wikitext(folder: Path) -> list[str]:
    text = "\n".join(part.text for part in WIKITEXT2.read(folder, "all"))
    text = re.sub(r" @([-,.])@ ", r"\1", text)
    return [s for s in _sentences(text) if not s.startswith(" =")]


def _enwiki(folder: Path) -> list[str]:
    words = " ".join(part.text for part in ENWIKI.read(folder, "all")).split()
    return [" ".join(words[i : i + LINE]) for i in range(0, len(words), LINE)]


# The texts of each corpus, by the name of its folder.
SOURCES: dict[str, Callable[[Path], Iterable[str]]] = {
    "sst2": lambda folder: [example.text for example in SST2.read(folder, "train")],
    "mr": _reviews,
    "ptb": lambda folder: PTB.read(folder, "train")[0].text.split("\n"),
    "wikitext2_valid_test": _wikitext,
    "enwiki_piece": _enwiki,
}
REVIEWS = ("sst2", "mr")


def _folder(data: Path, name: str) -> Path:
    for found in (data / name, *sorted(data.glob(f"*/{name}"))):
        if found.is_dir():
            return found
    raise ZooError(f"{data}: it has no folder {name!r}.")


def main(data: str, out: str) -> None:
    """Write the files."""
    sst2 = _folder(Path(data), "sst2")
    held_out = HeldOut(e.text for split in ("dev", "test") for e in SST2.read(sst2, split))
    parts: dict[str, list[str]] = {"train": [], "valid": []}
    reviews: list[str] = []
    for name, read in SOURCES.items():
        every = [line for line in read(_folder(Path(data), name)) if line.strip()]
        lines = [" ".join(split_sentence(s)) for s in every if not held_out.shares_words(s)]
        valid = [] if name in REVIEWS else lines[::VALID]
        parts["valid"] += valid
        if name in REVIEWS:
            reviews += lines
        else:
            del lines[::VALID]
        parts["train"] += lines
        words = sum(len(line.split()) for line in lines)
        removed = len(every) - len(lines) - len(valid)
        print(f"{name}: {words:,} words. Left out: {removed} of {len(every)} sentences.")
    for split, lines in parts.items():
        write_text(Path(out) / SPLITS[split].file, "".join(f"{line}\n" for line in lines))
    write_text(Path(out) / REVIEWS_FILE, "".join(f"{line}\n" for line in reviews))


if __name__ == "__main__":
    main(*sys.argv[1:])
