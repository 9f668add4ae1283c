"""Test `zoo.fetch` on archives in the layouts of the publishers, from a server on loopback."""

import gzip
import io
import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import zoo
from tests.conftest import AN4 as AN4_FOLDER
from tests.publisher import publisher, sha256, tar_gz, zipped
from tests.vision_language.handwriting.test_omniglot_strokes import (
    DRAWING,
    listed,
    pickled,
    write,
)
from zoo.api import fetch as module
from zoo.common.core.corpora import corpora
from zoo.common.core.errors import ZooError
from zoo.common.presets import corpus_record
from zoo.common.presets.corpus_record import read_splits
from zoo.common.utils import download
from zoo.common.utils.locks import locked

DATA = AN4_FOLDER.parent
CORPORA = {
    (corpus.name, corpus.read.__module__): corpus
    for group in corpora().values()
    for corpus in group
    if "phonemes" not in corpus.title  # the same release, read in another way
}
SHAKESPEARE, RIGHT_WHALE = corpora()["tinyshakespeare"][0], corpora()["right_whale_upcalls"][0]
TEXT = b"To be or not to be\n" * 50
TONE = (3000 * np.sin(np.arange(1600) / 5)).astype(np.int16)


def recording(samples, rate: int, format: str) -> bytes:
    """Return samples as a file of 16 bits."""
    content = io.BytesIO()
    soundfile.write(content, samples, rate, subtype="PCM_16", format=format)
    return content.getvalue()


def converted(path: Path, format: str) -> bytes:
    """Return a recording in another format."""
    return recording(*soundfile.read(path, dtype="int16"), format)


def an4_release() -> list[bytes]:
    """Return the clips of the tests as an archive of SPHERE files, as CMU publishes AN4."""
    members, lines = {"an4/feat/skipped": b""}, {}
    an4 = CORPORA["an4", "zoo.speech.recognition.corpora.an4"]
    for example in an4.read(AN4_FOLDER, "all"):
        folder = {"train": "an4_clstk", "test": "an4test_clstk"}[example.split]
        name = f"an4/wav/{folder}/{example.speaker}/{example.id}.sph"
        members[name] = converted(example.audio, "NIST")
        line = f"<s> {example.transcript} </s> ({example.id})\n"
        lines[example.split] = lines.get(example.split, "") + line
    for split, text in lines.items():
        members[f"an4/etc/an4_{split}.transcription"] = text.encode()
    members["an4/etc/an4.dic"] = (AN4_FOLDER / "etc/an4.dic").read_bytes()
    return [tar_gz(members)]


def librispeech_release() -> list[bytes]:
    members = {"LibriSpeech/SPEAKERS.TXT": b"; of the release\n"}
    for speaker in ("1088", "2136"):
        folder = f"LibriSpeech/train-clean-5/{speaker}/5"
        members[f"{folder}/{speaker}-5.trans.txt"] = f"{speaker}-5-0000 GOOD DAY\n".encode()
        members[f"{folder}/{speaker}-5-0000.flac"] = recording(TONE, 16000, "FLAC")
    return [tar_gz(members)]


def fsdd_release() -> list[bytes]:
    folder = "free-spoken-digit-dataset-1.0.10"
    members = {
        f"{folder}/recordings/{path.stem}.wav": converted(path, "WAV")
        for path in (DATA / "fsdd/recordings").glob("*.flac")
    }
    return [zipped(members | {f"{folder}/utils/fsdd.py": b"exit()"})]


def ptb_release() -> list[bytes]:
    members = {
        f"./simple-examples/data/ptb.{name}.txt": f" a sentence of {name} \n".encode()
        for name in ("train", "valid", "test", "char.train")
    }
    return [tar_gz(members | {"./simple-examples/data/README": b"free for research"})]


def wikitext2_release() -> list[bytes]:
    names = ("train", "valid", "test")
    return [zipped({f"wikitext-2/wiki.{name}.tokens": f" {name} \n".encode() for name in names})]


def sst2_release() -> list[bytes]:
    return [f"a fine {name}\t1\na dull {name}\t0\n".encode() for name in ("train", "dev", "test")]


def multi30k_release() -> list[bytes]:
    names = [f"{split} {language}" for split in "abc" for language in ("en", "de")]
    return [gzip.compress(f"{name} one\n{name} two\n".encode()) for name in names]


