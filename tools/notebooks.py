"""Run the notebooks of `examples/` in a temporary folder, and store their outputs in them.

    python tools/notebooks.py                    # all
    python tools/notebooks.py forecast_tables    # one

Times of execution and messages on stderr are not stored, so that a difference is one of results.
Pictures are stored with at most 256 colours, a third of their size.
"""

import argparse
import base64
import io
import tempfile
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples"
# Seconds that a cell may take.
LIMIT = 600


def execute(path: Path, folder: Path):
    """Return a notebook as an `nbformat.NotebookNode`, with the outputs of its cells.

    Args:
        path: the notebook.
        folder: the working folder of its kernel.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=LIMIT, resources=resources).execute()
    return notebook


def clean(notebook) -> None:
    """Remove what differs between two equal executions, and messages on stderr."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for index, cell in enumerate(notebook.cells):
        cell.id, cell.metadata = f"cell-{index}", {}
        if cell.cell_type == "code":
            cell.outputs = joined([o for o in cell.outputs if o.get("name") != "stderr"])

            for output in cell.outputs:
                if picture := output.get("data", {}).get("image/png"):
                    output.data["image/png"] = shrink(picture)


def joined(outputs: list) -> list:
    """Return outputs in which the parts of a printed text, which differ by time, are one output."""
    kept: list = []
    for output in outputs:
        if kept and output.output_type == kept[-1].output_type == "stream":
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def shrink(picture: str) -> str:
    """Return a PNG in base64 with at most 256 colours."""
    from PIL import Image

    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    small = io.BytesIO()
    few = image.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def main() -> None:
    """Run the notebooks and store their outputs."""
    import nbformat

    names = sorted(path.stem for path in EXAMPLES.glob("*.ipynb"))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", nargs="*", choices=[*names, []], help="default: all")
    for name in parser.parse_args().notebook or names:
        path = EXAMPLES / f"{name}.ipynb"
        with tempfile.TemporaryDirectory() as folder:
            notebook = execute(path, Path(folder))
        clean(notebook)
        nbformat.write(notebook, path)
        print(f"{name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
