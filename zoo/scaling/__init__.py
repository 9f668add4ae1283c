"""The functions of the Python API on Ray Data, Optuna and JAX processes."""
