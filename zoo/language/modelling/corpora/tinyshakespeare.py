"""Tiny Shakespeare: plays in one text file.

Its test split is the last tenth, which other authors use as validation text.
"""

from __future__ import annotations

from zoo.common.core.corpus import Corpus, Download
from zoo.language.texts import Part, text_reader

SPLITS = {"train": Part("input.txt", 0, 0.9), "test": Part("input.txt", 0.9, 1)}

SHAKESPEARE = Corpus(
    name="tinyshakespeare",
    title="Tiny Shakespeare: 1.1 M characters of the plays",
    licence="public domain",
    source="https://github.com/karpathy/char-rnn",
    read=text_reader("tinyshakespeare", SPLITS),
    downloads=(
        Download(
            "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
            size=1_115_394,
            checksum="sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            recorded="TensorFlow Datasets, url_checksums/tiny_shakespeare.txt",
        ),
    ),
)
