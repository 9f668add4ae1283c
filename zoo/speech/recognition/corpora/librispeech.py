"""LibriSpeech's layout: read English, here the mini corpus of five hours.

Its training subset, train-clean-5, is read as two splits without common speakers: "train", and "test",
which the corpus itself does not have.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus, Download
from zoo.speech.manifests import read_transcripts
from zoo.speech.utterance import Utterance, read_splits

# The subset that is read as "train" and "test", and the speakers of test: two men and two women, a tenth
# of the speech.
DIVIDED = "train-clean-5"
TEST_SPEAKERS = frozenset({"2136", "3664", "4640", "5789"})


def read(folder: Path, split: str) -> list[Utterance]:
    """Return the utterances of a split.

    Args:
        folder: the corpus as released: `<split>/<speaker>/<chapter>/` with a list of transcripts.
        split: "train" or "test", parts of train-clean-5; another of its subsets, such as "dev-clean-2";
            or "all" for every subset in the folder.

    Raises:
        ZooError: as `zoo.speech.utterance.read_splits`.
    """
    return read_splits(
        LIBRISPEECH_MINI.name,
        folder,
        split,
        find_splits=_find_splits,
        read_split=_read_split,
        layout="<split>/<speaker>/<chapter>/<speaker>-<chapter>.trans.txt",
    )


LIBRISPEECH_MINI = Corpus(
    name="librispeech_mini",
    title="Mini LibriSpeech: 5.3 hours of read English, 28 speakers, four of them for test",
    licence="CC BY 4.0",
    source="https://www.openslr.org/31",
    read=read,
    downloads=(
        Download(
            "https://www.openslr.org/resources/31/train-clean-5.tar.gz",
            size=332_954_390,
            checksum="md5:5df7d4e78065366204ca6845bb08f490",
            recorded="OpenSLR's md5sum.txt, PaddlePaddle DeepSpeech",
            strip=1,
        ),
    ),
)


def _find_splits(folder: Path) -> list[str]:
    chapters = list(folder.glob("*/*/*/*.trans.txt"))
    return sorted({_split(path.parts[-4], path.parts[-3]) for path in chapters})


def _read_split(folder: Path, split: str) -> list[Utterance]:
    examples = []
    subset = DIVIDED if split in ("train", "test") else split
    for path in sorted((folder / subset).glob("*/*/*.trans.txt")):
        if _split(subset, path.parts[-3]) == split:
            examples += read_transcripts(path, split)
    return examples


def _split(subset: str, speaker: str) -> str:
    if subset != DIVIDED:
        return subset
    return "test" if speaker in TEST_SPEAKERS else "train"
