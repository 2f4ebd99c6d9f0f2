#!/usr/bin/env bash
# Brings a machine that has nothing but git to a built program: system packages, LibTorch, the build.
#
#   scripts/setup.sh [--tests]
#
# Builds the program alone. --tests builds the tests too, and installs the whole LibTorch wheel and the
# Python packages that the parity tests compare with, also where there is no NVIDIA driver. Asks nothing,
# and does nothing that has been done before.
# Runs as root or as a user who may use sudo without a password.
set -euo pipefail
exec 1>&2  # progress only: standard output is left to the program that is started after this
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/versions.sh
source scripts/versions.sh

STAMP=.venv/flowqat-installed

say() { echo "setup: $*"; }

# fail STEP WHAT-TO-DO
fail() {
  echo "setup: failed: $1."
  echo "setup: what to do: $2"
  exit 1
}

install_system_packages() {
  local wanted=("${APT_BUILD[@]}" "${APT_CORPUS[@]}") missing=() name
  ((for_tests)) && wanted+=("${APT_TESTS[@]}")
  command -v apt-get dpkg-query >/dev/null ||
    fail "looking for apt-get" "use Debian 12, Ubuntu 24.04 or newer"
  for name in "${wanted[@]}"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then
    say "system packages: all ${#wanted[@]} are here"
    return
  fi
  say "system packages: installing ${missing[*]}"
  local root=()
  if ((EUID != 0)); then
    # -n: a password prompt would be a question, and would hang where nobody sits.
    sudo -n true 2>/dev/null ||
      fail "becoming root to install system packages" \
        "run this once, then try again: sudo apt-get install --no-install-recommends ${missing[*]}"
    root=(sudo -n)
  fi
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update ||
    fail "apt-get update" "check the network and the sources under /etc/apt, then try again"
  "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
    fail "installing system packages" \
      "read apt's message above; on Ubuntu the component 'universe' must be enabled (add-apt-repository universe)"
}

check_versions() {
  local cxx=${CXX:-c++} version
  version=$("$cxx" -dumpversion 2>/dev/null || echo 0)
  # clang answers with its own number; the oldest that is tested, 14, passes too.
  ((${version%%.*} >= OLDEST_GXX)) ||
    fail "checking the compiler: $cxx is version $version, expected $OLDEST_GXX or newer" \
      "use Debian 12, Ubuntu 24.04 or newer, or name a newer compiler in the environment: CXX=g++-13"
  "$PYTHON" -c "import sys; sys.exit(sys.version_info < (${OLDEST_PYTHON/./, }))" ||
    fail "checking Python: $PYTHON is $("$PYTHON" -V 2>&1), expected $OLDEST_PYTHON or newer" \
      "use Debian 12, Ubuntu 24.04 or newer"
}

has_nvidia_driver() {
  [[ -e /proc/driver/nvidia/version || -e /dev/nvidiactl || -e /usr/lib/wsl/lib/libcuda.so.1 ]]
}

# What the stamp says when the set SMALL or FULL is installed completely.
stamp_of() {
  local -n _pins="TORCH_$1"
  printf '%s\n' "$1" "${_pins[@]}"
}

installed() { [[ -f $STAMP && $(<"$STAMP") == "$(stamp_of "$1")" ]]; }

# False after an interrupted creation, an upgrade of the system's Python, or files removed by hand.
environment_is_sound() {
  .venv/bin/python -I -m pip --version >/dev/null 2>&1 || return 1
  [[ ! -f $STAMP ]] || compgen -G '.venv/lib/python3*/site-packages/torch/lib/libtorch_cpu.so' >/dev/null
}

install_torch() {
  local set=$1 why=$2
  if ! environment_is_sound; then
    say "virtual environment: creating .venv with $PYTHON"
    rm -f "$STAMP"
    "$PYTHON" -m venv --clear .venv ||
      fail "creating .venv" "install python3-venv for $PYTHON, check the free disk space, then try again"
  fi
  if installed FULL || installed "$set"; then
    say "LibTorch: installed in .venv ($(head -n 1 "$STAMP" | tr '[:upper:]' '[:lower:]') set)"
    return
  fi
  rm -f "$STAMP"
  local bar=off  # pip then names each file with its size, and no more
  [[ ! -t 2 ]] || bar=on
  local pip=(.venv/bin/python -I -m pip install --disable-pip-version-check --no-input --progress-bar "$bar")
  case $set in
    SMALL)
      say "LibTorch: installing $TORCH with what it needs on the CPU ($why; 0.55 GB to fetch, 1.3 GB on disk)"
      "${pip[@]}" --no-deps "${TORCH_SMALL[@]}" ;;
    FULL)
      say "LibTorch: installing $TORCH whole, and the test packages ($why; 2.5 GB to fetch, 5 GB on disk)"
      "${pip[@]}" "${TORCH_FULL[@]}" ;;
  esac || fail "installing LibTorch with pip" \
    "read pip's message above; check the network and the free disk space, then try again"
  stamp_of "$set" >"$STAMP"
}

# Configures each time: it takes seconds, and what was installed since then is found.
build() {
  local targets=(flowqat) what="the program"
  ((for_tests)) && targets=(flowqat tests benches) what="the program, its tests and its benchmarks"
  say "build: configuring build/"
  cmake --preset release -Wno-dev ||
    fail "configuring the build" "read CMake's message above; after moving the project, remove build/ and try again"
  say "build: compiling what has changed of $what"
  cmake --build --preset release --target "${targets[@]}" ||
    fail "compiling" "read the compiler's message above; with little memory try: cmake --build --preset release -j 1"
}

set_wanted=SMALL
why="no NVIDIA driver here"
for_tests=0
if has_nvidia_driver; then
  set_wanted=FULL
  why="an NVIDIA driver is here"
fi
case "$#:${1:-}" in
  0:) ;;
  1:--tests)
    set_wanted=FULL
    for_tests=1
    why="the tests compare with it" ;;
  1:-h | 1:--help)
    sed -n '2,/^set /s/^# \{0,1\}//p' scripts/setup.sh
    exit 0 ;;
  *)
    echo "setup: unknown arguments '$*'; usage: scripts/setup.sh [--tests]"
    exit 2 ;;
esac

# One at a time: the script's own file is the lock, so nothing is left behind.
exec 9<scripts/setup.sh
flock -n 9 || { say "waiting for another set-up of this project to end"; flock 9; }

# The system's own Python, since one from elsewhere in PATH may lack venv or vanish with its manager.
install_system_packages
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || PYTHON=$(command -v python3) ||
  fail "looking for python3" "install python3 and python3-venv"
check_versions
install_torch "$set_wanted" "$why"
build
say "done in $((SECONDS / 60)) min $((SECONDS % 60)) s"
