"""Find the nearest words of a word: python neighbours.py EXPORT king

The script prints the answer of `zoo predict`.
"""

import sys

import numpy as np
from graphs import open_export

graphs, signature = open_export(sys.argv[1])
words, count = signature["tokens"], signature["decoder"]["n_best"]
vectors = graphs["embed"](tokens=np.arange(len(words), dtype=np.int32)[np.newaxis])["vectors"][0]
vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
word = words.index(sys.argv[2])
cosines = vectors @ vectors[word]
cosines[[word, signature["unknown"]]] = -2
print(" ".join(words[i] for i in (-cosines).argsort(kind="stable")[:count]))
