"""Django."""

__all__ = ["default_app_config"]

default_app_config = ""
