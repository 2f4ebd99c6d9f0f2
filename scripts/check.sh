#!/usr/bin/env bash
# What is checked of the sources beside the tests, by name, and how long each took:
#
#   scripts/check.sh [NAME...]       without a name: all of them but tidy
#
#   shell     shellcheck over the shell scripts
#   python    ruff over the Python files
#   format    clang-format: as .clang-format says
#   tidy      clang-tidy over what changed since CHECK_BASE (the previous commit): as .clang-tidy says. By hand,
#             before a commit: where a whole branch lands at once, that would be every file
#   thread    the thread sanitizer over graph's tests
#   address   the address and undefined-behaviour sanitizers over base's, io's, graph's and runtime's tests
#   fuzz      every fuzz target for FUZZ_SECONDS (10), from its seeds
#   clang     clang builds base, io, graph, runtime and their tests, every file by itself
#   arm       what comes out alike on every processor, built for 64-bit ARM and run by qemu: as one with NEON
#             alone, and as one with all that ARM multiplies bytes with
#   names     clang-tidy's naming rules over one unit a folder and the headers that it includes; over every
#             unit with CHECK_NAMES=all. LibTorch's headers make each unit dear, and tidy holds each to the
#             same rules when it changes.
#
# All are tried, also behind one that failed. scripts/test.sh installs what they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ALL=(shell python format names arm thread clang address fuzz)
BY_HAND=(tidy)
jobs=$(nproc)

# need PROGRAM...
need() {
  local name
  for name in "$@"; do
    command -v "$name" >/dev/null && continue
    echo "check: $name is not installed. What to do: scripts/setup.sh --tests"
    return 1
  done
}

# quietly LOG COMMAND...: what it says is shown where it fails
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { cat "$log"; return 1; }
}

check_shell() {
  need shellcheck || return 1
  git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck
}

check_python() {
  local ruff=.venv/bin/ruff
  [[ -x $ruff ]] || ruff=ruff
  need "$ruff" || return 1
  "$ruff" check --no-cache .
}

check_format() {
  need clang-format || return 1
  git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format --dry-run --Werror
}

# Without precompiled headers: each file says for itself what it includes. LibTorch's rooms are
# configured with the rest, so that clang-tidy knows how they are compiled.
configure_clang() {
  need clang++ || return 1
  quietly build-clang.log cmake --preset clang
}

# run_tidy CHECKS < files, each ended by a zero; CHECKS is empty for those of .clang-tidy
run_tidy() {
  need clang-tidy || return 1
  local found=build-clang/tidy.log status=0
  # clang 14 does not know a part of one target attribute, and leaves that part out.
  xargs -0 -r -P "$jobs" -n 4 clang-tidy -p build-clang --quiet --extra-arg=-Wno-ignored-attributes ${1:+--checks="$1"} >"$found" 2>&1 || status=$?
  # A header's findings are told once, not by every file that includes it.
  grep -E ': (warning|error): ' "$found" | sort -u || true
  ((status == 0)) || grep -qE ': (warning|error): ' "$found" || cat "$found"
  return "$status"
}

# What clang's build knows: not the Python package's module, which only the wheel's build configures.
UNITS=('*.cpp' ':!python')

check_tidy() {
  configure_clang || return 1
  local base=${CHECK_BASE:-HEAD^}
  if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
    echo "check: there is no commit $base here to compare with"
    return
  fi
  git diff -z --name-only --diff-filter=d "$base" -- "${UNITS[@]}" | run_tidy ""
}

# Of each folder the unit that includes the most of the project's headers.
units_of_folders() {
  git ls-files -z "${UNITS[@]}" | xargs -0 grep -c '^#include "' |
    awk -F: '{ folder = $1; sub("/[^/]*$", "", folder) }
             $2 > most[folder] { most[folder] = $2; unit[folder] = $1 }
             END { for (folder in unit) printf "%s%c", unit[folder], 0 }'
}

check_names() {
  configure_clang || return 1
  if [[ ${CHECK_NAMES:-} == all ]]; then
    git ls-files -z "${UNITS[@]}"
  else
    units_of_folders
  fi | run_tidy '-*,readability-identifier-naming'
}

# sanitize PRESET REGEX TARGET...
sanitize() {
  local preset=$1 tests=$2
  shift 2
  quietly "build-$preset/build.log" cmake --build --preset "$preset" --target "$@" || return 1
  ctest --test-dir "build-$preset" -R "$tests" -j "$jobs" --timeout 900 --no-tests=error --output-on-failure
}

