"""Audio files to samples: reading, validation, silence, segmentation."""
