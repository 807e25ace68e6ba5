"""The accounts of an archive on Spark in local mode."""
