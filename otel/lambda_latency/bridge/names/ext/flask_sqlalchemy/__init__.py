"""Flask_sqlalchemy."""
