"""The site of the documentation: its pages, its links, and the diagram of the packages."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

REPOSITORY = Path(__file__).parents[1]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
NUMBER = re.compile(r"-?[0-9.]+")
ARCHITECTURE = runpy.run_path(str(REPOSITORY / "tools" / "architecture.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the folder of the site, built with warnings as errors."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_public_functions_have_their_documentation(site):
    page = (site / "api" / "zoo.html").read_text("utf-8")
    for name in zoo.__all__:
        assert f'id="zoo.{name}"' in page, name
    assert "Download corpora from their publishers" in page


def test_the_site_needs_no_network(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(
            r'<(?:script|img|link)[^>]+(?:src|href)="(https?:[^"]+)', page.read_text()
        )
        assert not loaded, page


def test_links_to_files_of_the_repository_open_copies(site):
    assert "import" in (site / "files" / "examples" / "deploy" / "transcribe.py").read_text()
    assert "files/examples/deploy/transcribe.py" in (site / "deploy.html").read_text("utf-8")


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_click_on_the_head_of_a_column_sorts_the_presets(site):
    playwright = pytest.importorskip("playwright.sync_api")
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page()
        page.goto((site / "presets.html").as_uri())
        table = page.locator("article table").first
        heads = table.locator("th").all_inner_texts()

        def click(column):
            table.locator("th").nth(heads.index(column)).click()
            return table.locator(f"td:nth-child({heads.index(column) + 1})").all_inner_texts()

        names = click("preset")
        assert names == sorted(names)
        assert click("preset") == names[::-1]
        for column in ("test", "interval", "published", "parameters", "MB", "ONNX, ms"):
            for reverse in (False, True):
                cells = click(column)
                known = [cell for cell in cells if cell != "-"]
                assert cells == known + ["-"] * (len(cells) - len(known))
                values = [float(NUMBER.search(cell.replace(",", ""))[0]) for cell in known]
                assert values == sorted(values, reverse=reverse), column
        browser.close()


def test_the_diagram_shows_the_imports():
    graph = ARCHITECTURE["imports"]()
    assert ARCHITECTURE["PATH"].read_text("utf-8") == ARCHITECTURE["draw"](graph)


def test_no_arrow_of_the_diagram_passes_behind_a_box():
    graph, hidden = ARCHITECTURE["imports"](), ARCHITECTURE["hidden"]
    assert not hidden(graph, ARCHITECTURE["arranged"](graph))
    chain = {"a": {"b", "c"}, "b": set(), "c": {"d"}, "d": set()}
    middle = {"a": (500, 20), "b": (500, 94 + 74), "c": (500, 94), "d": (800, 168)}
    assert hidden(chain, middle) == [("a", "b", "c")]


def test_excerpts_of_files_are_real():
    page = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    recipe, metrics = map(json.loads, re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    folder = REPOSITORY / "saved_models" / recipe["name"]
    for part, file in ((recipe, "recipe.json"), (metrics, "metrics.json")):
        assert_contains(json.loads((folder / file).read_text("utf-8")), part)


def assert_contains(whole, part):
    """Assert that every value of an excerpt is in the file."""
    if isinstance(part, dict):
        for key, value in part.items():
            assert_contains(whole[key], value)
    elif part and isinstance(part, list) and isinstance(part[0], dict):
        for one, other in zip(whole, part, strict=False):
            assert_contains(one, other)
    else:
        assert whole == part
