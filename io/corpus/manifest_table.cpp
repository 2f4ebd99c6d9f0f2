/// Tables of recordings and texts with named columns, such as Common Voice's.
#include <algorithm>
#include <charconv>

#include "io/corpus/manifest_entry.h"
#include "io/corpus/table.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

/// In the order in which they are taken where several are there.
const Names audio_names{"path",     "audio_filepath", "audio_path", "audio_file", "file_name",
                        "filename", "wav_filename",   "audio",      "file",       "wav"};
const Names text_names{"sentence", "text", "transcript", "transcription", "wrd"};
const Names speaker_names{"client_id", "speaker", "speaker_id", "spk_id"};
/// Times under other names than NeMo's: whole recordings with the texts of parts would be wrong.
const Names foreign_times{"start", "end", "start_time", "end_time", "begin", "start_s", "end_s"};

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

/// Which of `header` bears the first of `names` that is there.
std::optional<size_t> column_of(const Names& header, const Names& names) {
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(
        header, [&](const std::string& column) { return lower(column) == lower(name); });
    if (found != header.end()) return static_cast<size_t>(found - header.begin());
  }
  return std::nullopt;
}

std::string joined(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

Names names_or(const std::string& key, const Names& names) {
  return key.empty() ? names : Names{key};
}

struct Columns {
  size_t audio = 0;
  std::optional<size_t> text, speaker, offset, duration;
};

Columns columns_of(const Names& header, const ManifestKeys& keys, const fs::path& path) {
  const std::string found = "found the columns " + excerpt(joined(header), 400);
  const auto audio = column_of(header, names_or(keys.audio, audio_names));
  if (!audio) {
    throw Error(path, "expected a header with a column of the audio (" +
                          printable(joined(names_or(keys.audio, audio_names))) + "), " + found);
  }
  Columns columns{.audio = *audio,
                  .text = column_of(header, names_or(keys.text, text_names)),
                  .speaker = column_of(header, speaker_names),
                  .offset = column_of(header, {"offset"}),
                  .duration = column_of(header, {"duration"})};
  if (!keys.text.empty() && !columns.text) {
    throw Error(path, "expected the column " + excerpt(keys.text) + ", " + found);
  }
  if (const auto foreign = column_of(header, foreign_times); foreign && !columns.offset) {
    throw Error(path, "the column " + excerpt(header[*foreign]) +
                          " tells of parts of recordings; they are told by \"offset\" and "
                          "\"duration\", in seconds: rename or compute these, or take it out");
  }
  return columns;
}

std::optional<double> seconds_in(const TableRow& row, std::optional<size_t> column,
                                 const fs::path& where) {
  if (!column || is_blank(row.fields[*column])) return std::nullopt;
  const std::string& field = row.fields[*column];
  double seconds = -1;
  const char* end = field.data() + field.size();
  const auto [stop, code] = std::from_chars(field.data(), end, seconds);
  // Not a number is not at least 0 either.
  if (code == std::errc() && stop == end && seconds >= 0 && seconds < 1e12) return seconds;
  throw Error(where, "expected a time of at least 0 s, found " + excerpt(field));
}

void read_row(const TableRow& row, const Columns& columns, const fs::path& where,
              ManifestEntry& stated) {
  if (!row.broken.empty()) throw Error(where, row.broken);
  if (is_blank(row.fields[columns.audio])) throw Error(where, "names no audio");
  stated.entry.place = fs::path(row.fields[columns.audio]);
  if (columns.text) {
    stated.entry.transcript = row.fields[*columns.text];
    std::ranges::replace(stated.entry.transcript, '\n', ' ');
    stated.has_text = !is_blank(stated.entry.transcript);
  }
  if (columns.speaker) stated.entry.speaker = row.fields[*columns.speaker];
  if (const auto offset_s = seconds_in(row, columns.offset, where)) {
    stated.segment = {*offset_s, seconds_in(row, columns.duration, where)};
  }
}

/// Of a header that is there.
char separator_of(const std::string& line, const ManifestKeys& keys) {
  if (const char found = table_separator(line, keys); found != 0) return found;
  // For the message on what is missing, the one that cuts the line most often.
  constexpr std::string_view separators = "\t,;|";
  return *std::ranges::max_element(separators, {},
                                   [&](char c) { return std::ranges::count(line, c); });
}

TableReader open_table(LineReader& lines, const ManifestKeys& keys) {
  std::string first;
  LineReader look(lines.path());
  next_text(look, first);
  return {lines, separator_of(first, keys)};
}

}  // namespace

char table_separator(const std::string& line, const ManifestKeys& keys) {
  for (const char separator : {'\t', ',', ';', '|'}) {
    const Names header = split_header(line, separator);
    if (header.size() > 1 && column_of(header, names_or(keys.audio, audio_names))) return separator;
  }
  return 0;
}

Manifest read_table(LineReader& lines, const ManifestKeys& keys) {
  TableReader table = open_table(lines, keys);
  const Columns columns = columns_of(table.header(), keys, lines.path());
  Manifest manifest;
  manifest.other_root = "clips";  // Common Voice's
  while (const auto row = table.next()) {
    const fs::path where = lines.path().native() + ", line " + std::to_string(row->line);
    add_line(lines, manifest,
             [&](ManifestEntry& stated) { read_row(*row, columns, where, stated); });
    manifest.entries.back().line = row->line;
  }
  return manifest;
}

std::string describe_table_texts(LineReader& lines, const ManifestKeys& keys) {
  const Names header = open_table(lines, keys).header();
  return "expected the texts in a column named " +
         printable(joined(names_or(keys.text, text_names))) + "; " +
         printable(lines.path().native()) + " has the columns " + excerpt(joined(header), 400) +
         ", and the key \"text_key\" names another";
}

}  // namespace flowqat::io
