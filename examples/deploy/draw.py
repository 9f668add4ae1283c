"""Generate a drawing as SVG: python draw.py EXPORT [SEED [BIAS]] > drawing.svg

The script prints the drawing of `zoo predict PRESET new --seed SEED --bias BIAS`. It samples from the
density in section 4.1 of Graves, "Generating sequences with recurrent neural networks" (2013).
"""

import sys

import numpy as np
from graphs import first_states, next_states, open_export


def sigmoid(x):
    """Return the logistic function of x."""
    return 1 / (1 + np.exp(-x))


graphs, signature = open_export(sys.argv[1])
seed, bias = (int(sys.argv[2]), float(sys.argv[3])) if len(sys.argv) > 3 else (0, 1.0)
count, rounding = signature["decoder"]["max_points"], signature["rounding"] ** 2
uniforms = np.random.default_rng((seed, 0, 0)).random((count, 3), np.float32)
normals = np.random.default_rng((seed, 0, 1)).standard_normal((count, 2), np.float32)
point, states, position, strokes = (
    np.zeros(3, np.float32),
    first_states(signature),
    np.zeros(2),
    [[(0.0, 0.0)]],
)
for (which, lift, stop), (n_x, n_y) in zip(uniforms, normals, strict=True):
    outputs = graphs["step"](points=point[np.newaxis, np.newaxis], **states)
    states = next_states(signature, outputs, states)
    of = {name: value[0, 0] for name, value in outputs.items() if not name.startswith("next_")}
    weights = np.exp((of["weight"] - of["weight"].max()) * (1 + bias))
    order = np.argsort(-weights, kind="stable")
    reached = np.cumsum(weights[order]) <= which * weights.sum()
    j = order[min(reached.sum(), len(order) - 1)]  # the component
    sigma_x, sigma_y = (np.exp(np.clip(of[f"log_sigma_{axis}"][j], -10, 10)) for axis in "xy")
    rho = np.tanh(of["correlation"][j])
    a = np.sqrt(sigma_x**2 + rounding)  # [[a, 0], [b, c]]: Cholesky factor of the covariance
    b = rho * sigma_x * sigma_y / a
    c = np.sqrt(sigma_y**2 + rounding - b**2)
    x = of["mean_x"][j] + np.exp(-bias) * a * n_x
    y = of["mean_y"][j] + np.exp(-bias) * (b * n_x + c * n_y)
    lifted = lift < sigmoid(of["pen_up"][0])
    point = np.array([x, y, lifted], np.float32)
    position = position + point[:2].astype(float) * signature["scale"]
    strokes[-1].append(tuple(position))
    if lifted and stop < sigmoid(of["end"][0]):
        break
    if lifted:
        strokes.append([])
paths = [" ".join(f"{x:.2f},{y:.2f}" for x, y in stroke) for stroke in strokes if stroke]
low, high = (f(np.concatenate([s for s in strokes if s]), axis=0) for f in (np.min, np.max))
view = " ".join(f"{value:.2f}" for value in [*(low - 5), *(high - low + 10)])
print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" fill="none" stroke="black">')
print("".join(f'<polyline points="{path}"/>' for path in paths) + "</svg>")
