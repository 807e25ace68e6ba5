"""The package as people install it: what is in the wheel, and what its command does in an environment of its own."""
