"""A check for every language model: its states can be carried from any position of a text."""

import numpy as np

from zoo.common.core.states import initial_states, next_states


def check_states_are_carried(recipe, graphs, tokens):
    """Check that the outputs over parts of int [rows, 40] are those of one pass."""
    specs = recipe.model.states
    states = initial_states(specs, len(tokens))
    whole = graphs["step"](tokens=tokens, **states)
    parts = []
    for start, end in ((0, 1), (1, 2), (2, 30), (30, 40)):
        outputs = graphs["step"](tokens=tokens[:, start:end], **states)
        states = next_states(specs, outputs)
        parts.append(outputs["logits"])
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole["logits"], atol=1e-4)
    for name, state in next_states(specs, whole).items():
        np.testing.assert_allclose(states[name], state, atol=1e-5)
