"""Vision and language: images, video and drawn strokes, with text."""
