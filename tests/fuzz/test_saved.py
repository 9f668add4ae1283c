"""Seeded damage to presets, exports and states of runs: refused in one line, or the same as before."""

import random
import resource
import shutil
import signal
import traceback
from collections import Counter

import numpy as np
import pytest

from tests.fuzz.saved import KINDS, make_runs
from zoo.common.core.errors import ZooError
from zoo.common.presets import runs

pytestmark = pytest.mark.slow

MUTATIONS = 250  # of each kind
SECONDS, BYTES = 20, 2 * 2**30
# What stands in text files of the zoo in the place of a number or a word.
TOKENS = (b"1e9", b"-1", b"1e400", b"NaN", b"null", b"[]", b"{}", b"9" * 5000, b"\0", b"\xff", b'"')


def mutate(content: bytes, generator: random.Random) -> bytes:
    """Some bytes flipped, overwritten, removed, doubled, zeroed, cut, or a token put in."""
    if not content:
        return b"\0"
    at, size = generator.randrange(len(content)), generator.randint(1, 64)
    kind = generator.randrange(8)
    if kind == 0:
        return bytes(
            byte ^ (1 << generator.randrange(8)) if i == at else byte
            for i, byte in enumerate(content)
        )
    middle = {
        1: generator.randbytes(size),
        2: b"",
        3: content[at : at + size] * 2,
        4: bytes(size),
        5: generator.choice(TOKENS),
        6: generator.choice(TOKENS),
    }
    if kind == 7:
        return content[:at]
    return content[:at] + middle[kind] + content[at + (0 if kind == 5 else size) :]


def same(a, b) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_runs(tmp_path_factory.mktemp("saved"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_damage(kind, whole, tmp_path):
    def late(*_):
        raise TimeoutError

    folder = shutil.copytree(whole[kind.of], tmp_path / "run")
    shutil.copy(folder / runs.STATE_FILE, folder / f"{runs.STATE_FILE}.whole")
    right = kind.read(shutil.copytree(folder, tmp_path / "right"))
    paths = sorted(path for path in folder.glob(kind.files) if path.is_file())
    generator, counts, shown = random.Random(kind.name), Counter(), []
    before = signal.signal(signal.SIGALRM, late)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(MUTATIONS):
        path = generator.choice(paths)
        content = path.read_bytes()
        damaged = mutate(content, generator)
        path.write_bytes(damaged)
        signal.alarm(SECONDS)
        try:
            answer = kind.read(folder)
            if kind.detectable and not same(answer, right):
                counts["changed"] += 1
            else:
                counts["accepted"] += 1
        except ZooError as error:
            counts["refused" if "\n" not in str(error) else "of two lines"] += 1
        except TimeoutError:
            counts["hang"] += 1
        except Exception:
            counts["traceback"] += 1
            shown.append(traceback.format_exc()[-600:])
        finally:
            signal.alarm(0)
            path.write_bytes(content)
    signal.signal(signal.SIGALRM, before)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * 1024
    print(kind.name, dict(counts), f"{grown / 2**20:.0f} MB")
    assert counts["traceback"] == 0, shown[:3]
    assert counts["hang"] == counts["changed"] == counts["of two lines"] == 0, counts
    assert grown < BYTES
