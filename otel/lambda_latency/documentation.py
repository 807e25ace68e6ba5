"""The addresses of documentation pages: messages name these, because an installed kit has no file of them."""

__all__ = ["page_address"]

SOURCE = "https://github.com/OWNER/lambda-latency"  # `Source` in pyproject.toml


def page_address(name: str) -> str:
    """Return the address of a page by its name in docs, such as `how-to/adopt`; a section may follow a `#`."""
    path, hash_sign, section = name.partition("#")
    return f"{SOURCE}/blob/main/docs/{path}.md{hash_sign}{section}"
