"""Papers, one module each: its name is its registry entry."""

from infofuse.papers.paper import Paper, build, get, get_term, names

__all__ = ["Paper", "build", "get", "get_term", "names"]
