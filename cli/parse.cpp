/// The only place that knows CLI11, which sorts the words; what they may be is checked here.
#include "cli/parse.h"

#include <CLI/CLI.hpp>

#include "cli/argument_value.h"
#include "graph/error.h"
#include "graph/params.h"

namespace flowqat::cli {
namespace {

using Words = std::vector<std::string>;

/// One command's side of CLI11: where the words of each argument are found after parsing.
struct Level {
  const Command* command;
  std::string shown;  ///< "flowqat fetch model"
  CLI::App* app;
  CLI::Option* help = nullptr;
  std::vector<CLI::Option*> options = {};  ///< of each argument, by its name
  std::vector<CLI::Option*> also = {};     ///< by its other name, or null
};

Level declare(CLI::App& app, const Command& command, const std::string& shown) {
  Level level{.command = &command, .shown = shown, .app = &app};
  app.set_help_flag();
  app.allow_extras();
  level.help = app.add_flag("-h,--help");
  const auto add = [&app](const Argument& argument, const std::string& name) {
    if (argument.is_flag()) return app.add_flag(name);
    CLI::Option* const option = app.add_option(name)->type_name(argument.value);
    // A list by its place takes all words that are left, an option one each time.
    if (argument.is_list() && !name.starts_with("--")) return option->expected(-1)->take_all();
    return option->expected(argument.may_stand_alone ? 0 : 1, 1)->take_all();
  };
  for (const Argument& argument : command.arguments) {
    level.options.push_back(add(argument, argument.name));
    level.also.push_back(argument.option.empty() ? nullptr : add(argument, argument.option));
  }
  app.require_subcommand(0, 1);
  return level;
}

/// CLI11's apps for a command and all its parts.
class Levels {
 public:
  Levels(CLI::App& app, const Command& program) { add(app, program, program.name); }

  /// From the program to the command that was typed last.
  std::vector<const Level*> typed() const {
    std::vector<const Level*> path{&levels_.front()};
    for (bool is_deeper = true; is_deeper;) {
      is_deeper = false;
      for (const Level& level : levels_) {
        if (level.app->get_parent() == path.back()->app && level.app->parsed()) {
          path.push_back(&level);
          is_deeper = true;
          break;
        }
      }
    }
    return path;
  }

 private:
  void add(CLI::App& app, const Command& command, const std::string& shown) {
    levels_.push_back(declare(app, command, shown));
    for (const Command& part : command.parts) {
      add(*app.add_subcommand(part.name), part, shown + " " + part.name);
    }
  }

  std::vector<Level> levels_;
};

/// Every message names the command, unless that is the program, and says where to read on.
[[noreturn]] void refuse(const Level& level, const std::string& what) {
  const size_t behind_program = level.shown.find(' ');
  const std::string command =
      behind_program == level.shown.npos ? "" : level.shown.substr(behind_program + 1) + ": ";
  throw graph::GraphError(command + what + " (" + level.shown + " --help)");
}

/// A word that is no option, no command, or one word too many.
void check_unknown(const Level& level) {
  const Words unknown = level.app->remaining();
  if (unknown.empty()) return;
  const std::string word = unknown.front();
  if (word.size() > 1 && word.front() == '-') {
    const std::string name = word.substr(0, word.find('='));
    Words known{"--help"};
    for (const Argument& argument : level.command->arguments) {
      if (argument.is_option()) known.push_back(argument.name);
      if (!argument.option.empty()) known.push_back(argument.option);
    }
    refuse(level, "there is no option " + name + graph::suggestion(name, known));
  }
  if (level.command->parts.empty()) {
    refuse(level, "\"" + word + "\" is one argument too many");
  }
  Words known;
  for (const Command& part : level.command->parts) known.push_back(part.name);
  refuse(level, "there is no command \"" + word + "\"" + graph::suggestion(word, known) +
                    (word.ends_with(".json") ? "; flowqat run FILE runs a graph" : ""));
}

/// An option's name in the place of a value means that the value was forgotten.
void check_values(const Level& level, const Argument& argument, const Words& given) {
  for (const std::string& value : given) {
    if (!value.starts_with("--")) continue;
    for (const Argument& other : level.command->arguments) {
      if (other.name == value || other.option == value) {
        refuse(level,
               argument.name + ": expected " + argument.value + " behind it, found " + value);
      }
    }
  }
}

void fill(const Level& level) {
  const std::vector<Argument>& arguments = level.command->arguments;
  const auto given = [&](const std::string& name) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      if (arguments[i].name == name) return level.options[i]->count() > 0;
    }
    return false;
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Argument& argument = arguments[i];
    Words words = level.options[i]->results();
    std::string name = argument.name;
    if (level.also[i] != nullptr && level.also[i]->count() > 0) {
      if (words.empty()) name = argument.option;
      const Words more = level.also[i]->results();
      words.insert(words.end(), more.begin(), more.end());
    }
    if (words.empty()) {
      if (!argument.required) continue;
      refuse(level, name + (argument.option.empty() ? "" : " (or " + argument.option + ")") +
                        " is missing: " + argument.doc);
    }
    if (!argument.excludes.empty() && given(argument.excludes)) {
      refuse(level, argument.name + " and " + argument.excludes + " cannot both be given");
    }
    if (argument.is_option()) check_values(level, argument, words);
    set_value(argument, name, words);
  }
}

/// Options of the program do nothing for a command.
void check_nothing_given(const Level& level, const Level& command) {
  for (const std::vector<CLI::Option*>* options : {&level.options, &level.also}) {
    for (const CLI::Option* option : *options) {
      if (option == nullptr || option->count() == 0) continue;
      refuse(command, option->get_name() + ": options belong behind the command, as in " +
                          command.shown + " " + option->get_name() + " ...");
    }
  }
}

}  // namespace

Parsed parse(const Command& program, int argc, const char* const* argv) {
  CLI::App app;
  const Levels levels(app, program);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    refuse(*levels.typed().back(), error.what());
  }
  const std::vector<const Level*> typed = levels.typed();
  Parsed parsed;
  for (const Level* level : typed) {
    parsed.path.push_back(level->command);
    parsed.wants_help |= level->help->count() > 0;
  }
  if (parsed.wants_help) return parsed;
  for (const Level* level : typed) {
    check_unknown(*level);
    if (level != typed.back()) check_nothing_given(*level, *typed.back());
  }
  fill(*typed.back());
  if (!typed.back()->command->run) refuse(*typed.back(), "expected one of its commands behind it");
  return parsed;
}

}  // namespace flowqat::cli
