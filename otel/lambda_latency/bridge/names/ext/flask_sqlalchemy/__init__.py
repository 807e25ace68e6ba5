"""Flask-SQLAlchemy."""
