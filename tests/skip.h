/// For tests that cannot run everywhere.
#pragma once
#include <string>

namespace flowqat::testing {

/// Says that the running test cannot run here, and why; the caller then returns. A test program in
/// which nothing failed and something was skipped ends with a status of its own. scripts/test.sh
/// counts the reasons, and refuses those that scripts/test_summary.py does not find true of the
/// machine.
void skip(const std::string& reason);

}  // namespace flowqat::testing
