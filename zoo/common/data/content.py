"""The content of examples, independent of file formats, file names and order.

Two copies of a corpus, such as one in FLAC and one in WAV, have the same content if their texts and
decoded signals are equal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zoo.common.data.text import normalize


@dataclass(frozen=True, eq=False)
class Content:
    """The content of an example.

    Args:
        texts: its texts and labels.
        signals: its decoded samples, pixels or numbers, with all that is needed to interpret them, such
            as a sample rate.
    """

    texts: tuple[str, ...] = ()
    signals: tuple[Any, ...] = field(default=(), repr=False)


class HasContent(Protocol):
    """An example that states its content."""

    def content(self) -> Content:
        """Return the content. Raises `ZooError` if a file cannot be decoded."""


def digests(examples: Iterable[HasContent]) -> dict[str, Any]:
    """Return the number of examples, and SHA-256 digests of all texts and of all texts with signals.

    Returns:
        A dict with `examples`; `texts` if an example has texts; `signals` if an example has signals.
    """
    texts, whole, has_texts, has_signals = [], [], False, False
    for example in examples:
        content = example.content()
        text = json.dumps([normalize(text) for text in content.texts]).encode()
        digest = hashlib.sha256(text)
        texts.append(digest.digest())
        for signal in content.signals:
            digest.update(_bytes(np.asarray(signal)))
        whole.append(digest.digest())
        has_texts |= bool(content.texts)
        has_signals |= bool(content.signals)
    return {
        "examples": len(texts),
        **({"texts": _joined(texts)} if has_texts else {}),
        **({"signals": _joined(whole)} if has_signals else {}),
    }


def _bytes(array: np.ndarray) -> bytes:
    """Return type, shape and numbers of an array as bytes, equal on all machines."""
    if array.dtype.kind == "f":
        array = np.where(np.isnan(array), np.array(np.nan, array.dtype), array)
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return f"{little.dtype.str}{array.shape}".encode() + little.tobytes()


def _joined(parts: list[bytes]) -> str:
    return hashlib.sha256(b"".join(sorted(parts))).hexdigest()
