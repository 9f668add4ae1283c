"""Seeded damage to every kind of file the zoo reads: refused in one line, or read.

Of what has digests or checksums, what is read is the same as before. No damage hangs, takes gigabytes or
ends in a traceback. `make fuzz` prints the counts.
"""

import time

import pytest

from tests.fuzz import measured, media, saved, texts
from tests.fuzz.kinds import FAULTS, damage

pytestmark = pytest.mark.slow

MUTATIONS = 160  # of each kind
KINDS = [*media.KINDS, *measured.KINDS, *texts.KINDS, *saved.KINDS]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damage(kind, tmp_path):
    started = time.monotonic()
    outcome = damage(kind, tmp_path, MUTATIONS)
    seconds = time.monotonic() - started
    print(f"\n{kind.name}: {dict(sorted(outcome.counts.items()))}, {seconds:.1f} s", end="")
    assert not any(outcome.counts[fault] for fault in FAULTS), "\n".join(outcome.shown[:6])
    assert sum(outcome.counts.values()) == MUTATIONS
