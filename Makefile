# Everything a fresh machine with Python 3.11 or newer and make needs: each target sets up what it uses.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps

.PHONY: app lab test quick check coverage bench release texts lock dev.lock app.lock lab.lock serve.lock build.lock cifake photos

app: $(STAMPS)/app
	$(BIN)/fauxto app

# The same page with its laboratory, and the commands that train; it needs TensorFlow.
lab: $(STAMPS)/lab
	$(BIN)/fauxto app

# Files of tests go to two processes, as they are listed: the slowest folders come first (testpaths in pyproject.toml).
PYTEST = $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(STAMPS)/dev
	$(PYTEST)

# What to run after each change; `test` runs the rest too.
quick: $(STAMPS)/dev
	$(PYTEST) -m "not slow" tests/cli tests/golden tests/unit

# The tests once more, with the lines of src/ that none of them runs.
coverage: $(STAMPS)/dev
	$(PYTEST) --cov --cov-report term

check: $(STAMPS)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive src --severity-level medium
	$(BIN)/python tests/security/audit.py requirements/dev.lock
	$(BIN)/python -m requirements.licences

# The page's translations, for Python's gettext; needs GNU gettext. A test says where one is missing or not compiled.
texts:
	for po in src/fauxto/web/locale/*/LC_MESSAGES/page.po; do msgfmt --check-format -o $${po%.po}.mo $$po; done

bench: $(STAMPS)/dev
	$(BIN)/python -m benchmarks

# The CIFAKE bundles from the archive: make cifake CIFAKE=ARCHIVE [PHOTOS=data/photos]. Goes on where it was cut; see
# docs/how-to/train.md. PHOTOS are other pictures, from whose thumbnails cifake-resnet learns what is unlike CIFAKE's.
CIFAKE_SUMMARY_paper-cnn := The student paper's network: three convolutions and a dense layer, trained on CIFAKE.
CIFAKE_SUMMARY_cifake-resnet := A residual network for thumbnails, trained from scratch on CIFAKE.
CIFAKE_VERSION_paper-cnn := --bundle-version 1.0.1
CIFAKE_VERSION_cifake-resnet := --bundle-version 1.1.0
# It errs no more on photographs that were enlarged so far (its card's robustness table), unlike the other.
CIFAKE_FOREIGN_cifake-resnet = --foreign "$(PHOTOS)"
CIFAKE_SIZES_cifake-resnet := --min-short-side 32 --max-short-side 64

cifake: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet -r requirements/torch.txt
	$(BIN)/fauxto data import cifake "$(CIFAKE)" --out data/cifake
	$(MAKE) bundle-paper-cnn
	$(MAKE) bundle-cifake-resnet BESIDE="--beside runs/paper-cnn"

bundle-%:
	$(BIN)/fauxto train --network $* --data data/cifake --run runs/$* $(if $(PHOTOS),$(CIFAKE_FOREIGN_$*)) --resume
	$(BIN)/fauxto calibrate runs/$* --data data/cifake $(if $(PHOTOS),$(CIFAKE_FOREIGN_$*))
	$(BIN)/fauxto evaluate runs/$* --data data/cifake --robustness
	$(BIN)/fauxto pack runs/$* --out src/fauxto/bundles/weights/$* \
	  --summary "$(CIFAKE_SUMMARY_$*)" $(CIFAKE_SIZES_$*) $(CIFAKE_VERSION_$*) $(BESIDE)

# The bundle for photographs: make photos TABLES=FOLDER ORIGINALS=FOLDER ENCODER=FILE [AVERAGE=RUN]; see docs/how-to/train-photos.md.
PHOTOS_SUMMARY := Photographs against generated pictures, for anything larger than a thumbnail; it often can't tell.

photos: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet -r requirements/torch.txt
	test -d data/photos || $(BIN)/fauxto data import photos "$(TABLES)" --originals "$(ORIGINALS)" --out data/photos
	$(BIN)/fauxto train --network clip-vit-b16 --data data/photos --weights "$(ENCODER)" \
	  $(if $(AVERAGE),--average-with "$(AVERAGE)") --run runs/photos --resume
	$(BIN)/fauxto calibrate runs/photos --data data/photos
	for split in val test; do $(BIN)/fauxto evaluate runs/photos --data data/photos --split $$split || exit 1; done
	$(BIN)/fauxto pack runs/photos --out src/fauxto/bundles/weights/photos --bundle-version 1.6.0 \
	  --summary "$(PHOTOS_SUMMARY)" --min-short-side 65 --max-short-side 50000

# The wheel and the sdist of the last commit, bit for bit the same for everyone, and what an installation is made of.
release: $(STAMPS)/dev requirements/build.lock
	$(BIN)/python -m venv --clear $(VENV)/build
	$(VENV)/build/bin/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements/build.lock
	sh requirements/build.sh "$(CURDIR)/$(VENV)/build/bin/python" dist
	$(BIN)/python -m requirements.sbom dist

# Asks the package index for the newest versions that fit pyproject.toml; all locks agree with that of `dev`. After a
# package was added there: make lock UPGRADE= keeps the versions of all others.
UPGRADE ?= --upgrade
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
  --no-emit-index-url --no-header --no-annotate --generate-hashes --output-file requirements/$@

lock: $(STAMPS)/dev
	$(BIN)/python -m pip install --quiet uv
	$(MAKE) dev.lock app.lock lab.lock serve.lock build.lock

dev.lock:
	$(LOCK) $(UPGRADE) --extra dev pyproject.toml
app.lock:
	$(LOCK) --constraint requirements/dev.lock --extra app --extra formats pyproject.toml
lab.lock:
	$(LOCK) --constraint requirements/dev.lock --extra app --extra formats --extra lab pyproject.toml
serve.lock:
	$(LOCK) --constraint requirements/dev.lock --extra serve --extra formats pyproject.toml
build.lock:
	echo 'hatchling>=1.27' | $(LOCK) -

$(STAMPS)/%: requirements/%.lock pyproject.toml
	@sh requirements/install.sh "$(PYTHON)" $(VENV) $*
	@mkdir -p $(STAMPS) && touch $@
