"""Forecasting: past values in, future values out."""
