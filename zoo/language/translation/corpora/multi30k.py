"""Multi30k, English to German: captions of photographs, with translations by humans.

Elliott et al., "Multi30K: multilingual English-German image descriptions" (2016), task 1.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.language.translation.corpora.parallel import SentencePair, read_two_files

SPLITS = ("train", "val", "test_2016_flickr")
LANGUAGES = ("en", "de")
_FILES = (
    "https://raw.githubusercontent.com/multi30k/dataset/a3d2e0d26b56f3846f66a952536ffed4e401d05a/"
    "data/task1/raw"
)


def read(folder: Path, split: str) -> list[SentencePair]:
    """Return the pairs of a split.

    Args:
        folder: a folder with `<split>.en` and `<split>.de`, plain or gzipped.
        split: one of `SPLITS` or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus` describes it.
    """
    check_folder(MULTI30K.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(MULTI30K.name, list(SPLITS), split)
    splits = SPLITS if split == "all" else (split,)
    return [
        pair for name in splits for pair in read_two_files(folder / name, LANGUAGES, name, name)
    ]


MULTI30K = Corpus(
    name="multi30k",
    title="Multi30k: 31,014 captions of photographs, in English and German",
    licence="derived from Flickr30k; non-commercial research",
    source="https://github.com/multi30k/dataset",
    read=read,
    dev_split="val",
    test_split="test_2016_flickr",
    restricted=True,
    downloads=tuple(
        Download(
            f"{_FILES}/{name}.gz",
            size,
            f"sha256:{digest}",
            recorded="public training programs (address and checksum)",
        )
        for name, size, digest in (
            (
                "train.en",
                568_929,
                "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
            ),
            (
                "train.de",
                637_044,
                "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
            ),
            ("val.en", 21_650, "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28"),
            ("val.de", 24_681, "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a"),
            (
                "test_2016_flickr.en",
                21_077,
                "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
            ),
            (
                "test_2016_flickr.de",
                22_890,
                "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
            ),
        )
    ),
)
