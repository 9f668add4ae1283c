"""The next values of a series: python forecast.py EXPORT series.txt STEPS [covariates.npy]

The file has a number a line. Of a model with covariates, a NumPy file has what is known of the values
that the model reads and of whole calls after them, [context + steps, columns]. The answer of `zoo
predict PRESET series.txt --horizon STEPS`.
"""

import sys

import numpy as np
from graphs import open_export

graphs, signature = open_export(sys.argv[1])
_, context = signature["graphs"]["model"]["inputs"]["series"]["shape"]
_, steps = signature["graphs"]["model"]["outputs"]["forecast"]["shape"]
series, horizon = np.loadtxt(sys.argv[2], np.float32)[-context:], int(sys.argv[3])
known = np.load(sys.argv[4]).astype(np.float32) if len(sys.argv) > 4 else None
for begin in range(0, horizon, steps):
    inputs = {"series": series[np.newaxis, -context:]}
    if known is not None:
        inputs["covariates"] = known[np.newaxis, begin : begin + context + steps]
    series = np.concatenate([series, graphs["model"](**inputs)["forecast"][0]])
print(" ".join(f"{value:.6g}" for value in series[context : context + horizon]))