def omniglot_release() -> list[bytes]:
    drawings = listed(pickled(DRAWING), pickled(DRAWING[:2]))
    with tempfile.TemporaryDirectory() as folder:
        return [(write(Path(folder), drawings) / "omniglot.npz").read_bytes()]


def gw_release() -> list[bytes]:
    folder = "gw-online-dataset-c2f3e230260933960d7b5fca9b59da9d68f145b4"
    return [
        zipped(
            {
                f"{folder}/README.md": b"non-commercial",
                f"{folder}/render.py": b"exit()",
                f"{folder}/2700270/1_the.txt": b"the\n1 2 0\n3 4 0\n9 9 1\n",
                f"{folder}/2700270/2_lost.txt": b"162 321 0\n1 2 0\n5 6 1\n",  # without its first line
                f"{folder}/3090309/3_end.txt": b"end\n1 2 0\n3 4 1\n",
            }
        )
    ]


def laser_release() -> list[bytes]:
    values = [f"{value}\n" for value in range(1, 201)]
    return ["".join(values[:50]).encode(), "".join(values[50:]).encode()]


def sunspots_release() -> list[bytes]:
    rows = [f"{year},{year % 11}.5\n" for year in range(1700, 2009)]
    return ["".join(['"YEAR","SUNACTIVITY"\n', *rows]).encode()]


def nn5_release() -> list[bytes]:
    rows = [
        f"T{n}:1996-03-18 00-00-00:" + ",".join("?" if i == 3 else f"{n}.{i}" for i in range(70))
        for n in (1, 2)
    ]
    text = "# NN5\n@relation nn5\n@attribute series_name string\n@data\n" + "\n".join(rows)
    return [zipped({"nn5_daily_dataset_with_missing_values.tsf": text.encode()})]


def vowels_release() -> list[bytes]:
    series = ":".join(["0.1,0.2,0.3"] * 12)
    text = f"@problemName JapaneseVowels\n@classLabel true 1 2\n@data\n{series}:1\n{series}:2\n"
    names = ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts", "JapaneseVowels_TRAIN.arff")
    return [zipped({name: text.encode() for name in names})]


# The files of each publisher, by name and module of the corpus; and the numbers of examples that result.
RELEASES = {
    ("an4", "zoo.speech.recognition.corpora.an4"): (an4_release, {"train": 12, "test": 10}),
    ("librispeech_mini", "zoo.speech.recognition.corpora.librispeech"): (
        librispeech_release,
        {"train": 1, "test": 1},
    ),
    ("fsdd", "zoo.speech.detection.corpora.fsdd"): (fsdd_release, None),
    ("ptb", "zoo.language.texts"): (ptb_release, {"train": 1, "valid": 1, "test": 1}),
    ("wikitext2", "zoo.language.texts"): (wikitext2_release, {"train": 1, "valid": 1, "test": 1}),
    ("tinyshakespeare", "zoo.language.texts"): (lambda: [TEXT], {"train": 1, "test": 1}),
    ("sst2", "zoo.language.classification.corpora.sst2"): (
        sst2_release,
        {"train": 2, "dev": 2, "test": 2},
    ),
    ("multi30k", "zoo.language.translation.corpora.multi30k"): (
        multi30k_release,
        {"train": 2, "val": 2, "test_2016_flickr": 2},
    ),
    ("omniglot_strokes", "zoo.vision_language.handwriting.corpora.omniglot_strokes"): (
        omniglot_release,
        {"train": 2, "valid": 2, "test": 2},
    ),
    ("gw_online", "zoo.vision_language.handwriting.corpora.gw_online"): (
        gw_release,
        {"train": 1, "test": 1},
    ),
    ("timeseries", "zoo.timeseries.forecasting.corpora.laser"): (
        laser_release,
        {"train": 1, "test": 1},
    ),
    ("timeseries", "zoo.timeseries.forecasting.corpora.sunspots"): (
        sunspots_release,
        {"train": 1, "dev": 1, "test": 1},
    ),
    ("timeseries", "zoo.timeseries.forecasting.corpora.nn5"): (
        nn5_release,
        {"train": 2, "test": 2},
    ),
    ("timeseries", "zoo.timeseries.classification.corpora.japanese_vowels"): (
        vowels_release,
        {"train": 2, "test": 2},
    ),
}


