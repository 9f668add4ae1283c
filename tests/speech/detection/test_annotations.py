"""Annotated recordings as training data: their files, the cut windows, and invalid rows."""

import json

import numpy as np
import pytest
import soundfile

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.detection.annotations import Event, read_annotations
from zoo.speech.detection.cutting import read_cuts
from zoo.speech.detection.formats import detection_formats

RATE, SECONDS = 2_000, 20
# Begin, end and class of the sounds in the recording.
EVENTS = ((1.5, 2.0, "low"), (7.25, 8.0, "high"), (8.5, 8.75, "low"))


def write_recording(path, events=EVENTS, rate=RATE):
    """Write noise at -80 dB with tones at events. The value of a sample states its time."""
    time = np.arange(SECONDS * rate) / rate
    samples = 1e-4 * np.random.default_rng(0).standard_normal(len(time))
    for begin, end, label in events:
        inside = (time >= begin) & (time < end)
        frequency = {"low": 100, "high": 400}.get(label, 250)
        samples[inside] += 0.3 * np.sin(2 * np.pi * frequency * time[inside])
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture
def recording(tmp_path):
    return write_recording(tmp_path / "buoy.wav")


def table(columns, rows, mark):
    return "\n".join(mark.join(map(str, row)) for row in (columns, *rows)) + "\n"


RAVEN_COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Species",
)
RAVEN = table(
    RAVEN_COLUMNS,
    [
        (i, view, 1, begin, end, 50, 200, label)
        for i, (begin, end, label) in enumerate(EVENTS, start=1)
        for view in ("Waveform 1", "Spectrogram 1")
    ],
    "\t",
)
OFFSETS = table(
    ["Begin Time (s)", "End Time (s)", "Begin Path", "File Offset (s)", "Annotation"],
    [(3600 + b, 3600 + e, r"D:\sea\buoy.wav", b, label) for b, e, label in EVENTS],
    "\t",
)
CSV = table(
    ["file", "begin", "end", "label", "low", "high"],
    [("buoy.wav", begin, end, label, 50, "") for begin, end, label in reversed(EVENTS)],
    ",",
)
BIRDNET = table(
    ["Start (s)", "End (s)", "Label", "Confidence", "File", "Error"],
    [
        *((begin, end, label, 0.9, "buoy.wav", "") for begin, end, label in EVENTS),
        ("", "", "", "", "other.wav", "truncated"),
    ],
    ";",
)
DCASE = table(
    ["filename", "onset", "offset", "event_label"], [("buoy.wav", *event) for event in EVENTS], "\t"
)
AUDACITY = "".join(f"{b:.6f}\t{e:.6f}\t{label}\n\\\t50.0\t200.0\n" for b, e, label in EVENTS)
FOUND = "".join(f"{b:.6f}\t{e:.6f}\t{label} 0.9876\n" for b, e, label in EVENTS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("buoy.Table.1.selections.txt", RAVEN),
        ("all.selections.txt", OFFSETS),
        ("calls.csv", CSV),
        ("found.csv", BIRDNET),
        ("calls.tsv", DCASE),
        ("buoy.txt", AUDACITY),
        ("buoy.labels.txt", FOUND),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_files_of_annotations(recording, name, text, encoding):
    path = recording.with_name(name)
    path.write_text(text, encoding=encoding)
    (one,) = read_annotations(path)
    assert one.events == tuple(Event(*event) for event in EVENTS)
    assert (one.path, one.seconds, one.group) == (recording, SECONDS, "")
    (again,) = read_annotations(path.parent)
    assert again == one


def test_own_output_reads_back(recording):
    """The detections of a preset, in each format of `zoo predict`."""
    recipe = entry("speech/crnn-right-whale").recipe()
    formats = detection_formats(recipe.task, recipe.decoder, 2, recipe.data.features)
    detections = [
        {"begin": begin, "end": end, "label": label, "confidence": 0.91234}
        for begin, end, label in EVENTS
    ]
    answers = [{"input": str(recording), "detections": detections}]
    for name, suffix in (
        ("csv", ".csv"),
        ("audacity", ".labels.txt"),
        ("raven", ".selections.txt"),
    ):
        path = recording.with_name("buoy" + suffix)
        path.write_text("".join(f"{line}\n" for line in formats[name].lines(answers)))
        (one,) = read_annotations(path)
        assert one.events == tuple(Event(*event) for event in EVENTS)
        path.unlink()


def test_own_output_in_json_reads_back(recording, tmp_path):
    """The files that `zoo predict` writes, with a recording without events and one with an error."""
    quiet = write_recording(tmp_path / "quiet.wav", ())
    detections = [{"begin": b, "end": e, "label": name, "confidence": 1.0} for b, e, name in EVENTS]
    answers = [
        {"input": str(recording), "output": "3 detections", "detections": detections},
        {"input": "quiet.wav", "output": "no detections", "detections": []},
        {"input": "other.wav", "error": "no such file"},
        {"input": str(tmp_path / "clip.wav"), "output": "low", "probability": 0.9, "seconds": 20.0},
    ]
    clip = write_recording(tmp_path / "clip.wav")
    texts = {
        "found.json": json.dumps({"preset": "runs/calls", "predictions": answers}),
        "found.jsonl": "".join(json.dumps(answer) + "\n" for answer in answers),
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.write_text(text)
        found = {one.path: one.events for one in read_annotations(path)}
        assert found == {
            recording: tuple(Event(*event) for event in EVENTS),
            quiet: (),
            clip: (Event(0.0, 20.0, "low"),),
        }
        assert len(read_annotations(tmp_path)) == 3
        path.unlink()


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ({"input": "no.wav", "detections": []}, "line 1: there is no recording 'no.wav'"),
        ({"predictions": [{"output": "a"}]}, "line 1: no text under the key 'input'"),
        ({"input": "buoy.wav", "detections": [3]}, "line 1: the detections must be a list of obj"),
        (
            {"input": "buoy.wav", "detections": [{"end": 2, "label": "low"}]},
            "line 1: begin must be a number of seconds. Received: 'None'",
        ),
        (
            {"input": "buoy.wav", "detections": [{"begin": 1, "end": 2}]},
            "line 1: no text under the key 'label'",
        ),
        ({"predictions": [3]}, "line 1: the predictions must be a list of objects"),
    ],
)
def test_invalid_json(recording, prediction, message):
    path = recording.with_name("found.json")
    path.write_text(json.dumps(prediction))
    with pytest.raises(ZooError, match=message):
        read_annotations(path)


