"""What AWS charges, with the date: the only place in the kit that has a price. It imports no other room."""

from lambda_latency.prices.listed import LISTED, Prices, read_prices

__all__ = ["LISTED", "Prices", "read_prices"]
