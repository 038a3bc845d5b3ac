"""Reports: a study as a page of HTML, and its tables and figures as files."""

from infofuse.study.report.page import report

__all__ = ["report"]
