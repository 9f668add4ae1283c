"""The cards of all shipped presets."""

import re

import pytest

from zoo.common.presets import card, store
from zoo.common.presets.measurements import read_metrics

FOLDERS = [path.parent for path in sorted(store.ROOT.glob(f"*/*/{store.RECIPE_FILE}"))]
SECTIONS = [
    "Use",
    "Limits",
    "Failures",
    "Figures",
    "Baseline",
    "Published reference",
    "Robustness",
    "Speed and size",
    "Training",
    "Corpus and licence",
]


def sections(folder) -> dict[str, str]:
    text = (folder / store.CARD_FILE).read_text("utf-8")
    _, *parts = re.split(r"^## (.*)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], map(str.strip, parts[1::2]), strict=True))


def test_there_are_presets():
    assert len(FOLDERS) > 40


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_card_has_the_same_sections(folder):
    found = sections(folder)
    assert list(found) == SECTIONS
    assert all(found.values())
    assert found["Limits"] != card.NOT_STATED
    metrics = read_metrics(folder)
    for title, key in (
        ("Failures", "failures"),
        ("Baseline", "baseline"),
        ("Robustness", "robustness"),
    ):
        assert (found[title] == card.NOT_MEASURED) == (key not in metrics), title
    processors = metrics["training"].get("processors")
    hardware = f"{processors} CPU cores" if processors else "hardware: not measured"
    assert f" minutes ({hardware})." in found["Training"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_cards_equal_what_the_tool_writes(folder, monkeypatch):
    written = {}
    monkeypatch.setattr(card, "write_text", lambda path, text: written.update({path: text}))
    card.write_card(folder)
    path = folder / store.CARD_FILE
    assert written == {path: path.read_text("utf-8")}, "run `make results`"
