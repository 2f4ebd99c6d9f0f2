#include <csignal>
#include <iostream>

#include "base/message.h"
#include "cli/commands.h"
#include "cli/help.h"
#include "cli/parse.h"
#include "cli/terminal.h"
#include "cli/text_width.h"
#include "graph/error.h"
#include "graph/output_error.h"
#include "io/files/cpu_level.h"
#include "io/files/write_error.h"

namespace {

using namespace flowqat;

int dispatch(int argc, char** argv) {
  const cli::Command program = cli::program();
  const cli::Parsed parsed = cli::parse(program, argc, argv);
  if (!parsed.wants_help) return parsed.path.back()->run();
  cli::Terminal().result(cli::help_text(parsed.path));
  return cli::kDone;
}

/// A message may quote what is in files. Those on a graph may have a line for each mistake.
void complain(const std::exception& error) {
  const bool is_list = dynamic_cast<const graph::GraphError*>(&error) != nullptr;
  const std::string text = message(error.what());
  std::cerr << "flowqat: " << (is_list ? cli::printable_lines(text) : cli::printable(text)) << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  // A pipe that nobody reads is an error that can be told, not the program's silent end.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    io::cpu_level();  // says what is wrong with FLOWQAT_TARGET before anything is run
    return dispatch(argc, argv);
  } catch (const graph::GraphError& error) {
    complain(error);
    return cli::kBadUsage;
  } catch (const graph::Interrupted& interrupted) {
    std::cerr << "flowqat: interrupted\n";
    return 128 + interrupted.signal_number;
  } catch (const graph::OutputError& error) {
    complain(error);
    return cli::kCannotWrite;
  } catch (const io::WriteError& error) {
    complain(error);
    return cli::kCannotWrite;
  } catch (const std::exception& error) {
    complain(error);
    return cli::kFailed;
  }
}
