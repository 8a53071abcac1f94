#!/bin/bash
# Run by `devcontainer features test` inside a container that was made with the Feature's defaults.
set -e

# shellcheck disable=SC1091 # the tool puts it beside this file
source dev-container-features-test-lib

# shellcheck disable=SC2016 # for the inner shell
check 'the binaries run' bash -c 'for binary in /usr/local/bin/slate-*; do "$binary" --version || exit 1; done'
check 'just runs' just --version
check 'bash completes them' test -f /usr/local/share/bash-completion/completions/slate-up
check 'each has a man page' test -f /usr/local/share/man/man1/slate-reset.1
check 'all that is listed is there' xargs -n 1 test -e </usr/local/share/cleanslate/manifest
# shellcheck disable=SC2016 # for the inner shell
check 'the hook asks nobody and ends well' bash -c 'cd "$(mktemp -d)" && sleep 60 | timeout 20 /usr/local/share/cleanslate/hook'

reportResults
