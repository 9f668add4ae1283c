"""Models: one file per model. The registry finds them."""
