"""Flask-SQLAlchemy, whose statements the kit records by itself."""

from flask_sqlalchemy import SQLAlchemy as XRayFlaskSqlAlchemy

__all__ = ["XRayFlaskSqlAlchemy"]
