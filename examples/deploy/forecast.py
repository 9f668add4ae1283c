"""Forecast the next values of a series: python forecast.py EXPORT series.txt STEPS [covariates.npy]

The text file has one number per line. A model with covariates also needs a NumPy file with the
covariates of its context and of the forecast values, rounded up to whole calls: [context + steps,
columns]. The script prints the answer of `zoo predict PRESET series.txt --horizon STEPS`.
"""

import sys

import numpy as np
from graphs import open_export

graphs, signature = open_export(sys.argv[1])
_, context = signature["graphs"]["model"]["inputs"]["series"]["shape"]
_, steps = signature["graphs"]["model"]["outputs"]["forecast"]["shape"]
series, horizon = np.loadtxt(sys.argv[2], np.float32)[-context:], int(sys.argv[3])
covariates = np.load(sys.argv[4]).astype(np.float32) if len(sys.argv) > 4 else None
for begin in range(0, horizon, steps):
    inputs = {"series": series[np.newaxis, -context:]}
    if covariates is not None:
        inputs["covariates"] = covariates[np.newaxis, begin : begin + context + steps]
    series = np.concatenate([series, graphs["model"](**inputs)["forecast"][0]])
print(" ".join(f"{value:.6g}" for value in series[context : context + horizon]))
