"""Handwriting: recognition of words and generation of drawings, from pen strokes."""
