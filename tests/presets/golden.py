"""Golden outputs: a summary of each graph of a preset on the first of its example inputs.

`python -m tests.presets.golden NAME...` writes the outputs of new presets into `golden.json`.
"""

import json
import sys
from pathlib import Path

import numpy as np

import zoo

PATH = Path(__file__).with_name("golden.json")
# Number of elements of an output that are stored.
FIRST = 6


def summary(output) -> dict:
    """Return shape, mean, standard deviation and first elements of an output."""
    values = np.asarray(output).reshape(-1).astype(np.float64)
    return {
        "shape": list(np.shape(output)),
        "mean": float(values.mean()),
        "std": float(values.std()),
        "first": values[:FIRST].tolist(),
    }


def golden_outputs(name: str) -> dict:
    """Return the summary of each output of each graph of a preset."""
    preset = zoo.load(name)
    inputs = preset.recipe.data.example_inputs(preset.recipe.model, preset.recipe.decoder)
    return {
        graph: {
            output: summary(value) for output, value in sorted(function(**inputs[graph][0]).items())
        }
        for graph, function in preset.graphs.items()
        if inputs.get(graph)
    }


if __name__ == "__main__":
    golden = json.loads(PATH.read_text()) if PATH.exists() else {}
    golden |= {name: golden_outputs(name) for name in sys.argv[1:]}
    PATH.write_text(json.dumps(dict(sorted(golden.items())), indent=1) + "\n")
