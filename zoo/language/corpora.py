"""Text corpora: files of UTF-8, plain or gzipped, as texts of words or of characters."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.common.errors import ZooError, nearest
from zoo.common.registry import Corpus

PTB = Corpus(
    name="ptb",
    title="Penn Treebank: 1.1 M words of the Wall Street Journal in Mikolov's form, 10 k vocabulary",
    licence="derived from LDC's Treebank; free for research",
    source="https://www.fit.vutbr.cz/~imikolov/rnnlm/simple-examples.tgz",
    dev_split="valid",
)
WIKITEXT2 = Corpus(
    name="wikitext2",
    title="WikiText-2: 2 M words of Wikipedia's good articles",
    licence="CC BY-SA 3.0",
    source="https://huggingface.co/datasets/Salesforce/wikitext",
    dev_split="valid",
)
SHAKESPEARE = Corpus(
    name="tinyshakespeare",
    title="Tiny Shakespeare: 1.1 M characters of the plays",
    licence="public domain",
    source="https://github.com/karpathy/char-rnn",
)

GZIP_MAGIC = b"\x1f\x8b"


@dataclass(frozen=True)
class Text:
    """A text to learn from or to measure on.

    id: str. The file's name, and the part of it where it is cut.
    tokens: sequence of str. Its words, with ends of lines, or its characters.
    """

    id: str
    tokens: Sequence[str]


def read_file(path: Path) -> str:
    """The text of a file, plain or gzipped, with "\\n" between lines.

    Raises `ZooError` if it is missing, a broken gzip file, not UTF-8 (with the offset of the first bad
    byte), or has nothing but white space.
    """
    try:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ZooError(f"{path} is missing.") from None
    except UnicodeDecodeError as error:
        raise ZooError(
            f"{path} is not UTF-8: byte {error.start} is 0x{content[error.start]:02x}. "
            f"Convert it first, as with `iconv -f latin1 -t utf-8`."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ZooError(f"{path} is no whole gzip file: {error}.") from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise ZooError(f"{path} is empty: there is no text in it.")
    return text.replace("\r\n", "\n")


def read_corpus(
    corpus: str, folder: Path, split: str, tokens_of: Callable[[str], Sequence[str]]
) -> list[Text]:
    """The texts of one split of a corpus.

    corpus: "ptb", "wikitext2" or "tinyshakespeare", in files as its release names them, or with ".gz".
    split: "train", "valid" or "test" (Tiny Shakespeare: "train", the first 90 % of its characters,
        and "test", the rest, which others call its validation text), or "all".
    tokens_of: `words` or `str`, what the text is cut into.

    Raises `ZooError` for an unknown corpus or split, and as `read_file`.
    """
    if corpus not in _CORPORA:
        raise ZooError(f"Unknown corpus {corpus!r}. {nearest(corpus, _CORPORA)}")
    splits = _CORPORA[corpus]
    if not folder.is_dir():
        raise ZooError(f"{folder}: no such folder; the corpus {corpus!r} is looked for there.")
    if split == "all":
        there = [name for name in splits if _file(folder, splits[name][0]).exists()]
        names = there or list(splits)
    elif split in splits:
        names = [split]
    else:
        there = ", ".join(map(repr, [*splits, "all"]))
        raise ZooError(f"{corpus} has no split {split!r}. There are: {there}.")
    texts = []
    for name in names:
        file, begin, end = splits[name]
        text = read_file(_file(folder, file))
        part = text[round(begin * len(text)) : round(end * len(text))]
        texts.append(Text(f"{file} ({name})", tokens_of(part)))
    return texts


def checksum(texts: Sequence[Text]) -> str:
    """SHA-256 over the tokens of the texts, in order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update("\0".join(text.tokens).encode() + b"\0\0")
    return digest.hexdigest()


def _file(folder: Path, name: str) -> Path:
    """The file of that name, or its gzipped one where that alone is there."""
    plain, zipped = folder / name, folder / f"{name}.gz"
    return zipped if zipped.exists() and not plain.exists() else plain


# Each split's file, and the part of its characters, from and to, that it is.
_CORPORA: dict[str, dict[str, tuple[str, float, float]]] = {
    "ptb": {name: (f"ptb.{name}.txt", 0, 1) for name in ("train", "valid", "test")},
    "wikitext2": {name: (f"wiki.{name}.tokens", 0, 1) for name in ("train", "valid", "test")},
    "tinyshakespeare": {"train": ("input.txt", 0, 0.9), "test": ("input.txt", 0.9, 1)},
}
