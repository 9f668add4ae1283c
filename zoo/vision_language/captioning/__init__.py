"""Captioning: images in, sentences out."""
