"""The laboratory: small seeded experiments, each with its figures and the numbers behind them."""
