"""The notebooks in `examples/` run from top to bottom, and hold the kinds of output that they give."""

import re

import pytest

from tools import notebooks

PATHS = pytest.mark.parametrize(
    "path", sorted(notebooks.EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem
)
# A reader downloads the outputs with the repository.
MAX_BYTES = 500_000


def kinds(notebook):
    """Return the kinds of output of each cell: MIME types, or the name of a stream."""
    return [
        [sorted(output.get("data", {})) or output.get("name") for output in cell.get("outputs", [])]
        for cell in notebook.cells
    ]


@PATHS
def test_a_notebook_has_results_and_nothing_of_the_machine(path):
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    assert path.stat().st_size < MAX_BYTES
    assert "/".join(map(str, kinds(notebook))).count("image/png") >= 1
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        texts = [str(output) for output in cell.outputs]
        assert not re.search(r"/(tmp|work|home|root)/|Warning|Traceback", "\n".join(texts))


@pytest.mark.slow
@PATHS
def test_a_notebook_runs(path, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    notebook = notebooks.execute(path, tmp_path)
    notebooks.clean(notebook)
    assert kinds(notebook) == kinds(nbformat.read(path, as_version=4))
