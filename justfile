# The sample workspace's recipes, and those for working on cleanslate itself. `just` alone shows the menu.

set positional-arguments

# So that hints name recipes.
export SLATE_RECIPE := "db"

export PATH := justfile_directory() / "target/release" + ":" + env("PATH")

# the database: `just db` shows its state, `just --list db` the rest
mod db 'cleanslate.just'

[private]
default:
    @{{ quote(just_executable()) }} --list --list-submodules

# start the services, wait until they answer, make sure the database is there
[group('workspace')]
[no-exit-message]
up *ARGS:
    @slate-up "$@"

# stop the services; all data stays
[group('workspace')]
[no-exit-message]
down *ARGS:
    @slate-down "$@"

# remove containers, networks and volumes, after a copy; asks first
[group('workspace')]
[no-exit-message]
clean *ARGS:
    @slate-clean "$@"

# restart the configured services, and wait until each answers
[group('workspace')]
[no-exit-message]
restart *ARGS:
    @slate-restart "$@"

# build the binaries that the recipes above use
[group('cleanslate')]
build:
    cargo build --release

# every test, with what it needs installed
[group('cleanslate')]
test:
    scripts/test

# a tour on the sample workspace that touches nothing else
[group('cleanslate')]
demo:
    scripts/demo

# formatting and lints, as the tests want them
[group('cleanslate')]
lint:
    cargo fmt --check
    cargo clippy --workspace --all-targets -- -D warnings

# the release tarball, its checksum, and the Feature that holds it; in target/dist
[group('cleanslate')]
dist: build
    scripts/dist

# reset against other tools, interleaved
[group('cleanslate')]
bench *ARGS:
    scripts/bench "$@"
