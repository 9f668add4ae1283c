"""Test decoder files: options that are written and read, and files of another form."""

import json

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.decoding import decoder_file
from zoo.common.decoding.decoder_file import read_options, write_options


def test_options_are_read_as_written(tmp_path):
    path = tmp_path / "decoder.json"
    write_options(path, {"beam_width": 8, "lm_weight": 0.25}, {"dev": "an4"})
    assert read_options(path) == {"beam_width": 8, "lm_weight": 0.25}
    assert json.loads(path.read_text())["tuned"] == {"dev": "an4"}
    assert path.read_text().startswith('{\n  "options"')


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"options": 3}', '{"options": {"a": "1"}}', "[" * 10_000]
)
def test_other_files_are_rejected(tmp_path, content):
    path = tmp_path / "decoder.json"
    path.write_text(content)
    with pytest.raises(ZooError, match="is not a decoder file: it must be a JSON object with num"):
        read_options(path)


def test_missing_and_large_files(tmp_path, monkeypatch):
    path = tmp_path / "decoder.json"
    with pytest.raises(ZooError, match=r"decoder.json is missing\.$"):
        read_options(path)
    write_options(path, {}, {})
    size = path.stat().st_size
    monkeypatch.setattr(decoder_file, "MAX_FILE_BYTES", size)
    assert read_options(path) == {}
    monkeypatch.setattr(decoder_file, "MAX_FILE_BYTES", size - 1)
    with pytest.raises(ZooError, match="is too large"):
        read_options(path)
