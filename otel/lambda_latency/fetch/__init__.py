"""Traces out of X-Ray, as its API gives them, into a file that `report` reads. boto3 is imported when it is asked."""
