#!/bin/bash
# Without `setup` the hook does nothing, and without `installJust` there is no just.
set -e

# shellcheck disable=SC1091 # the tool puts it beside this file
source dev-container-features-test-lib

check 'the hook does nothing' /usr/local/share/cleanslate/hook
check 'no just came' bash -c '! command -v just'
check 'the binaries run' slate-ensure --version

reportResults
