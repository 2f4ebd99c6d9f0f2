#!/usr/bin/env bash
# Sets the machine up, builds, and runs every test.
#
#   scripts/test.sh [OPTION...]
#
# The options are ctest's, for instance -R io: for one room. The tests make what they need, a tiny
# demo corpus included. Those that use real recordings find them through FLOWQAT_TEST_DATA (a folder
# with librispeech/, fsdd/ and flac-testbench/) and are skipped where it is not set. Skipped tests are
# counted at the end with their reasons; one that this machine should have run is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh --tests
report=build/tests.xml
rm -f "$report"
status=0
ctest --preset release --output-on-failure -j2 --output-junit "$PWD/$report" "$@" || status=$?
if [[ -f $report ]]; then
  python3 scripts/test_summary.py "$report" || ((status)) || status=1
fi
exit "$status"
