"""Studies: a declared grid of runs, compared with statistics that can be trusted."""
