"""The site of the documentation: its pages, its links, and the diagram of the packages."""

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

REPOSITORY = Path(__file__).parents[1]
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


def test_the_diagram_shows_the_imports():
    drawn = ARCHITECTURE["PATH"].read_text("utf-8")
    assert drawn == ARCHITECTURE["draw"](ARCHITECTURE["imports"]())


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
