# Targets that build packages: in build/, with the results in dist/.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
WHEEL := dist/drove_gateway-$(VERSION)-py3-none-any.whl
# All packages have the time of the commit.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || date +%s)

# The Python that is bundled: the system's, which gets security updates, if it is new enough.
SHIPPED_PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo /usr/bin/python3 || echo $(PYTHON))

.PHONY: wheel binary deb rpm test-packaging

wheel: $(WHEEL)
binary: dist/drove-gateway

# The state of the repository is an input too: it is stamped into every package.
build/revision: FORCE
	@mkdir -p build && { git describe --always --exclude='*' --dirty 2>/dev/null || echo none; } >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FORCE:

build/builder/.ready: pyproject.toml constraints.txt
	rm -rf build/builder
	$(SHIPPED_PYTHON) -c 'import ensurepip, venv' || packaging/install-tools venv:python3-venv
	$(SHIPPED_PYTHON) -m venv build/builder
	build/builder/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt \
		build hatchling pyinstaller
	touch $@

SOURCES := $(shell find src packaging -type f ! -name '*.pyc')
$(WHEEL): build/builder/.ready build/revision $(SOURCES) README.md CHANGELOG.md
	rm -f dist/*.whl dist/*.tar.gz
	build/builder/bin/python -m build -q --no-isolation
	@ls dist/*.whl dist/*.tar.gz

# PyInstaller needs Python as a shared library, and binutils.
dist/drove-gateway: $(WHEEL)
	packaging/install-tools objdump:binutils strip:binutils
	@build/builder/bin/python -c 'import ctypes, sysconfig; \
		ctypes.CDLL(sysconfig.get_config_var("INSTSONAME"))' 2>/dev/null || packaging/install-tools \
		libpython:lib$$(basename $$(readlink -f build/builder/bin/python))
	build/builder/bin/python -m pip uninstall -q -y drove-gateway
	build/builder/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt $(WHEEL)
	PYTHONHASHSEED=1 build/builder/bin/pyinstaller --noconfirm --log-level WARN \
		--distpath build/program --workpath build/pyinstaller packaging/program/program.spec
	cp build/program/drove-gateway $@
	@ls -lh $@

deb: dist/drove-gateway
	packaging/install-tools dh:debhelper dpkg-buildpackage:dpkg-dev fakeroot:fakeroot
	packaging/build-deb $(VERSION)

rpm: dist/drove-gateway
	packaging/install-tools rpmbuild:rpm
	packaging/build-rpm $(VERSION)

test-packaging: $(VENV)/.dev
	$(BIN)/pytest -p no:cacheprovider $(ARGS) tests/packaging $(wildcard tests/container/image)
