"""The judge: which part each piece of time belongs to, and which part makes slow requests slow."""
