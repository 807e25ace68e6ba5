"""Analysis: which component each piece of time belongs to, and which component makes slow requests slow."""
