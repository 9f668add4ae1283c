"""Vision and language: images in, text out."""
