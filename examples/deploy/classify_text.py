"""Classify a text: python classify_text.py EXPORT "A fine film."

The script prints the answer of `zoo predict` and its probability.
"""

import re
import sys
import unicodedata

import numpy as np
from graphs import open_export

graphs, signature = open_export(sys.argv[1])
text = unicodedata.normalize("NFC", sys.argv[2]).lower()
for pattern, replacement in signature["rules"]:
    text = re.sub(pattern, replacement, text, flags=re.ASCII)
index = {token: i for i, token in enumerate(signature["tokens"])}
tokens = [index.get(word, signature["unknown"]) for word in text.split(" ") if word]
inputs = {"tokens": np.array([tokens], np.int32), "lengths": np.array([len(tokens)], np.int32)}
logits = graphs["model"](**inputs)["logits"][0]
probabilities = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
print(signature["labels"][probabilities.argmax()], round(float(probabilities.max()), 4))
