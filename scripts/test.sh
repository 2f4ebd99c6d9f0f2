#!/usr/bin/env bash
# Sets the machine up, builds, and runs every test.
#
#   scripts/test.sh [OPTION...]
#
# The options are ctest's, for instance -R 'io: ' for one room. The tests make what they need, a tiny
# demo corpus included. Those that use real recordings find them through FLOWQAT_TEST_DATA (a folder
# with librispeech/, fsdd/ and flac-testbench/) and say that they skip where it is not set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh --tests
exec ctest --preset release --output-on-failure -j2 "$@"
