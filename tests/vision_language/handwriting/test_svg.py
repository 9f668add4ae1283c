"""Tests of drawings as SVG: positions of lines and dots."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from zoo.vision_language.handwriting.svg import svg_lines

LINE = [[[0, 0], [30, 60]], [[15, 30]]]
PATH = "{http://www.w3.org/2000/svg}path"


def coordinates(path) -> np.ndarray:
    return np.array(re.findall(r"-?[\d.]+", path.get("d")), float).reshape(-1, 2)


def test_each_drawing_fills_one_cell():
    answers = [{"drawings": [LINE, LINE]}, {"error": "no ink"}, {"drawings": [LINE]}]
    page = ElementTree.fromstring("\n".join(svg_lines(answers)))
    assert page.get("viewBox") == "0 0 200 200"
    first, second, third = page.iter(PATH)
    expected = [[30, 10], [70, 90], [50, 50], [50, 50]]
    assert coordinates(first).tolist() == expected
    assert (coordinates(second) - coordinates(first)).tolist() == [[100, 0]] * 4
    assert (coordinates(third) - coordinates(first)).tolist() == [[0, 100]] * 4
    assert first.get("d").count("M") == 2


def test_a_page_without_drawings_is_empty():
    assert not list(ElementTree.fromstring("\n".join(svg_lines([{"error": "no ink"}]))).iter(PATH))
