"""Tests of InkML: the first example of the standard, forms of points, and invalid documents."""

import json
import time

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.vision_language.handwriting.ink import find_ink, parse_ink, read_ink
from zoo.vision_language.handwriting.inkml import parse_inkml

# The first two traces of the first example of the standard, section 1.3.
HELLO = """<ink xmlns="http://www.w3.org/2003/InkML">
<trace>
10 0, 9 14, 8 28, 7 42, 6 56, 6 70, 8 84, 8 98, 8 112, 9 126, 10 140,
13 154, 14 168, 17 182, 18 188, 23 174, 30 160, 38 147, 49 135,
58 124, 72 121, 77 135, 80 149, 82 163, 84 177, 87 191, 93 205
</trace>
<trace>
130 155, 144 159, 158 160, 170 154, 179 143, 179 129, 166 125,
152 128, 140 136, 131 149, 126 163, 124 177, 128 190, 137 200,
150 208, 163 210, 178 208, 192 201, 205 192, 214 180
</trace>
</ink>
"""
ENTITIES = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
BOMB = f"""<?xml version="1.0"?>
<!DOCTYPE ink [<!ENTITY a0 "1 2, ">{ENTITIES}]>
<ink xmlns="http://www.w3.org/2003/InkML"><trace>&a9; 3 4</trace></ink>
"""
OUTSIDE = (
    """<!DOCTYPE ink [<!ENTITY x SYSTEM "file:///etc/passwd">]><ink><trace>&x;</trace></ink>"""
)


def document(*traces: str, form: str = "") -> str:
    body = "".join(f"<trace>{trace}</trace>" for trace in traces)
    return f'<ink xmlns="http://www.w3.org/2003/InkML">{form}{body}</ink>'


def test_the_example_of_the_standard(tmp_path):
    first, second = parse_inkml(HELLO)
    assert (len(first), len(second)) == (27, 20)
    assert first[:2] == [[10, 0], [9, 14]]
    assert second[-1] == [214, 180]
    # A format that is repeated, and a mapping without an effect.
    same = form() + form() + '<mapping type="identity"/>'
    assert parse_inkml(document("1 2, 3 4", form=same)) == [[[1, 2], [3, 4]]]
    path = tmp_path / "hello.inkml"
    path.write_text(HELLO)
    np.testing.assert_array_equal(read_ink(path), parse_ink({"strokes": [first, second]}))


def test_channels_have_the_order_of_the_trace_format():
    form = """<traceFormat><channel name="T"/><channel name="Y" orientation="-ve"/>
    <channel name="X"/><channel name="F"/></traceFormat>"""
    text = document("0 7.5 1 9, 10 -8 2 9", form=form)
    assert parse_inkml(text) == [[[1, -7.5], [2, 8]]]
    with pytest.raises(ZooError, match="X and Y: Y is missing"):
        parse_inkml(document("1 2", form='<traceFormat><channel name="X"/></traceFormat>'))


def test_forms_of_points():
    text = '<ink><trace>!1 !2 ,3 4e1,\n5\t-6.5,</trace><trace type="penUp">7 8</trace></ink>'
    assert parse_inkml(text) == [[[1, 2], [3, 40], [5, -6.5]]]


def test_traces_that_continue_others_are_one_stroke():
    text = (
        '<ink><trace xml:id="a" continuation="begin">1 2, 3 4</trace><trace>9 9</trace>'
        '<trace id="b" continuation="middle" priorRef="#a">5 6</trace>'
        '<trace continuation="end" priorRef="#b">7 8</trace></ink>'
    )
    assert parse_inkml(text) == [[[1, 2], [3, 4], [5, 6], [7, 8]], [[9, 9]]]


def form(**y: str) -> str:
    attributes = "".join(f' {key}="{value}"' for key, value in y.items())
    return f'<traceFormat><channel name="X"/><channel name="Y"{attributes}/></traceFormat>'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (document("1 2, 3 4", form=form() + form(orientation="-ve")), "one traceFormat"),
        (document("1 2, 3 4", form=form(units="cm")), "same units. Received: [None, 'cm']"),
        (document("1 2, 3 4", form='<mapping type="affine"/>'), "mappings and canvas transforms"),
        (document("1 2, 3 4", form="<canvasTransform/>"), "mappings and canvas transforms"),
        (document("1 2, 3 4", form="<definitions><trace>1 2</trace></definitions>"), "definitions"),
        (document("1 2, 3 4", form='<trace continuation="end">1 2</trace>'), "no trace '' that"),
        (BOMB, "must have no document type"),
        (OUTSIDE, "must have no document type"),
        ("<ink>", "invalid XML"),
        ("<ink>&a;</ink>", "invalid XML: undefined entity"),
        ("<svg/>", "the outermost element must be ink. Received: 'svg'"),
        (document(), "must have a trace"),
        (document(""), "at least 2 points. Received: 0"),
        (document("1 2"), "at least 2 points. Received: 1"),
        (document("1 2, 1 2"), "two different points"),
        (document("1 2, nan 3"), "must have finite numbers"),
        (document("1 2, inf 3"), "must have finite numbers"),
        (document("1 2, 3"), "trace 1 must be points of numbers"),
        (document("1 2, 3 4", "1 2, '3 '4"), "trace 2 must be points of numbers"),
        (document("1 2, x y"), "Received: '1 2, x y'"),
        ("<ink>" + "<a>" * 100_000, "invalid XML"),
    ],
)
def test_an_invalid_document_is_an_error_of_one_line(text, error, tmp_path):
    path = tmp_path / "ink.inkml"
    path.write_text(text)
    with pytest.raises(ZooError) as raised:
        read_ink(path)
    assert error in str(raised.value)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_a_large_file_is_an_error_before_it_is_read(tmp_path):
    path = tmp_path / "large.inkml"
    path.write_text(document("1 2, " * 2_000_000 + "3 4"))
    started = time.perf_counter()
    with pytest.raises(ZooError, match=r"it must have at most 4,000,000 bytes. Received: 10,000,0"):
        read_ink(path)
    assert time.perf_counter() - started < 1


def test_an_invalid_file_does_not_stop_the_others(run_zoo, tmp_path):
    for name, text in (("a.inkml", HELLO), ("b.inkml", BOMB), ("note.txt", "no ink")):
        (tmp_path / name).write_text(text)
    below = tmp_path / "below"
    below.mkdir()
    (below / "c.json").write_text(json.dumps({"strokes": parse_inkml(HELLO)}))
    found = [str(path) for path in (tmp_path / "a.inkml", tmp_path / "b.inkml", below / "c.json")]
    assert find_ink(str(tmp_path)) == found
    answer = run_zoo("predict", "vision_language/blstm-ctc-gw-online", tmp_path, "--json")
    assert answer.status == 1
    first, bad, second = answer.json["predictions"]
    assert first["output"] == second["output"] != ""
    assert "no document type" in bad["error"]
    (below / "c.json").unlink()
    with pytest.raises(ZooError, match=r"the folder has no ink \(.inkml .json\)"):
        find_ink(str(below))