def serve(monkeypatch, server, *group):
    """Let the corpora of one name be downloaded from a server.

    Args:
        group: pairs of a corpus and the contents of its files.
    """
    changed = []
    for corpus, files in group:
        downloads = []
        for number, (declared, content) in enumerate(zip(corpus.downloads, files, strict=True)):
            path = f"/{corpus.name}/{number}/{declared.url.rpartition('/')[2]}"
            server.files[path] = content
            checksum = sha256(content) if declared.checksum else ""
            url, size = server.url + path, len(content)
            downloads.append(replace(declared, url=url, size=size, checksum=checksum))
        changed.append(replace(corpus, downloads=tuple(downloads)))
    monkeypatch.setattr(module, "corpora_of", {changed[0].name: tuple(changed)}.__getitem__)


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.delenv(download.OFFLINE_VARIABLE, raising=False)
    monkeypatch.setenv("ZOO_DATA", str(tmp_path))


@pytest.fixture
def server():
    with publisher() as state:
        yield state


@pytest.fixture
def shakespeare(monkeypatch, server):
    """Serve Tiny Shakespeare, and return the path of its file on the server."""
    serve(monkeypatch, server, (SHAKESPEARE, [TEXT]))
    return next(iter(server.files))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_every_declared_download_is_tested():
    declared = {key for key, corpus in CORPORA.items() if corpus.downloads}
    assert set(RELEASES) == {key for key in declared if key in RELEASES}
    assert {name for name, _ in RELEASES} == set(module.downloadable())


@pytest.mark.parametrize("key", RELEASES, ids=lambda key: f"{key[0]}-{key[1].rpartition('.')[2]}")
def test_release_of_the_publisher_is_read(key, server, tmp_path, monkeypatch):
    make, expected = RELEASES[key]
    serve(monkeypatch, server, (CORPORA[key], make()))
    corpus = CORPORA[key]
    result = zoo.fetch(corpus.name, accept_licence=True)
    (part,) = result.corpora[0]["parts"]
    assert expected in (None, part["splits"])
    assert names(tmp_path) == [corpus.name]
    assert {corpus_record.SAME, corpus_record.OTHER_SIGNALS}.isdisjoint(part["presets"].values())
    # A second call only checks the folder.
    before = len(server.requests)
    assert zoo.fetch(corpus.name).corpora == result.corpora
    assert len(server.requests) == before


def test_corpora_of_one_name_share_a_folder(server, monkeypatch):
    keys = [key for key in RELEASES if key[0] == "timeseries"]
    serve(monkeypatch, server, *((CORPORA[key], RELEASES[key][0]()) for key in keys))
    parts = zoo.fetch("timeseries").corpora[0]["parts"]
    assert [part["splits"] for part in parts] == [RELEASES[key][1] for key in keys]


def test_corpora_of_several_families_share_a_download(server, monkeypatch):
    """AN4's recordings, their phonemes, and its dictionary are three corpora."""
    content = an4_release()
    serve(monkeypatch, server, *((c, content if c.downloads else []) for c in corpora()["an4"]))
    parts = zoo.fetch("an4").corpora[0]["parts"]
    assert len(parts) == 3
    presets = {name for part in parts for name in part["presets"]}
    assert {"speech/bilstm-ctc-an4", "speech/lstm-ctc-phoneme-an4"} <= presets
    assert "language/bilstm-tagger-an4" in presets


@pytest.mark.parametrize("name", ["an4", "fsdd"])
def test_content_does_not_depend_on_the_file_format(name, server, tmp_path, monkeypatch):
    """The clips of the tests are FLAC files, AN4 is released in SPHERE, and FSDD in WAV."""
    key = next(key for key in RELEASES if key[0] == name)
    corpus = CORPORA[key]
    serve(monkeypatch, server, (corpus, RELEASES[key][0]()))
    zoo.fetch(name)
    assert read_splits(corpus, tmp_path / name) == read_splits(corpus, DATA / name)


def test_corpus_is_compared_with_that_of_the_presets(shakespeare, tmp_path, monkeypatch, run_zoo):
    cells = ("charlstm", "lstm-block", "mingru", "rglru")
    preset, *others = (f"language/{cell}-shakespeare" for cell in cells)
    (part,) = zoo.fetch("tinyshakespeare").corpora[0]["parts"]
    assert part["presets"] == dict.fromkeys((preset, *others), corpus_record.OTHER)
    content = read_splits(SHAKESPEARE, tmp_path / "tinyshakespeare")
    monkeypatch.setattr(module, "recorded", lambda name: content)
    line = f"{preset} was trained and evaluated on the same examples"
    assert line in run_zoo("fetch", "tinyshakespeare").out
    signals = {name: row | {"signals": "0"} for name, row in content.items()}
    monkeypatch.setattr(module, "recorded", lambda name: signals)
    assert "but other recordings" in run_zoo("fetch", "tinyshakespeare").out


