PYTHON ?= python3
RUN := .venv/bin/python

.PHONY: serve write site check layer test test-deep verify readings fuzz bench measure clean

serve: .venv/site.done
	@$(RUN) -m scripts.site.build serve $(if $(PORT),--port $(PORT))

write: .venv/site.done
	@$(RUN) -m scripts.site.build write $(if $(PORT),--port $(PORT))

site: .venv/site.done
	@$(RUN) -m scripts.site.build site

check: .venv/test.done
	@$(RUN) -m ruff check --quiet && $(RUN) -m ruff format --check --quiet && $(RUN) -m mypy --no-error-summary

layer: .venv/test.done
	@$(RUN) -W ignore -m scripts.random_layers.check $(NAME)

test: site check
	@$(RUN) -m pytest --quiet --numprocesses auto --dist loadgroup

test-deep: export DEEP := 1
test-deep: test

verify: .venv/test.done
	@$(RUN) -m scripts.witnesses.verify

readings: .venv/test.done
	@$(RUN) -W ignore -m scripts.tools.read

fuzz: .venv/test.done
	@$(RUN) -W ignore -m scripts.random_layers.compare --seconds $(or $(SECONDS),60)
	@$(RUN) -m scripts.random_layers.call_worker --calls $(or $(CALLS),100000)

bench: .venv/test.done
	@$(RUN) -m pip install -qq --editable '.[bench]'
	@$(RUN) -m scripts.bench.page && $(RUN) -m scripts.bench.counting

measure: .venv/test.done
	@$(RUN) -m scripts.measure.measure $(if $(NAME),--name $(NAME)) $(OPTIONS)

clean:
	@rm -rf build site node_modules .venv

.venv/site.done: pyproject.toml
	@echo "Setting up .venv …"
	@$(PYTHON) -m venv .venv && $(RUN) -m pip install -qq --editable '.[site]' && touch $@

.venv/test.done: .venv/site.done scripts/setup_tests.py
	@$(RUN) scripts/setup_tests.py && touch $@
