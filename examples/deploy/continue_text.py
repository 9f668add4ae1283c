"""Continue a text with a language model: python continue_text.py EXPORT "ROMEO:" [TOKENS [TEMPERATURE]]

With the temperature 0, the default, the script prints the answer of `zoo predict PRESET "ROMEO:"
--sampler greedy --length TOKENS`.
"""

import re
import sys

import numpy as np
from graphs import first_states, next_states, open_export

graphs, signature = open_export(sys.argv[1])
prompt = sys.argv[2]
count = int(sys.argv[3]) if len(sys.argv) > 3 else 50
temperature = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
tokens, start, words = signature["tokens"], signature["start"], signature["tokenization"] == "word"
# The start token of a text is the token that ends a line.
cut = prompt.replace("\n", f" {tokens[start]} ").split() if words else list(prompt)
index = {token: i for i, token in enumerate(tokens)}
read = [start, *(index.get(token, signature.get("unknown")) for token in cut)]
states, generator = first_states(signature), np.random.default_rng(0)
for _ in range(count):
    outputs = graphs["step"](tokens=np.array([read], np.int32), **states)
    states, logits = next_states(signature, outputs, states), outputs["logits"][0, -1].astype(float)
    if "unknown" in signature:
        logits[signature["unknown"]] = -np.inf
    read = [int(logits.argmax())]
    if temperature:
        weights = np.exp((logits - logits.max()) / temperature)
        read = [int(generator.choice(len(tokens), p=weights / weights.sum()))]
    cut += [tokens[read[0]]]
text = (" " if words else "").join(cut)
print(re.sub(f" ?{tokens[start]} ?", "\n", text) if words else text)
