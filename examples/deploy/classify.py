"""Classify a recording or an array: python classify.py EXPORT hello.wav

The input may also be a NumPy file with the input of the graph without the batch axis: a spectrogram,
joints, pictures or channels, [time, ...]. The script prints the answer of `zoo predict` and its
probability.
"""

import sys

import numpy as np
from graphs import open_export
from inputs import read_wav

graphs, signature = open_export(sys.argv[1])
(name,) = signature["graphs"]["model"]["inputs"].keys() - {"lengths"}
if sys.argv[2].endswith(".wav"):
    values = read_wav(sys.argv[2], signature["sample_rate"])
else:
    values = np.load(sys.argv[2]).astype(np.float32)
inputs = {name: values[np.newaxis], "lengths": np.array([len(values)], np.int32)}
logits = graphs["model"](**inputs)["logits"][0]
probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
print(signature["labels"][probabilities.argmax()], round(float(probabilities.max()), 4))
