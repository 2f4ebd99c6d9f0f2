/// `flowqat help [COMMAND...]`, as --help behind the command; and the page of all commands.
#include <algorithm>
#include <memory>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/params.h"

namespace flowqat::cli {
namespace {

struct HelpArguments {
  std::vector<std::string> names;
  bool markdown = false;
};

int help(const HelpArguments& arguments) {
  const Command all = program();
  Terminal terminal;
  if (arguments.markdown) {
    terminal.result(help_page(all));
    return kDone;
  }
  std::vector<const Command*> path{&all};
  for (const std::string& name : arguments.names) {
    const std::vector<Command>& parts = path.back()->parts;
    const auto part = std::ranges::find(parts, name, &Command::name);
    if (part == parts.end()) {
      std::vector<std::string> known;
      for (const Command& command : parts) known.push_back(command.name);
      throw graph::GraphError("help: there is no command \"" + name + "\"" +
                              graph::suggestion(name, known));
    }
    path.push_back(&*part);
  }
  terminal.result(help_text(path));
  return kDone;
}

}  // namespace

Command help_command() {
  const auto told = std::make_shared<HelpArguments>();
  return {.name = "help",
          .doc = "says how the program or one of its commands is used",
          .examples = {"flowqat help fetch model", "flowqat help --markdown >docs/commands.md"},
          .arguments = {{.name = "COMMAND", .doc = "the command", .target = &told->names},
                        {.name = "--markdown",
                         .doc = "print the page of all commands",
                         .target = &told->markdown}},
          .run = [told] { return help(*told); }};
}

}  // namespace flowqat::cli
