"""AWS prices with their dates, for all packages of the kit. It imports no other package of the kit."""

from lambda_latency.prices.listed import LISTED, PRICED, Origin, Prices, read_prices

__all__ = ["LISTED", "PRICED", "Origin", "Prices", "read_prices"]
