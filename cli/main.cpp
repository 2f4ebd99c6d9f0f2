#include "base/simd/target.h"
#include "cli/commands.h"
#include "cli/failure.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/ranks.h"
#include "cli/standard_streams.h"
#include "cli/terminal.h"

namespace {

using namespace flowqat;

int dispatch(int argc, char** argv) {
  const cli::Command program = cli::program();
  const cli::Parsed parsed = cli::parse(program, argc, argv);
  if (!parsed.wants_help) return parsed.path.back()->run();
  cli::Terminal().result(cli::help_text(parsed.path));
  return cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  cli::settle_standard_streams();
  cli::tell_unhandled_failures();
  try {
    best_target();  // says what is wrong with FLOWQAT_TARGET before anything is run
    const int status = dispatch(argc, argv);
    cli::close_standard_output();
    return status;
  } catch (...) {
    const cli::Failure failure = cli::current_failure();
    if (!cli::rank_prefix().empty() && failure.status > 128) {
      return failure.status;  // rank 0 tells of it for all
    }
    cli::tell(failure);
    return failure.status;
  }
}