def test_folder_of_annotations(tmp_path, capsys):
    """Recordings without events are background; those without an annotation are left out."""
    for name in ("a/one", "b/two", "b/three", "b/four"):
        write_recording(tmp_path / f"{name}.WAV")
    (tmp_path / "a/one.txt").write_text(AUDACITY)
    (tmp_path / "b/two.selections.txt").write_text(RAVEN.splitlines()[0] + "\n")
    (tmp_path / "b/three.txt").write_text("")
    (tmp_path / "README.txt").write_text("Recordings of 2024, by the club.\n")
    found = read_annotations(tmp_path)
    assert [(one.path.name, len(one.events)) for one in found] == [
        ("one.WAV", 3),
        ("three.WAV", 0),
        ("two.WAV", 0),
    ]
    assert "1 recording(s) without an annotation, such as" in capsys.readouterr().err


def test_windows_of_events_and_background(recording):
    path = recording.with_name("calls.csv")
    path.write_text(CSV)
    cuts = read_cuts(path, 2.0, "none")
    events, rest = cuts[:3], cuts[3:]
    for cut, (begin, end, label) in zip(events, EVENTS, strict=True):
        assert cut.label == label
        assert cut.excerpt.seconds == 2
        assert 0 <= cut.excerpt.earliest <= begin
        assert end <= cut.excerpt.latest + 2 <= SECONDS
    assert events[0].excerpt == Excerpt(0.0, 1.5, 2.0)
    # 5.25 s between the first two events, and 11.25 s after the last: 2 and 5 windows.
    assert [cut.label for cut in rest] == ["none"] * 7
    for cut in rest:
        span = (cut.excerpt.earliest, cut.excerpt.latest + 2)
        assert all(span[1] <= begin or span[0] >= end for begin, end, _ in EVENTS)
    assert {cut.group for cut in cuts} == {str(recording)}
    assert len({cut.id for cut in cuts}) == len(cuts)
    assert [cut.label for cut in read_cuts(path, 2.0, None)] == ["low", "high", "low"]