def test_train_and_show_name_the_command(refused, run_zoo, tmp_path):
    line = refused("train", "speech/bilstm-ctc-an4", "--out", tmp_path / "run")
    assert "Get it: zoo fetch an4. Or give its folder with --data" in line
    assert "zoo fetch ptb --accept-licence" in run_zoo("show", "language/rnn-ptb").out


def test_default_folder_is_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("ZOO_DATA")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    assert module.data_root() == tmp_path / "cache/data"
    monkeypatch.delenv("ZOO_CACHE")
    assert module.data_root().parts[-2:] == ("zoo", "data")


def test_restricted_licence_must_be_accepted(server, monkeypatch, tmp_path, refused, run_zoo):
    key = next(key for key in RELEASES if key[0] == "ptb")
    serve(monkeypatch, server, (CORPORA[key], ptb_release()))
    line = refused("fetch", "ptb")
    assert "derived from LDC's Treebank; free for research" in line
    assert "--accept-licence" in line
    assert not server.requests
    assert not list(tmp_path.iterdir())
    assert run_zoo("fetch", "ptb", "--accept-licence").status == 0


def test_corpus_with_an_account_has_instructions_and_a_check(tmp_path, refused, run_zoo):
    line = refused("fetch", "right_whale_upcalls")
    assert "https://www.kaggle.com/c/whale-detection-challenge" in line
    assert f"Its folder is {tmp_path / 'right_whale_upcalls'}" in line
    (tmp_path / "right_whale_upcalls").mkdir()
    assert "spectrograms.npz is missing" in refused("fetch", "right_whale_upcalls")
    clips, labels = np.zeros((2, 50, 101), np.uint8), np.array([0, 1])
    np.savez(
        tmp_path / "right_whale_upcalls/spectrograms.npz",
        x_train=clips, y_train=labels, x_test=clips, y_test=labels,
    )  # fmt: skip
    answer = run_zoo("fetch", "right_whale_upcalls")
    assert answer.status == 0
    assert "Examples: 2 train, 2 test" in answer.out
    assert "speech/crnn-right-whale was trained and evaluated on other examples" in answer.out


def test_unknown_names_and_bad_usage(refused):
    assert "Did you mean 'an4'?" in refused("fetch", "an5")
    assert "Give the name of a corpus, or --all" in refused("fetch")
    assert "Give the name of a corpus, or --all" in refused("fetch", "an4", "--all")


def test_one_failure_does_not_stop_others(shakespeare, monkeypatch, run_zoo):
    fetchable = module.corpora_of
    whales = (RIGHT_WHALE,)
    monkeypatch.setattr(
        module, "corpora_of", lambda name: whales if name == RIGHT_WHALE.name else fetchable(name)
    )
    answer = run_zoo("fetch", RIGHT_WHALE.name, "tinyshakespeare", "--json")
    assert answer.status == 1
    assert [corpus["name"] for corpus in answer.json["corpora"]] == ["tinyshakespeare"]
    assert "needs an account" in answer.json["errors"][RIGHT_WHALE.name].replace(
        "need an", "needs an"
    )


def test_offline(shakespeare, server, monkeypatch, refused, run_zoo):
    monkeypatch.setenv(download.OFFLINE_VARIABLE, "1")
    assert "which ZOO_OFFLINE forbids" in refused("fetch", "tinyshakespeare")
    assert not server.requests
    monkeypatch.delenv(download.OFFLINE_VARIABLE)
    zoo.fetch("tinyshakespeare")
    monkeypatch.setenv(download.OFFLINE_VARIABLE, "1")
    assert run_zoo("fetch", "tinyshakespeare").status == 0


def test_nothing_is_half_written_and_the_next_call_continues(shakespeare, server, tmp_path):
    server.cuts = [100] + [0] * download.ATTEMPTS
    with pytest.raises(ZooError, match="The next call continues"):
        zoo.fetch("tinyshakespeare")
    assert not (tmp_path / "tinyshakespeare").exists()
    server.cuts = []
    zoo.fetch("tinyshakespeare")
    assert server.requests[-1] == (shakespeare, "bytes=100-")
    assert names(tmp_path) == ["tinyshakespeare"]


