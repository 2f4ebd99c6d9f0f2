/// Tables with a line of column names: CSV (RFC 4180; by comma, semicolon or bar) and TSV.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "io/files/line_reader.h"

namespace flowqat::io {

/// One row, as wide as the header; what is missing at its end is empty.
struct TableRow {
  std::vector<std::string> fields;
  int64_t line = 0;    ///< where it begins; the first is 1
  std::string broken;  ///< why its fields cannot be told; empty if they can
};

/// The fields of one line, spaces around them left out; `separator` as for TableReader.
std::vector<std::string> split_header(const std::string& line, char separator);

class TableReader {
 public:
  /// Reads the header, the first line that is not blank. `lines` outlives the reader.
  /// `separator`: ',', ';' or '|', where a field in quotes may hold it, the end of a line, and
  /// quotes written twice; or a tab, where a field is what stands between two tabs, and quotes
  /// around a whole field are taken off (Common Voice writes quotes as they are).
  TableReader(LineReader& lines, char separator);

  const std::vector<std::string>& header() const { return header_; }
  /// The next row; none behind the last. A quote that is not closed costs its line, not the rest of
  /// the file.
  std::optional<TableRow> next();

 private:
  struct Line {
    std::string text;
    int64_t number = 0;
  };
  std::optional<Line> next_line();

  LineReader& lines_;
  char separator_;
  std::vector<std::string> header_;
  std::deque<Line> put_back_;
};

}  // namespace flowqat::io
