"""Handwriting: pen strokes read as words, and drawings generated."""
