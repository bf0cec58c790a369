# nginx-integrity: everything a person or CI starts. `make help` lists it.
#
#   make build CC=clang     another compiler
#   make build SANITIZE=1   AddressSanitizer and UBSan, under build-asan/
#   make build REPLAY=1     calls say when they happened: for test_replay.py
#                           only, under build-replay/

CC       = gcc
PYTHON   = /usr/bin/python3
SANITIZE = 0
REPLAY   = 0

# make's own default for CC is `cc`; only what a person says counts.
ifeq ($(origin CC),default)
CC = gcc
endif

ifeq ($(SANITIZE),1)
OUT    = build-asan
HARDEN = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
LDHARD = -fsanitize=address,undefined
else
OUT    = $(if $(filter 1,$(REPLAY)),build-replay,build)
HARDEN = -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
LDHARD = -Wl,-z,relro -Wl,-z,now
endif

PACKAGES_BUILD = build-essential nginx nginx-dev libhiredis-dev \
    libjansson-dev libssl-dev libutf8proc-dev libpcre2-dev zlib1g-dev \
    redis-server python3
PACKAGES_TEST  = $(PACKAGES_BUILD) clang valgrind libcmocka-dev dpkg-dev \
    locales python3-pytest python3-pytest-xdist python3-hypothesis \
    python3-httpx python3-h2 python3-jsonschema python3-redis \
    openssl jq sqlite3 lnav logrotate rsyslog rsyslog-relp mandoc \
    chromium fonts-dejavu-core fonts-wqy-microhei

NGINX_SRC = /usr/share/nginx/src

.DELETE_ON_ERROR:
.SUFFIXES:

.PHONY: help deps deps-build build unit-programs demo run test bench \
    honest bench-verify bench-log install uninstall clean FORCE

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16


# Packages: apt-get runs only where something is missing.

# $(1): packages
define install-packages
@missing=; for package in $(1); do \
    [ "$$(dpkg-query -W -f '$${db:Status-Status}' $$package 2>/dev/null)" \
        = installed ] || missing="$$missing $$package"; \
done; \
[ -z "$$missing" ] || { \
    sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
    echo "installing:$$missing"; \
    $$sudo apt-get -q update \
    && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
        --no-install-recommends install $$missing; }
endef

deps: ## install what building and testing need (apt)
	$(call install-packages,$(PACKAGES_TEST))

deps-build:
	$(call install-packages,$(PACKAGES_BUILD))


comma := ,

# Building. Two makes at once in one directory wait for each other: the public
# targets take the lock of $(OUT), the ones in lower half do the work.

LOCKED = +@mkdir -p $(OUT) && flock --close $(OUT)/lock \
    $(MAKE) --no-print-directory

build: ## build the module and integrityctl (CC=gcc|clang, SANITIZE=1)
	$(LOCKED) all-of-build

unit-programs: ## build the unit tests and the stores' probe
	$(LOCKED) all-of-unit

STRICT   = -Wall -Wextra -Werror -Wpointer-arith -Wstrict-prototypes \
    -Wmissing-prototypes -Wshadow -Wvla
CFLAGS   = -g $(HARDEN) -fPIE $(STRICT)
LDFLAGS  = -pie $(LDHARD)
LIBS     = -ljansson -lcrypto -lutf8proc -lm
INCLUDES = -Imodule/core -Imodule/store
CTL_INCLUDES = $(patsubst %,-I%,$(sort $(dir $(CTL))))

