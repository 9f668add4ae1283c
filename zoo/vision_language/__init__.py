"""Vision and language: images in, text out."""

from zoo.vision_language import show_and_tell as show_and_tell