# The thread sanitizer sees only the locks and atomics that it has compiled, so the oneTBB of the
# system, of the same version, is built with it in build-tbb: half a minute of processor time.
TBB_CONFIG=$PWD/build-tbb/installed/lib/cmake/TBB
instrumented_tbb() {
  [[ -f $TBB_CONFIG/TBBTargets.cmake ]] && return
  need apt-get || return 1
  mkdir -p build-tbb/sources build-tbb/lists/partial
  # The system's own package sources, asked for source packages, in lists of their own.
  local file
  for file in /etc/apt/sources.list.d/*.sources; do
    [[ -f $file ]] && sed 's/^Types:.*/Types: deb-src/' "$file" >"build-tbb/sources/${file##*/}"
  done
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [[ -f $file ]] && sed -n 's/^deb /deb-src /p' "$file" >"build-tbb/sources/${file##*/}.list"
  done
  local apt=(apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$PWD/build-tbb/sources"
    -o "Dir::State::lists=$PWD/build-tbb/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
    -o APT::Sandbox::User=root)
  quietly build-tbb/apt.log "${apt[@]}" update || return 1
  (cd build-tbb && quietly apt.log "${apt[@]}" source --download-only \
    "onetbb=$(dpkg-query -W -f='${source:Version}' libtbb-dev)") || return 1
  mkdir -p build-tbb/source
  tar -xf build-tbb/onetbb_*.orig.tar.* -C build-tbb/source --strip-components=1 || return 1
  # Its own warnings are no errors: GCC has one for every fence, of which the sanitizer knows nothing.
  quietly build-tbb/build.log cmake -G Ninja -S build-tbb/source -B build-tbb/build -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DTBB_SANITIZE=thread -DTBB_STRICT=OFF -DTBB_TEST=OFF -DTBBMALLOC_BUILD=OFF \
    -DTBB_DISABLE_HWLOC_AUTOMATIC_SEARCH=ON -DCMAKE_INSTALL_LIBDIR=lib || return 1
  quietly build-tbb/build.log cmake --build build-tbb/build --target tbb || return 1
  # Its build folder alone has no TBBTargets.cmake, which find_package needs.
  quietly build-tbb/install.log cmake --install build-tbb/build --prefix "$PWD/build-tbb/installed"
}

check_address() {
  quietly build-asan.log cmake --preset asan || return 1
  LSAN_OPTIONS="suppressions=$PWD/scripts/leaks.supp:print_suppressions=0" \
    UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 sanitize asan '^(base|io|graph|runtime):' \
    tests_base tests_io tests_graph tests_runtime
}

check_thread() {
  instrumented_tbb || return 1
  quietly build-tsan.log cmake --preset tsan -DTBB_DIR="$TBB_CONFIG" || return 1
  TSAN_OPTIONS="suppressions=$PWD/scripts/races.supp:halt_on_error=1:second_deadlock_stack=1" sanitize tsan '^graph:' tests_graph
}

check_clang() {
  configure_clang || return 1
  cmake --build --preset clang --target flowqat_io flowqat_graph flowqat_runtime \
    tests_base tests_io tests_graph tests_runtime
}

check_arm() {
  need aarch64-linux-gnu-g++ qemu-aarch64 || return 1
  quietly build-arm.log cmake -S tests/portable -B build-arm -G Ninja --toolchain "$PWD/cmake/aarch64.cmake" || return 1
  quietly build-arm/build.log cmake --build build-arm || return 1
  local portable=(-L /usr/aarch64-linux-gnu build-arm/portable tests/golden)
  qemu-aarch64 -cpu cortex-a53 "${portable[@]}" neon &&
    qemu-aarch64 -cpu max "${portable[@]}" neon_dotprod neon_i8mm
}

check_fuzz() {
  need clang++ || return 1
  quietly build-fuzz.log cmake --preset fuzz || return 1
  quietly build-fuzz/build.log cmake --build --preset fuzz --target fuzzers || return 1
  tests/fuzz/run.py --seconds "${FUZZ_SECONDS:-10}" --jobs "$jobs"
}

usage() {
  sed -n '2,/^set /s/^# \{0,1\}//p' scripts/check.sh | head -n -1
}

case ${1:-} in
  -h | --help)
    usage
    exit 0 ;;
esac
wanted=("$@")
((${#wanted[@]})) || wanted=("${ALL[@]}")
for name in "${wanted[@]}"; do
  [[ " ${ALL[*]} ${BY_HAND[*]} " == *" $name "* ]] || {
    echo "check: there is no check '$name'; there are: ${ALL[*]} ${BY_HAND[*]}" >&2
    exit 2
  }
done

failed=() times=()
for name in "${wanted[@]}"; do
  echo "check: $name"
  began=$SECONDS
  "check_$name" || failed+=("$name")
  times+=("$(printf '%-8s %4d s' "$name" $((SECONDS - began)))")
done
echo "check: took"
printf '  %s\n' "${times[@]}"
if ((${#failed[@]})); then
  echo "check: failed: ${failed[*]}"
  exit 1
fi
