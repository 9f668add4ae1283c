"""Test that damaged files of all kinds are read or rejected with an error in one line.

Damages are seeded: to the bytes of a file, and to its structure. Files with digests or checksums are
rejected or read with their original content, if the checksums are not computed again. No
damage causes a timeout, the use of gigabytes of memory, or a traceback. `make fuzz` prints the counts.
"""

import time
from dataclasses import replace

import pytest

from tests.fuzz import measured, media, saved, structures, texts
from tests.fuzz.kinds import FAULTS, damage

pytestmark = pytest.mark.slow

MUTATIONS = 160  # per kind
KINDS = [*media.KINDS, *measured.KINDS, *texts.KINDS, *saved.KINDS]
# Kinds whose structure is damaged as well, by the beginning of their names.
STRUCTURES = {
    structures.riff: ("WAV",),
    structures.flac: ("FLAC",),
    structures.ogg: ("OGG",),
    structures.mp3: ("MP3",),
    structures.table: ("labelled texts, CSV", "utterances, CSV", "sounds, CSV", "table", "rows"),
    structures.characters: ("text", "labelled texts", "utterances", "captioned", "lexicon", "ARPA"),
}
KINDS += [
    replace(kind, name=f"{kind.name}: {change.__name__}", damage=change, detectable=False)
    for change, names in STRUCTURES.items()
    for kind in KINDS
    if kind.name.startswith(names) and not kind.name.endswith(("zipped", "UTF-16"))
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_are_read_or_rejected(kind, tmp_path):
    started = time.monotonic()
    outcome = damage(kind, tmp_path, MUTATIONS)
    seconds = time.monotonic() - started
    print(f"\n{kind.name}: {dict(sorted(outcome.counts.items()))}, {seconds:.1f} s", end="")
    assert not any(outcome.counts[fault] for fault in FAULTS), "\n".join(outcome.shown[:6])
    assert sum(outcome.counts.values()) == MUTATIONS