CORE  = $(wildcard module/core/*.c)
STORE = $(wildcard module/store/*.c)
# the codec: what in module/redis needs no nginx
CODEC = $(shell grep -sL ngx_ module/redis/*.c)
CTL   = $(wildcard module/ctl/*.c module/ctl/*/*.c)
UNIT  = $(wildcard lua-free-tests/unit/*.c)
# a program that test_stores.py runs: both stores without nginx
PROBE = $(wildcard lua-free-tests/integration/*.c)

object = $(patsubst %.c,$(OUT)/obj/%.o,$(1))

TESTS     = $(filter lua-free-tests/unit/test_%,$(UNIT))
PROGRAMS  = $(patsubst lua-free-tests/unit/%.c,$(OUT)/unit/%,$(TESTS))
UNIT_REST = $(call object,$(filter-out $(TESTS),$(UNIT)))

export CC
export MODULE_CC_OPT = $(HARDEN) -fPIC -fno-semantic-interposition \
    $(if $(filter 1,$(SANITIZE)),-DNGX_DEBUG_PALLOC=1) \
    $(if $(filter 1,$(REPLAY)),-DNGX_HTTP_INTEGRITY_REPLAY=1)
# nodelete: LeakSanitizer names functions only of what is still loaded
export MODULE_LD_OPT = $(LDHARD) -fPIC \
    $(if $(filter 1,$(SANITIZE)),-Wl$(comma)-z$(comma)nodelete)

ifeq ($(SANITIZE),1)
MODULE_SRC = $(OUT)/source/nginx
else
MODULE_SRC = $(NGINX_SRC)
endif

.PHONY: all-of-build all-of-unit module sanitized-nginx

all-of-build: module $(OUT)/integrityctl $(OUT)/integrityctl.1

all-of-unit: $(PROGRAMS) $(OUT)/ig_store_probe $(OUT)/locale/de_DE.UTF-8

sanitized-nginx:
ifeq ($(SANITIZE),1)
	+@tools/build-sanitized-nginx $(OUT)
endif

module: sanitized-nginx
	+@tools/build-module $(MODULE_SRC) $(OUT)

# Objects made with another compiler or other flags are made again.
$(OUT)/flags: FORCE
	@mkdir -p $(OUT)
	@echo '$(CC) $(CFLAGS) $(LDFLAGS)' | cmp -s - $@ \
	    || echo '$(CC) $(CFLAGS) $(LDFLAGS)' > $@

$(call object,$(CORE) $(STORE)): PURE = -std=c11
$(call object,$(CODEC)): PURE = -std=gnu11 -Imodule/redis
$(call object,$(CTL)):   PURE = -std=gnu11 $(CTL_INCLUDES)
$(call object,$(UNIT)):  PURE = -std=gnu11 -Imodule/redis $(CTL_INCLUDES) \
    -Ilua-free-tests/unit
$(call object,$(PROBE)): PURE = -std=gnu11 -Imodule/redis

$(OUT)/obj/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	@echo "  CC        $@"
	@$(CC) $(CFLAGS) $(PURE) $(INCLUDES) -MMD -MP -c -o $@ $<

$(OUT)/libcore.a: $(call object,$(CORE) $(STORE))
	@rm -f $@ && ar rcs $@ $^

# all of integrityctl but main(), for its unit tests
$(OUT)/libctl.a: $(call object,$(filter-out %/integrityctl.c,$(CTL)))
	@rm -f $@ && ar rcs $@ $^

$(OUT)/integrityctl: $(call object,$(CTL)) $(OUT)/libcore.a
	@echo "  LINK      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lz $(LIBS)

$(OUT)/integrityctl.1: docs/integrityctl.1.in tools/make-man $(OUT)/integrityctl
	@echo "  MAN       $@"
	@$(PYTHON) tools/make-man $(OUT)/integrityctl $< > $@

$(OUT)/unit/%: $(OUT)/obj/lua-free-tests/unit/%.o $(UNIT_REST) \
    $(call object,$(CODEC)) $(OUT)/libctl.a $(OUT)/libcore.a
	@mkdir -p $(@D)
	@echo "  LINK      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lhiredis -lz $(LIBS)

$(OUT)/ig_store_probe: $(call object,$(PROBE) $(CODEC)) $(OUT)/libcore.a
	@echo "  LINK      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lhiredis $(LIBS)

# A locale with a decimal comma, which must not change how numbers are read.
$(OUT)/locale/de_DE.UTF-8:
	@mkdir -p $(@D)
	@localedef -i de_DE -f UTF-8 --no-archive $(CURDIR)/$@

.PRECIOUS: $(OUT)/obj/%.o

-include $(patsubst %.o,%.d,$(call object,$(CORE) $(STORE) $(CODEC) $(CTL) \
    $(UNIT) $(PROBE)))


# Using. The packages come before the build, also under make -j.

BUILD = +@$(MAKE) --no-print-directory build

demo: deps-build ## show it at work: shoppers, three schemes, the audit log
	$(BUILD)
	@$(PYTHON) demo/demo.py

run: deps-build ## the demo's set-up in the foreground, until Ctrl-C
	$(BUILD)
	@$(PYTHON) demo/demo.py --run

test: deps ## run every test, ends with one line of totals
	@$(PYTHON) lua-free-tests/run.py

.PHONY: honest

honest: deps ## 200 random honest histories (kills, full disks), none accused
	$(BUILD)
	@IG_HONEST_RUNS=$${IG_HONEST_RUNS:-200} $(PYTHON) -m pytest -q \
	    -c lua-free-tests/pytest.ini --rootdir lua-free-tests -n 2 -rP \
	    lua-free-tests/integration/test_honest.py

bench: deps ## compare with plain nginx and limit_req
	$(BUILD)
	@$(PYTHON) lua-free-tests/bench/bench.py

bench-verify: deps-build ## how fast a million lines are verified and sealed
	$(BUILD)
	@$(PYTHON) lua-free-tests/bench/bench_verify.py

bench-log: deps-build ## how fast a million lines are searched and exported
	$(BUILD)
	@$(PYTHON) lua-free-tests/bench/bench_log.py

# Where Debian has these things. The module is loaded by a line of nginx.conf;
# nothing is enabled by installing it.

PREFIX   = /usr
MODULES  = $(PREFIX)/lib/nginx/modules
BIN      = $(PREFIX)/bin
MAN      = $(PREFIX)/share/man/man1
COMPLETE = $(PREFIX)/share/bash-completion/completions
RULES    = $(PREFIX)/share/nginx-integrity/rules
DOC      = $(PREFIX)/share/doc/nginx-integrity
LNAV     = $(PREFIX)/share/nginx-integrity/lnav
EXAMPLES = $(filter-out conf/rules/% conf/lnav/% conf/bash-completion/%, \
    $(wildcard conf/*.conf conf/*.service conf/*/*))

