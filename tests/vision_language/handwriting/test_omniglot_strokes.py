"""Tests of the reader of Omniglot: on small files of the same layout, and on the corpus."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.vision_language.handwriting.corpora.omniglot_strokes import OMNIGLOT

CORPUS = Path(os.environ.get("ZOO_DATA", "data")) / "omniglot_strokes"
HEADER = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
DRAWING = np.array([[0, 0, 0], [300, -7, 1], [5, 600, 1]], "<i2")


def text(value: bytes) -> bytes:
    return b"U" + bytes([len(value)]) + value


def number(value: int) -> bytes:
    return b"K" + bytes([value])


def pickled(array: np.ndarray, type_: bytes = b"i2") -> bytes:
    """Return the pickle of an array by Python 2: its constructor, (1, shape, type, False, bytes)."""
    rebuild = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n" + number(0) + b"\x85"
    type_ = b"cnumpy\ndtype\n" + text(type_) + number(0) + number(1) + b"\x87R"
    type_ += (
        b"(" + number(3) + text(b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" + number(0) + b"tb"
    )
    shape = number(array.shape[0]) + number(array.shape[1]) + b"\x86"
    state = b"(" + number(1) + shape + type_ + b"\x89" + text(array.tobytes()) + b"t"
    return rebuild + text(b"b") + b"\x87R" + state + b"b"


def write(folder: Path, code: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    content = b"\x93NUMPY\x01\x00" + len(HEADER).to_bytes(2, "little") + HEADER + code
    with zipfile.ZipFile(folder / "omniglot.npz", "w") as archive:
        for split in ("train", "valid", "test"):
            archive.writestr(f"{split}.npy", content)
    return folder


def listed(*arrays: bytes) -> bytes:
    return b"\x80\x02](" + b"".join(arrays) + b"e."


def test_offsets_become_points(tmp_path):
    folder = write(tmp_path / "o", listed(pickled(DRAWING), pickled(DRAWING[:2])))
    first, second = OMNIGLOT.read(folder, "valid")
    assert first.points.tolist() == [[0, 0, 0], [300, -7, 1], [305, 593, 1]]
    assert second.points.tolist() == [[0, 0, 0], [300, -7, 1]]
    assert (first.id, second.id, first.split) == ("valid 1", "valid 2", "valid")
    assert [e.split for e in OMNIGLOT.read(folder, "all")] == 2 * ["train"] + 2 * ["valid"] + 2 * [
        "test"
    ]
    loaded = pickle.loads(listed(pickled(DRAWING)), encoding="latin-1")  # noqa: S301
    np.testing.assert_array_equal(loaded[0], DRAWING)  # NumPy reads the same


def test_the_pickle_is_not_executed(tmp_path):
    target = tmp_path / "ran"
    code = b"\x80\x02cos\nmkdir\n" + text(str(target).encode()) + b"\x85R."
    with pytest.raises(ZooError, match="arrays must be of int16"):
        OMNIGLOT.read(write(tmp_path / "o", code), "train")
    assert not target.exists()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (listed(pickled(DRAWING.astype("<f8"), b"f8")), "int16"),
        (listed(pickled(DRAWING[:, :2])), "reshape"),
        (listed(pickled(DRAWING))[:-20], "not a file of drawings"),
        (b"nonsense", "not a file of drawings"),
    ],
)
def test_other_files_are_errors(code, error, tmp_path):
    with pytest.raises(ZooError, match=error) as raised:
        OMNIGLOT.read(write(tmp_path / "o", code), "train")
    assert "\n" not in str(raised.value)


def test_invalid_folders_and_splits_are_errors(tmp_path):
    with pytest.raises(ZooError, match="no such folder"):
        OMNIGLOT.read(tmp_path / "none", "train")
    with pytest.raises(ZooError, match="missing"):
        OMNIGLOT.read(tmp_path, "train")
    with pytest.raises(ZooError, match=r"'train', 'valid', 'test', 'all'. Received: 'dev'"):
        OMNIGLOT.read(tmp_path, "dev")
    (tmp_path / "omniglot.npz").write_bytes(b"PK")
    with pytest.raises(ZooError, match="not a file of drawings"):
        OMNIGLOT.read(tmp_path, "train")


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not available")
def test_the_corpus_has_the_published_sizes():
    sizes = {}
    for split in ("valid", "test"):
        drawings = OMNIGLOT.read(CORPUS, split)
        sizes[split] = (len(drawings), sum(len(d.points) - 1 for d in drawings))
        assert all(d.points[-1, 2] == 1 and not d.points[0].any() for d in drawings)
    assert sizes == {"valid": (1000, 30719), "test": (1000, 30144)}
