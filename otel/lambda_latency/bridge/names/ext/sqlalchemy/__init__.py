"""SQLAlchemy."""
