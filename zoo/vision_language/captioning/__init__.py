"""Captioning: describe an image in a sentence."""
