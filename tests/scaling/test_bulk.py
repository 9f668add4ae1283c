"""Bulk inference without Ray: inputs, parts, rows, resumption and refusals. Ray is in the slow suite."""

import json
from collections import Counter

import pyarrow as pa
import pytest
from pyarrow import parquet

import zoo
from zoo.common.core.errors import ZooError
from zoo.scaling import bulk
from zoo.scaling.inputs import BulkInput, list_inputs, open_url
from zoo.scaling.parts import Part, Parts, plan_parts, remaining

TEXTS = "language/bilstm-sst2"
SPEECH = "speech/bilstm-ctc-an4"
GOOD = ["a gripping and moving film", "a dull film", "good"]


@pytest.fixture(scope="module")
def speech():
    return bulk.preset_recipe(SPEECH).data


@pytest.fixture(scope="module")
def texts():
    return bulk.preset_recipe(TEXTS).data


@pytest.fixture
def direct(monkeypatch):
    """Run actors in this process instead of in Ray's. Ray need not be installed."""

    def run(job, parts, actors):
        answerer = bulk.Answerer()
        for part in parts:
            row = {
                "job": json.dumps(bulk.asdict(job)),
                "part": json.dumps(bulk.asdict(part)),
            }
            done = answerer(row)
            if done["refused"]:
                raise ZooError(done["refused"])
            yield done["rows"], done["errors"]

    monkeypatch.setattr(bulk, "_run", run)
    monkeypatch.setattr(bulk, "PACKAGES", ())


def sources(inputs) -> list[str]:
    return [each.source for each in inputs]


def test_files_of_a_folder_are_sorted_by_size(speech, an4):
    inputs = list_inputs(speech, str(an4))
    assert len(inputs) > 5
    assert [each.size for each in inputs] == sorted((each.size for each in inputs), reverse=True)
    by_url = list_inputs(speech, f"file://{an4}")
    assert sources(by_url) == [f"file://{name}" for name in sources(inputs)]
    assert [each.size for each in by_url] == [each.size for each in inputs]


