"""Greedy decoding of CTC models."""


def best_text(outputs, signature):
    """Return the text of the first row: the best label of each frame, without repeats and blanks."""
    frames = outputs["logits"][0, : outputs["logit_lengths"][0]].argmax(axis=-1).tolist()
    merged = [best for best, before in zip(frames, [None, *frames]) if best != before]  # noqa: B905
    symbols = [signature["labels"][best] for best in merged if best != signature["blank"]]
    return " ".join(signature["separator"].join(symbols).split())
