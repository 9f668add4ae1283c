"""The text of the likeliest path of a model with CTC."""


def best_text(outputs, signature):
    """Return the text of the first row: each frame's best label, repeats merged, without blanks."""
    frames = outputs["logits"][0, : outputs["logit_lengths"][0]].argmax(axis=-1).tolist()
    merged = [best for best, before in zip(frames, [None, *frames]) if best != before]  # noqa: B905
    symbols = [signature["labels"][best] for best in merged if best != signature["blank"]]
    return " ".join(signature["separator"].join(symbols).split())