def test_lists_of_files_and_texts(speech, texts, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"12345")
    (tmp_path / "list.csv").write_text("input,note\na.wav,x\nmissing.wav,y\n")
    inputs = list_inputs(speech, str(tmp_path / "list.csv"))
    assert sources(inputs) == [str(tmp_path / "a.wav"), "missing.wav"]
    (tmp_path / "urls.csv").write_text("input\na b.wav\n/c.wav\ns3://bucket/d.wav\n")
    by_url = [f"file://{tmp_path}/a%20b.wav", "/c.wav", "s3://bucket/d.wav"]
    assert sorted(sources(list_inputs(speech, f"file://{tmp_path}/urls.csv"))) == sorted(by_url)
    (tmp_path / "list.jsonl").write_text('{"input": "a film"}\n{"input": "good"}\n')
    table = pa.table({"input": ["a film", "good", None], "other": [1, 2, 3]})
    parquet.write_table(table, tmp_path / "list.parquet")
    for name in ("list.jsonl", "list.parquet"):
        assert sources(list_inputs(texts, str(tmp_path / name))) == ["a film", "good"]
    (tmp_path / "lines.txt").write_text("good\na film\n")
    assert sources(list_inputs(texts, str(tmp_path / "lines.txt"))) == ["a film", "good"]
    assert sources(list_inputs(texts, f"file://{tmp_path}/lines.txt")) == ["a film", "good"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("none", "none is missing"),
        ("file:///no/such/folder", r"file:///no/such/folder is missing"),
        ("nosuch://user:secret@host/path", r"nosuch://host/path cannot be opened"),
        ("bad.parquet", r"bad\.parquet cannot be read"),
        ("bad.jsonl", r"bad\.jsonl, line 1"),
        ("file://empty", "cannot be opened"),
    ],
)
def test_unreadable_inputs(speech, tmp_path, monkeypatch, given, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and more")
    (tmp_path / "bad.jsonl").write_text('{"input": 3}\n')
    with pytest.raises(ZooError, match=message):
        list_inputs(speech, given)


def test_empty_folder_is_refused(speech, tmp_path):
    with pytest.raises(ZooError, match="There are no inputs in file://"):
        list_inputs(speech, f"file://{tmp_path}")
    with pytest.raises(ZooError, match=r"the folder has no recordings"):
        list_inputs(speech, str(tmp_path))


def test_texts_are_neither_files_nor_urls(texts, direct, tmp_path, monkeypatch):
    (tmp_path / "good").write_text("a file with the name of a text")
    values = ["good", "https://example.org/ is a good site", "s3://bucket/film"]
    (tmp_path / "list.jsonl").write_text("".join(json.dumps({"input": v}) + "\n" for v in values))
    (tmp_path / "lines.txt").write_text("".join(f"{value}\n" for value in values))
    for given in ("list.jsonl", "lines.txt"):
        found = list_inputs(texts, str(tmp_path / given))
        assert {each.source: each.is_text for each in found} == dict.fromkeys(values, True)
    monkeypatch.setattr(bulk.Answerer, "_predict", lambda self, source: {"output": source})
    rows = [bulk.Answerer().answer(each) for each in found]
    assert {row["input"]: row["output"] for row in rows} == {value: value for value in values}


def test_folder_of_a_url_has_the_inputs_of_a_local_folder(speech, texts, tmp_path):
    for name in ("a b%20.wav", "notes.txt", ".hidden.wav", "deep/c.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1234567"[: len(name)])
    inputs = list_inputs(speech, f"file://{tmp_path}")
    names = [open_url(each.source)[1] for each in inputs]
    assert names == sources(list_inputs(speech, str(tmp_path)))
    assert len(names) == 2
    with pytest.raises(ZooError, match="There are no inputs in"):
        list_inputs(texts, f"file://{tmp_path}")


def test_remaining_inputs_count_repetitions():
    inputs = [BulkInput(text, 1) for text in "aabac"]
    rest = remaining(inputs, Counter({"a": 2, "c": 1}))
    assert sources(rest) == ["b", "a"]


def test_names_of_parts_are_repeated_only_for_the_same_work():
    inputs = [BulkInput("same", 4) for _ in range(100)]
    first = plan_parts(inputs, actors=2, answered=0)
    assert [part.name for part in first] == [part.name for part in plan_parts(inputs, 2, 0)]
    later = plan_parts(inputs[50:], actors=2, answered=50)
    names = [part.name for part in first + later]
    assert len(set(names)) == len(names)
    assert sum(len(part.inputs) for part in first) == 100
    assert len(first) >= 16  # several parts per actor


@pytest.mark.slow
@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_rows_are_those_of_the_default_engine(direct, tmp_path, clips, format):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    listed = tmp_path / "list.csv"
    listed.write_text("input\n" + "".join(f"{name}\n" for name in [*clips, broken]))
    result = zoo.predict(
        SPEECH, str(listed), engine="ray", out=tmp_path / "out", format=format, actors=1
    )
    expected = {row["input"]: row for row in zoo.predict(SPEECH, [*clips, str(broken)])}
    assert {row["input"]: row for row in result.rows()} == expected
    assert (result.answered, result.errors) == (3, 1)
    assert "error" in expected[str(broken)]


@pytest.mark.slow
def test_interrupted_output_is_completed(direct, tmp_path, run_zoo):
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{text}\n" for text in [*GOOD, "", "good"]))
    command = ("predict", TEXTS, lines, "--engine", "ray", "--out", tmp_path / "out", "--json")
    answer = run_zoo(*command, "--actors", "1")
    assert answer.status == 1  # the empty line is an error row
    assert (answer.json["answered"], answer.json["errors"]) == (5, 1)
    parts = sorted((tmp_path / "out").glob("part-*"))
    assert len(parts) == 5
    before = Counter(row["input"] for row in Parts(str(tmp_path / "out"), "parquet").rows())
    parts[1].unlink()
    parts[3].unlink()
    (tmp_path / "out" / ".part-left").write_text("by a killed process")
    again = run_zoo(*command)
    assert again.json["answered"] == 2
    assert "3 of 5 inputs are done already" in again.err
    after = Counter(row["input"] for row in Parts(str(tmp_path / "out"), "parquet").rows())
    assert after == before == Counter([*GOOD, "", "good"])
    assert not (tmp_path / "out" / ".part-left").exists()
    assert run_zoo(*command).json["answered"] == 0


def test_written_part_is_not_answered_again(direct, tmp_path):
    parts = Parts(str(tmp_path), "jsonl")
    parts.claim({}, "me")
    part = Part("part-1", (BulkInput("good", 4, True),))
    parts.write(part, [{"input": "good", "output": "x"}], "me")
    job = bulk.Job(TEXTS, "auto", {}, str(tmp_path), "jsonl", "me")
    row = {"job": json.dumps(bulk.asdict(job)), "part": json.dumps(bulk.asdict(part))}
    assert bulk.Answerer()(row)["rows"] == 1
    assert [row["output"] for row in parts.rows()] == ["x"]


def test_actor_of_an_earlier_call_does_not_write(tmp_path):
    parts = Parts(str(tmp_path), "jsonl")
    parts.claim({"preset": "a"}, "first")
    parts.claim({"preset": "a"}, "second")
    with pytest.raises(ZooError, match="is in use by another call"):
        parts.write(Part("part-1", ()), [], "first")
    assert [path.name for path in tmp_path.iterdir()] == ["predict.json"]
    with pytest.raises(ZooError, match=r"holds rows of other settings \(preset\)"):
        parts.claim({"preset": "b"}, "third")


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_corrupt_files_of_the_output(tmp_path, format):
    parts = Parts(str(tmp_path), format)
    parts.claim({}, "me")
    parts.write(Part("part-1", ()), [{"input": "good", "output": "x"}], "me")
    assert parts.answered() == {"good": 1}
    written = tmp_path / f"part-1.{format}"
    written.write_bytes(written.read_bytes()[:-9])
    with pytest.raises(ZooError, match=rf"part-1\.{format} cannot be read"):
        parts.answered()
    (tmp_path / "predict.json").write_text("[")
    with pytest.raises(ZooError, match=r"predict\.json is corrupt"):
        parts.claim({}, "me")


def test_defect_for_one_input_is_an_error_row(direct, monkeypatch):
    def fail(self, source):
        raise RuntimeError("first line\nsecond line")

    monkeypatch.setattr(bulk.Answerer, "_predict", fail)
    answerer = bulk.Answerer()
    assert answerer.answer(BulkInput("good", 4)) == {
        "input": "good",
        "error": "RuntimeError: first line second line",
    }


def test_full_disk_is_one_line_and_nothing_half_written(direct, tmp_path, refused, monkeypatch):
    lines = tmp_path / "lines.txt"
    lines.write_text("good\n")

    def full(self, part, rows, owner):
        with bulk_io(self.out):
            raise OSError(28, "No space left on device")

    from zoo.scaling.parts import _io as bulk_io

    monkeypatch.setattr(Parts, "write", full)
    error = refused("predict", TEXTS, lines, "--engine", "ray", "--out", tmp_path / "out")
    assert "cannot be written: [Errno 28] No space left on device" in error
    assert not list((tmp_path / "out").glob("part-*"))


def test_folder_with_other_files_is_refused(direct, tmp_path, refused):
    lines = tmp_path / "lines.txt"
    lines.write_text("good\n")
    assert "holds other files" in refused(
        "predict", TEXTS, lines, "--engine", "ray", "--out", tmp_path
    )


def test_refusals(refused, tmp_path, monkeypatch):
    command = ("predict", TEXTS, "good", "--engine", "ray")
    assert "--engine ray needs --out" in refused(*command)
    out = ("--out", tmp_path / "out")
    assert "actors must be at least 1" in refused(*command, *out, "--actors", "0")
    assert "format must be one of" in refused(*command, *out, "--format", "csv")
    assert "--actors needs --engine ray" in refused("predict", TEXTS, "good", "--actors", "2")
    assert "good is missing" in refused(*command, *out)
    with pytest.raises(ZooError, match="engine must be one of"):
        zoo.predict(TEXTS, "good", engine="spark")
    lines = tmp_path / "lines.txt"
    lines.write_text("good\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for given in (lines, "s3://bucket/lines.txt"):
        error = refused("predict", TEXTS, given, "--engine", "ray", *out)
        assert "pip install 'recurrent-zoo[bulk]'" in error
    assert list(tmp_path.iterdir()) == [lines]


def test_url_of_a_file_system_without_a_host_is_refused():
    with pytest.raises(ZooError, match="cannot be opened"):
        open_url("s3:///nothing")
