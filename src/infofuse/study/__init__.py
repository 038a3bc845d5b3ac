"""Studies: a declared grid of runs, compared with statistics that can be trusted."""

from infofuse.study.results import Results, open_results
from infofuse.study.runner import run_study
from infofuse.study.spec import Study, read_study, resolve_study

__all__ = ["Results", "Study", "open_results", "read_study", "resolve_study", "run_study"]
