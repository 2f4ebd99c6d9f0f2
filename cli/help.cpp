#include "cli/help.h"

#include <algorithm>

#include "cli/argument_value.h"
#include "cli/markdown.h"

namespace flowqat::cli {
namespace {

constexpr size_t width = 80, widest_name = 22;

using Path = std::vector<const Command*>;

std::string full_name(const Path& path) {
  std::string name;
  for (const Command* command : path) name += (name.empty() ? "" : " ") + command->name;
  return name;
}

/// "MODEL", "AUDIO...", "--batch N"
std::string shown(const Argument& argument) {
  if (!argument.is_option()) return argument.name + (argument.is_list() ? "..." : "");
  return argument.name + (argument.value.empty() ? "" : " " + argument.value);
}

/// What it is, and what holds if it is not given.
std::string described(const Argument& argument) {
  std::string text = argument.doc;
  if (!argument.option.empty()) text += " (or " + argument.option + " " + argument.value + ")";
  if (argument.is_option() && argument.required) text += " (needed)";
  const std::string fallback = default_text(argument);
  return fallback.empty() ? text : text + " (default: " + fallback + ")";
}

std::string usage(const Path& path) {
  const Command& command = *path.back();
  const std::string name = full_name(path);
  std::string text;
  if (command.run) {
    text = name;
    bool has_optional = false;
    for (const Argument& argument : command.arguments) {
      const std::string one = shown(argument);
      if (!argument.is_option()) {
        text += argument.required ? " " + one : " [" + one + "]";
      } else if (argument.required) {
        text += " " + one;
      } else {
        has_optional = true;
      }
    }
    if (has_optional) text += " [OPTION]...";
    text += "\n";
  }
  if (!command.parts.empty()) text += name + " COMMAND ...\n";
  return text;
}

/// Words in lines of at most `width`, the second and further ones behind `indent` blanks.
std::string wrapped(const std::string& text, size_t column, size_t indent) {
  std::string lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (column > indent && column + word.size() + 1 > width) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += " ";
      ++column;
    }
    lines += word;
    column += word.size();
    begin = end + 1;
  }
  return lines + "\n";
}

struct Row {
  std::string name, doc;
};

std::string table(const std::string& title, const std::vector<Row>& rows) {
  if (rows.empty()) return "";
  size_t column = 0;
  for (const Row& row : rows) {
    if (row.name.size() <= widest_name) column = std::max(column, row.name.size());
  }
  column += 4;
  std::string text = "\n" + title + "\n";
  for (const Row& row : rows) {
    std::string line = "  " + row.name;
    if (line.size() + 2 > column) {
      text += line + "\n";
      line.clear();
    }
    line.resize(column, ' ');
    text += line + wrapped(row.doc, column, column);
  }
  return text;
}

std::vector<Row> argument_rows(const Command& command, bool options) {
  std::vector<Row> rows;
  for (const Argument& argument : command.arguments) {
    if (argument.is_option() == options) rows.push_back({shown(argument), described(argument)});
  }
  return rows;
}

/// Within a table's code, where only its own bar must be escaped.
std::string in_code(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

void add_section(const Path& path, std::string& page) {
  const Command& command = *path.back();
  page += "\n## " + full_name(path) + "\n\n" + sentence(command.doc) + "\n";
  if (!command.notes.empty()) page += "\n" + command.notes + "\n";
  page += "\n```text\n" + usage(path) + "```\n";
  if (!command.arguments.empty()) {
    page += "\n| argument | what it is |\n|---|---|\n";
    for (const Argument& argument : command.arguments) {
      page +=
          "| `" + in_code(shown(argument)) + "` | " + escape_markdown(described(argument)) + " |\n";
    }
  }
  page += "\n```sh\n";
  for (const std::string& example : command.examples) page += example + "\n";
  page += "```\n";
  for (const Command& part : command.parts) {
    Path deeper = path;
    deeper.push_back(&part);
    add_section(deeper, page);
  }
}

}  // namespace

std::string help_text(const Path& path) {
  const Command& command = *path.back();
  std::string text = wrapped(full_name(path) + ": " + command.doc, 0, 0) + "\nusage\n";
  const std::string lines = usage(path);
  for (size_t begin = 0; begin < lines.size(); begin = lines.find('\n', begin) + 1) {
    text += "  " + lines.substr(begin, lines.find('\n', begin) + 1 - begin);
  }
  std::vector<Row> parts;
  for (const Command& part : command.parts) parts.push_back({part.name, part.doc});
  text += table("commands", parts) + table("arguments", argument_rows(command, false));
  std::vector<Row> options = argument_rows(command, true);
  options.push_back({"-h, --help", "print this and do nothing"});
  text += table("options", options) + "\nexamples\n";
  for (const std::string& example : command.examples) text += "  " + example + "\n";
  return command.notes.empty() ? text : text + "\n" + wrapped(command.notes, 0, 0);
}

std::string help_page(const Command& program) {
  std::string page =
      "# Commands\n\nWhat `flowqat --help` and the help of each command say, printed by\n"
      "`flowqat help --markdown`.\n";
  add_section({&program}, page);
  return page;
}

}  // namespace flowqat::cli