def test_windows_of_sounds_and_of_long_events(recording):
    path = recording.with_name("calls.csv")
    path.write_text(CSV)
    cut = read_cuts(path, 1.5, None, margin=0.1)[1]
    assert cut.excerpt.seconds == pytest.approx(0.95)
    assert cut.excerpt.earliest == pytest.approx(7.05)
    assert cut.excerpt.latest == 7.25
    (long, *_) = read_cuts(path, 0.25, None)
    assert long.excerpt == Excerpt(1.5, 1.75, 0.25)


def test_groups_and_splits(tmp_path):
    rows = [("a.wav", 1, 2, "low", "north", "train"), ("b.wav", 3, 4, "high", "south", "dev")]
    for name in ("a.wav", "b.wav"):
        write_recording(tmp_path / name)
    path = tmp_path / "calls.csv"
    path.write_text(table(["file", "begin", "end", "label", "group", "split"], rows, ","))
    data = entry("speech/crnn-right-whale").recipe().from_scratch().data
    examples = data.read_manifest(path)
    assert {(e.group, e.split) for e in examples} == {("north", "train"), ("south", "dev")}
    assert {data.group_of(e) for e in examples} == {"north", "south"}


def test_class_folders(tmp_path):
    for name in ("song/t1/a.wav", "song/t2/b.wav", "noise/c.wav"):
        write_recording(tmp_path / name)
    cuts = read_cuts(tmp_path, 2.0, "none")
    assert [(cut.label, cut.group) for cut in cuts] == [
        ("noise", ""),
        ("song", "t1"),
        ("song", "t2"),
    ]
    write_recording(tmp_path / "d.wav")
    with pytest.raises(ZooError, match=r"in a folder for each class. Received: d\.wav in neither"):
        read_cuts(tmp_path, 2.0, "none")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize("rate", [2_000, 8_000])
def test_excerpts_are_parts_of_the_recording(tmp_path, suffix, rate):
    from zoo.speech.audio.reading import read_audio

    path = write_recording(tmp_path / f"a{suffix}", rate=8_000)
    whole = read_audio(path, rate)
    part = Excerpt(7.0, 7.5, 1.0).read(path, rate)
    begin = round(7.25 * rate)
    np.testing.assert_allclose(part, whole[begin : begin + rate], atol=2e-3)
    last = Excerpt(18.5, 19.0, 1.0)
    assert {len(last.read(path, rate, begin)) for begin in (18.5, 18.7, 19.0)} == {rate}
    begins = [last.draw(np.random.default_rng(i)) for i in range(20)]
    assert 18.5 <= min(begins) < 18.6 < 18.9 < max(begins) <= 19


def test_training_windows_are_drawn_anew(recording):
    """The begin of a window depends on the epoch, for spectrograms and for waveforms."""
    path = recording.with_name("calls.csv")
    path.write_text(CSV)
    recipe = entry("speech/crnn-right-whale").recipe().from_scratch()
    examples = recipe.data.read_manifest(path)
    recipe = recipe.adapt(examples)
    assert recipe.data.labels.symbols == ("high", "low", "none")
    epochs = [
        {
            tuple(ids): x["spectrogram"]
            for x, _, ids in recipe.data.batches(examples, recipe.model, None, e)
        }
        for e in (Epoch(0, 32, 0), Epoch(0, 32, 0), Epoch(1, 32, 0))
    ]
    first, again, _ = epochs
    assert all(np.array_equal(first[ids], again[ids]) for ids in first)
    digits = entry("speech/tdnn-fsdd").recipe().from_scratch()
    digits = digits.override({"data.window": 1.0, "model.features.high_hz": 950.0})
    sounds = digits.data.read_manifest(path)
    digits = digits.adapt(sounds)
    kept, left_out = digits.data.filter_examples(sounds, digits.model)
    assert len(kept) == len(sounds)
    assert not left_out
    waveforms = [
        digits.data.training_waveform(sounds[1], digits.model, Epoch(number, 8, 0))
        for number in (0, 0, 1)
    ]
    assert np.array_equal(waveforms[0], waveforms[1])
    assert not np.array_equal(waveforms[0], waveforms[2])