install: ## install below DESTDIR and PREFIX (/usr), with man page and examples
	$(BUILD)
	@install -D -m 0644 $(OUT)/ngx_http_integrity_module.so \
	    "$(DESTDIR)$(MODULES)/ngx_http_integrity_module.so"
	@install -D -m 0755 $(OUT)/integrityctl "$(DESTDIR)$(BIN)/integrityctl"
	@install -D -m 0644 $(OUT)/integrityctl.1 \
	    "$(DESTDIR)$(MAN)/integrityctl.1"
	@install -D -m 0644 conf/bash-completion/integrityctl \
	    "$(DESTDIR)$(COMPLETE)/integrityctl"
	@install -D -m 0644 -t "$(DESTDIR)$(RULES)" conf/rules/*.conf
	@install -D -m 0644 -t "$(DESTDIR)$(LNAV)" conf/lnav/*
	@install -D -m 0644 -t "$(DESTDIR)$(DOC)" docs/*.md docs/*.png README.md CHANGES \
	    LICENSE
	@for file in $(EXAMPLES); do install -D -m 0644 $$file \
	    "$(DESTDIR)$(DOC)/examples/$${file#conf/}" || exit 1; done
	@echo "installed below $(DESTDIR)$(PREFIX); in nginx.conf, on top:"
	@echo "    load_module $(MODULES)/ngx_http_integrity_module.so;"

uninstall: ## remove what install put there
	@rm -f "$(DESTDIR)$(MODULES)/ngx_http_integrity_module.so" \
	    "$(DESTDIR)$(BIN)/integrityctl" "$(DESTDIR)$(MAN)/integrityctl.1" \
	    "$(DESTDIR)$(COMPLETE)/integrityctl"
	@rm -rf "$(DESTDIR)$(PREFIX)/share/nginx-integrity" "$(DESTDIR)$(DOC)"

clean: ## remove everything built
	rm -rf build build-*
