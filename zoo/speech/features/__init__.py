"""Samples to frames: log-mel features, normalization, augmentation."""
