"""Flask-SQLAlchemy, whose statements the kit records automatically."""

from flask_sqlalchemy import SQLAlchemy as XRayFlaskSqlAlchemy

__all__ = ["XRayFlaskSqlAlchemy"]
