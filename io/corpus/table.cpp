#include "io/corpus/table.h"

#include <algorithm>
#include <iterator>

namespace flowqat::io {
namespace {

/// No text of an utterance goes over more lines.
constexpr size_t most_lines = 50;

std::vector<std::string> at_tabs(const std::string& line) {
  std::vector<std::string> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  for (std::string& field : fields) {
    if (field.size() < 2 || !field.starts_with('"') || !field.ends_with('"')) continue;
    std::string inner;
    bool is_quoted = true;
    for (size_t i = 1; i + 1 < field.size(); ++i) {
      inner += field[i];
      if (field[i] != '"') continue;
      is_quoted = is_quoted && i + 2 < field.size() && field[i + 1] == '"';
      ++i;
    }
    if (is_quoted) field = inner;
  }
  return fields;
}

/// None if a quote is not closed.
std::optional<std::vector<std::string>> at_separators(const std::string& text, char separator) {
  std::vector<std::string> fields{""};
  bool in_quotes = false, is_new = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes) {
      if (c != '"') {
        fields.back() += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += c;
        ++i;
      } else {
        in_quotes = false;
      }
    } else if (c == separator) {
      fields.emplace_back();
      is_new = true;
      continue;
    } else if (c == '"' && is_new) {
      in_quotes = true;
    } else {
      fields.back() += c;
    }
    is_new = false;
  }
  if (in_quotes) return std::nullopt;
  return fields;
}

std::string without_spaces_around(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

}  // namespace

std::vector<std::string> split_header(const std::string& line, char separator) {
  auto fields = separator == '\t' ? at_tabs(line) : at_separators(line, separator);
  if (!fields) return {};
  for (std::string& field : *fields) field = without_spaces_around(field);
  return *fields;
}

TableReader::TableReader(LineReader& lines, char separator) : lines_(lines), separator_(separator) {
  auto line = next_line();
  while (line && is_blank(line->text)) line = next_line();
  if (line) header_ = split_header(line->text, separator);
}

std::optional<TableReader::Line> TableReader::next_line() {
  Line line;
  if (!put_back_.empty()) {
    line = std::move(put_back_.front());
    put_back_.pop_front();
    return line;
  }
  if (!lines_.next(line.text)) return std::nullopt;
  line.number = lines_.number();
  return line;
}

std::optional<TableRow> TableReader::next() {
  std::optional<Line> line = next_line();
  while (line && is_blank(line->text)) line = next_line();
  if (!line) return std::nullopt;
  TableRow row{.fields = {}, .line = line->number, .broken = {}};
  if (separator_ == '\t') {
    row.fields = at_tabs(line->text);
  } else {
    std::string text = line->text;
    std::vector<Line> more;
    auto fields = at_separators(text, separator_);
    while (!fields && more.size() < most_lines) {
      auto next = next_line();
      if (!next) break;
      text += "\n" + next->text;
      more.push_back(std::move(*next));
      fields = at_separators(text, separator_);
    }
    if (!fields || (!more.empty() && fields->size() != header_.size())) {
      row.broken = "a quote is opened in it and not closed";
      put_back_.insert(put_back_.begin(), std::make_move_iterator(more.begin()),
                       std::make_move_iterator(more.end()));
      return row;
    }
    row.fields = std::move(*fields);
  }
  if (row.fields.size() > header_.size()) {
    row.broken = "expected " + std::to_string(header_.size()) +
                 " columns, as the header has, found " + std::to_string(row.fields.size());
    if (separator_ != '\t') {
      row.broken +=
          std::string("; a text that holds \"") + separator_ + "\" needs quotes around it";
    }
    return row;
  }
  row.fields.resize(header_.size());
  return row;
}

}  // namespace flowqat::io
