"""AWS prices with their date, for all packages of the kit. It imports no other package of the kit."""

from lambda_latency.prices.listed import LISTED, Prices, read_prices

__all__ = ["LISTED", "Prices", "read_prices"]
