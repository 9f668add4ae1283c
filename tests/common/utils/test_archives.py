"""Test that archives are unpacked, and that damaged and hostile ones are refused."""

import io
import stat
import tarfile
import zipfile

import pytest

from tests.publisher import tar_gz, zipped
from zoo.common.core.errors import ZooError
from zoo.common.utils import archives
from zoo.common.utils.archives import is_archive, unpack

MEMBERS = {"./release/data/a.txt": b"a", "release/data/deep/b.txt": b"b", "release/c.bin": b"c"}


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "folder"
    path.mkdir()
    return path


def written(tmp_path, content):
    path = tmp_path / "archive"
    path.write_bytes(content)
    return path


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("pack", [tar_gz, zipped])
def test_members_are_unpacked_without_leading_folders(tmp_path, folder, pack):
    archive = written(tmp_path, pack(MEMBERS))
    unpack(archive, folder, ("*.txt",), strip=2)
    assert files(folder) == {"a.txt": b"a", "deep/b.txt": b"b"}
    with pytest.raises(ZooError, match=r"does not contain \*.wav"):
        unpack(archive, folder, ("*.wav",))


def test_kind_by_name():
    assert is_archive("an4.tar.gz")
    assert is_archive("x.zip")
    assert not is_archive("train.en.gz")


@pytest.mark.parametrize("pack", [tar_gz, zipped])
@pytest.mark.parametrize("name", ["../out", "/out", "a/../../out", "C:/out", "..\\out"])
def test_paths_outside_are_refused(tmp_path, folder, pack, name):
    archive = written(tmp_path, pack({name: b"x"}))
    with pytest.raises(ZooError, match="is not a path below a folder"):
        unpack(archive, folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "folder"]
    assert not files(folder)


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_are_refused(tmp_path, folder, kind):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = kind, "../secret"
        tar.addfile(link)
        inside = tarfile.TarInfo("link/inside")
        tar.addfile(inside, io.BytesIO())
    with pytest.raises(ZooError, match="its member 'link' is a link or a device"):
        unpack(written(tmp_path, content.getvalue()), folder)
    assert not list(folder.iterdir())


def test_link_in_a_zip_is_refused(tmp_path, folder):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ZooError, match="is a link or a device"):
        unpack(written(tmp_path, content.getvalue()), folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("pack", [tar_gz, zipped])
def test_bomb_is_refused(tmp_path, folder, pack, monkeypatch):
    monkeypatch.setattr(archives, "SLACK", 0)
    archive = written(tmp_path, pack({"zeros": bytes(10_000_000)}))
    assert archive.stat().st_size < 100_000
    with pytest.raises(ZooError, match="expands to over 30 times its size"):
        unpack(archive, folder)
    assert sum(map(len, files(folder).values())) <= 30 * archive.stat().st_size


def test_number_of_members_is_limited(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(archives, "MAX_MEMBERS", 2)
    with pytest.raises(ZooError, match="must have at most 2 members"):
        unpack(written(tmp_path, zipped(MEMBERS)), folder)


@pytest.mark.parametrize("pack", [tar_gz, zipped])
@pytest.mark.parametrize("size", [0, 20, 0.5, -1])
def test_damaged_archives(tmp_path, folder, pack, size):
    content = pack({f"{i}": bytes(range(256)) * 8 for i in range(20)})
    content = content[: round(size * len(content)) if 0 < size < 1 else size]
    with pytest.raises(ZooError, match="is not a valid archive"):
        unpack(written(tmp_path, content), folder)


def test_two_members_of_one_name_are_refused(tmp_path, folder):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("twice"))
    with pytest.raises(ZooError, match="cannot be written: File exists"):
        unpack(written(tmp_path, content.getvalue()), folder)


def test_encrypted_zip(tmp_path, folder):
    content = bytearray(zipped({"a": b"x" * 40}))
    content[6] |= 1  # the flag of the member
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ZooError, match="is not a valid archive"):
        unpack(written(tmp_path, bytes(content)), folder)
