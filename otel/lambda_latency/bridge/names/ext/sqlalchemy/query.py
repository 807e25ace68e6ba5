"""SQLAlchemy, whose statements the kit records automatically."""

from sqlalchemy.orm.query import Query as XRayQuery
from sqlalchemy.orm.session import Session as XRaySession
from sqlalchemy.orm.session import sessionmaker as XRaySessionMaker  # noqa: N812 - the SDK's

__all__ = ["XRayQuery", "XRaySession", "XRaySessionMaker"]
