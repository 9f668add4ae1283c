"""Hashes of the training captions, by which an evaluation counts copies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zoo.common.core.errors import ZooError

HASHES_FILE = "train_caption_hashes.txt"
HASH_LENGTH = 12


@dataclass(frozen=True)
class CaptionHashes:
    """The hashes of a run's captions, from which the captions cannot be recovered.

    Args:
        hashes: tuple of unique str, sorted, one `caption_hash` per caption.
    """

    hashes: tuple[str, ...] = ()

    def add(self, captions: Iterable[Sequence[str]]) -> CaptionHashes:
        """Return these hashes and those of captions, each a sequence of words."""
        return CaptionHashes(tuple(sorted({*self.hashes, *map(caption_hash, captions)})))

    def __len__(self) -> int:
        return len(self.hashes)

    def to_text(self) -> str:
        """Return one line per hash."""
        return "".join(f"{line}\n" for line in self.hashes)

    @classmethod
    def from_text(cls, text: str, path: Path) -> CaptionHashes:
        """Return the hashes of a `to_text` result.

        Args:
            text: the result of `to_text`.
            path: path of the file, for error messages.

        Raises:
            ZooError: a hash has another length, or the hashes are not unique and sorted.
        """
        hashes = text.split()
        if any(len(line) != HASH_LENGTH for line in hashes) or hashes != sorted(set(hashes)):
            raise ZooError(
                f"{path} is corrupt: it must have hashes of {HASH_LENGTH} characters, sorted."
            )
        return cls(tuple(hashes))


def caption_hash(caption: Sequence[str]) -> str:
    """Return the hash of a caption, given as words."""
    return hashlib.sha256(" ".join(caption).encode()).hexdigest()[:HASH_LENGTH]
