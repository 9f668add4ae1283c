"""Forecasting: the next values of a series from its past values."""
