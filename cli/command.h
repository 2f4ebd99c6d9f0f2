/// What a command of the program is: its name, what it is told, what it does. Reading a command
/// line (parse.h) and every help text (help.h) come from what is declared here.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace flowqat::cli {

/// Where a value goes. bool: a flag, which takes none. A vector: as many as are given.
using Target = std::variant<bool*, int*, int64_t*, uint64_t*, double*, std::string*,
                            std::vector<std::string>*>;

struct Argument {
  std::string name = {};   ///< "--batch", or "MODEL" for one that is known by its place
  std::string value = {};  ///< what an option takes, as the help shows it: "N"
  std::string doc = {};    ///< what it is, in a few words
  Target target = {};      ///< outlives the parsing; what is in it before is the default
  bool required = false;
  std::string option = {};  ///< of one known by its place: may also be given by this name
  std::optional<double> minimum = {}, maximum = {};  ///< of a number
  std::vector<std::string> choices = {};             ///< of a text; empty: any
  std::string excludes = {};  ///< the name of another that cannot be given too
  std::string fallback = {};  ///< the default in words, where the target's value does not show it

  bool may_stand_alone = false;  ///< an option whose value may be left out, and is empty then

  bool is_option() const { return name.starts_with("--"); }
  bool is_flag() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
};

struct Command {
  std::string name = {};   ///< as it is typed behind those that it belongs to
  std::string doc = {};    ///< one line
  std::string notes = {};  ///< a paragraph more, below all else
  std::vector<std::string> examples = {};
  std::vector<Argument> arguments = {};
  std::vector<Command> parts = {};  ///< commands that may be typed behind it
  /// Returns the exit status (commands.h). Empty: one of the parts must be given.
  std::function<int()> run = {};
};

}  // namespace flowqat::cli
