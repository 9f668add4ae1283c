"""Test that damaged files of all kinds are read or rejected with an error in one line.

Damages are seeded. Files with digests or checksums are rejected or read with their original content. No
damage causes a timeout, the use of gigabytes of memory, or a traceback. `make fuzz` prints the counts.
"""

import time

import pytest

from tests.fuzz import measured, media, saved, texts
from tests.fuzz.kinds import FAULTS, damage

pytestmark = pytest.mark.slow

MUTATIONS = 160  # per kind
KINDS = [*media.KINDS, *measured.KINDS, *texts.KINDS, *saved.KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damaged_files_are_read_or_rejected(kind, tmp_path):
    started = time.monotonic()
    outcome = damage(kind, tmp_path, MUTATIONS)
    seconds = time.monotonic() - started
    print(f"\n{kind.name}: {dict(sorted(outcome.counts.items()))}, {seconds:.1f} s", end="")
    assert not any(outcome.counts[fault] for fault in FAULTS), "\n".join(outcome.shown[:6])
    assert sum(outcome.counts.values()) == MUTATIONS
