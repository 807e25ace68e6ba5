"""Libraries and frameworks."""