def test_hostile_and_damaged_archives(server, tmp_path, monkeypatch):
    """Archives without a declared checksum are downloaded again after an error."""
    key = next(key for key in RELEASES if key[0] == "gw_online")
    good = gw_release()
    for content, match in (
        (zipped({"a/../../2700270/1_x.txt": b"x"}), "is not a path below a folder"),
        (b"not an archive", "is not a valid archive"),
        (good[0][:-30], "is not a valid archive"),
        (zipped({"x/2700270/1_the.txt": b"the\nno numbers\n"}), 'a line "x y pen_up"'),
        (b"<html>Please log in</html>", "sent a web page"),
    ):
        serve(monkeypatch, server, (CORPORA[key], [content]))
        with pytest.raises(ZooError, match=match) as caught:
            zoo.fetch("gw_online", accept_licence=True)
        assert ".part-" not in str(caught.value)
        assert names(tmp_path) == [".gw_online.download"]
    serve(monkeypatch, server, (CORPORA[key], good))
    zoo.fetch("gw_online", accept_licence=True)
    assert names(tmp_path) == ["gw_online"]


def test_two_processes(shakespeare, tmp_path):
    with locked(tmp_path / ".tinyshakespeare.lock"), pytest.raises(ZooError, match="is in use"):
        zoo.fetch("tinyshakespeare")
    zoo.fetch("tinyshakespeare")


def test_folder_that_cannot_be_written(shakespeare, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ZooError, match="cannot be written"):
        zoo.fetch("tinyshakespeare", data=tmp_path / "file")


KILLED = """
import sys
from dataclasses import replace
from zoo.api import fetch
from zoo.cli.main import main
from zoo.common.core.corpora import corpora
corpus = corpora()["tinyshakespeare"][0]
declared = replace(corpus.downloads[0], url=sys.argv[1], size=int(sys.argv[2]), checksum=sys.argv[3])
fetch.corpora_of = {"tinyshakespeare": (replace(corpus, downloads=(declared,)),)}.__getitem__
sys.exit(main(["fetch", "tinyshakespeare"]))
"""


@pytest.mark.slow
def test_ten_kills_during_a_download(server, tmp_path):
    """The eleventh call completes the file. No byte that was written is transferred again."""
    content = np.random.default_rng(0).integers(97, 122, 3_000_000, np.uint8).tobytes()
    server.files["/input.txt"], server.block, server.pause = content, 10_000, 0.02
    code = [
        sys.executable,
        "-c",
        KILLED,
        f"{server.url}/input.txt",
        str(len(content)),
        sha256(content),
    ]
    part, sizes = tmp_path / ".tinyshakespeare.download/0-input.txt.part", [0]
    for kill in range(10):
        process = subprocess.Popen(code, stderr=subprocess.DEVNULL)
        while process.poll() is None:
            if part.exists() and part.stat().st_size > sizes[-1] + 50_000 * (kill + 1) ** 0.5:
                break
        process.kill()
        assert process.wait() == -9
        sizes.append(part.stat().st_size)
        assert not (tmp_path / "tinyshakespeare").exists()
    server.pause = 0
    done = subprocess.run(code, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tinyshakespeare/input.txt").read_bytes() == content
    assert names(tmp_path) == ["tinyshakespeare"]
    asked = [int(wanted.strip("bytes=-") or 0) for _, wanted in server.requests]
    assert asked == sizes


@pytest.mark.slow
def test_two_processes_at_the_same_time(server, tmp_path):
    server.files["/input.txt"], server.block, server.pause = TEXT, 50, 0.1
    code = [sys.executable, "-c", KILLED, f"{server.url}/input.txt", str(len(TEXT)), sha256(TEXT)]
    started = [subprocess.Popen(code, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [process.communicate()[1].strip().split("\n")[-1] for process in started]
    assert sorted(process.returncode for process in started) in ([0, 1], [0, 0])
    for process, line in zip(started, lines, strict=True):
        assert process.returncode == 0 or "is in use: process" in line
    assert names(tmp_path) == ["tinyshakespeare"]
    assert json.loads(json.dumps(lines))
