"""Models: one file per model, found by the registry."""