HEADER = "file,begin,end,label\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("buoy.wav,19,21,low", "events must be inside its 20.00 s. Received: 'low' from 19 to 21"),
        ("buoy.wav,3000,4000,low", "in seconds from the begin of the recording, not in frames"),
        ("buoy.wav,2,2,low", "line 2: end must be after begin. Received: 2 to 2"),
        ("buoy.wav,-1,2,low", "line 2: end must be after begin. Received: -1 to 2"),
        ("buoy.wav,1:02,2,low", "line 2: begin must be a number of seconds. Received: '1:02'"),
        ("buoy.wav,nan,2,low", "begin must be a number of seconds. Received: 'nan'"),
        ("buoy.wav,,,low", "begin must be a number of seconds. Received: ''"),
        ("buoy.wav,1,2,", "line 2: the label is empty"),
        ("bouy.wav,1,2,low", "line 2: there is no recording 'bouy.wav'"),
        (",1,2,low", "line 2: there is no recording ''"),
        ("buoy.wav,1,2,low\nbuoy.wav,1", "line 3: 2 fields where the header has 4"),
    ],
)
def test_invalid_rows(recording, text, message):
    path = recording.with_name("calls.csv")
    path.write_text(HEADER + text + "\n")
    with pytest.raises(ZooError) as caught:
        read_annotations(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.csv",
            b"file,begin_frame,end_frame,label\nbuoy.wav,1,2,a\n",
            "Received: begin_frame, end_fr",
        ),
        (
            "a.csv",
            b"file,begin,end\nbuoy.wav,1,2\n",
            "must have a column of classes, such as label",
        ),
        ("a.csv", b"begin,end,label\n1,2,a\n", "must have a column of recordings, such as file"),
        ("a.txt", b"1.0\t2.0\tlow\n", "there is no recording 'a' in its folder"),
        ("buoy.txt", b"1.0\t2.0\tlow\nlow 3\n", "line 2: a label must be BEGIN, END and a class"),
        ("buoy.txt", b"1.0\t2.0\tfl\xfcstern\n", "line 1: not UTF-8: byte 10 is 0xfc"),
        ("a.csv", HEADER.encode(), "there are no events"),
    ],
)
def test_invalid_files(recording, name, content, message):
    path = recording.with_name(name)
    path.write_bytes(content)
    with pytest.raises(ZooError, match=message):
        read_cuts(path, 2.0, "none")


def test_a_missing_recording_is_not_replaced_by_that_of_the_table(recording):
    """A row without a name means the recording with the name of the table."""
    path = recording.with_name("buoy.csv")
    path.write_text(HEADER + ",1,2,low\n")
    (one,) = read_annotations(path)
    assert one.path == recording
    path.write_text(HEADER + "other.wav,1,2,low\n")
    with pytest.raises(ZooError, match=r"line 2: there is no recording 'other\.wav'"):
        read_annotations(path)


def test_overlapping_events_of_two_classes(recording, capsys):
    path = recording.with_name("calls.csv")
    path.write_text(HEADER + "buoy.wav,1,3,low\nbuoy.wav,2,4,high\nbuoy.wav,2.5,5,high\n")
    (one,) = read_annotations(path)
    assert len(one.events) == 3
    assert "2 event(s) overlap an event of another class" in capsys.readouterr().err


def test_truncated_recording(recording):
    path = recording.with_name("calls.csv")
    path.write_text(CSV)
    recording.write_bytes(recording.read_bytes()[:-1000])
    with pytest.raises(ZooError, match=r"buoy\.wav: truncated"):
        read_annotations(path)
