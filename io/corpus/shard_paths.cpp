#include "io/corpus/shard_paths.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string_view>

#include "io/files/companion.h"
#include "io/files/error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

constexpr size_t most_paths = 1'000'000;
/// Each is a call within the one before.
constexpr std::ptrdiff_t most_braces = 100;

/// Where the brace at `open` is closed; npos if it is not.
size_t closing_brace(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

/// `text` cut at the commas that stand in no inner brace.
std::vector<std::string> at_commas(std::string_view text) {
  std::vector<std::string> parts{""};
  int depth = 0;
  for (const char c : text) {
    depth += (c == '{') - (c == '}');
    if (c == ',' && depth == 0) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::optional<uint64_t> number_of(std::string_view digits) {
  uint64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, code] = std::from_chars(digits.data(), end, number);
  if (code != std::errc() || at != end) return std::nullopt;
  return number;
}

std::vector<std::string> numbers_in(std::string_view range, const std::string& pattern) {
  const size_t dots = range.find("..");
  const auto first = number_of(range.substr(0, dots));
  const auto last =
      dots == std::string_view::npos ? std::nullopt : number_of(range.substr(dots + 2));
  if (!first || !last) {
    throw Error(pattern, "expected {000000..000127} or {a,b}, found {" + std::string(range) + "}");
  }
  const uint64_t steps = std::max(*first, *last) - std::min(*first, *last);
  if (steps >= most_paths) {
    throw Error(pattern, "{" + std::string(range) + "} are more than a million paths");
  }
  const size_t width = std::max(dots, range.size() - dots - 2);
  const bool padded = range[0] == '0' || range[dots + 2] == '0';
  std::vector<std::string> numbers;
  for (uint64_t i = 0; i <= steps; ++i) {
    std::string digits = std::to_string(*first < *last ? *first + i : *first - i);
    if (padded && digits.size() < width) digits.insert(0, width - digits.size(), '0');
    numbers.push_back(std::move(digits));
  }
  return numbers;
}

void expand(const std::string& rest, const std::string& before, const std::string& pattern,
            std::vector<std::string>& paths) {
  const size_t open = rest.find('{');
  if (open == std::string::npos) {
    if (paths.size() == most_paths) throw Error(pattern, "stands for more than a million paths");
    paths.push_back(before + rest);
    return;
  }
  const size_t close = closing_brace(rest, open);
  if (close == std::string::npos) throw Error(pattern, "a { in it is not closed");
  const std::string inner = rest.substr(open + 1, close - open - 1);
  std::vector<std::string> choices = at_commas(inner);
  if (choices.size() == 1) choices = numbers_in(inner, pattern);
  for (const std::string& choice : choices) {
    expand(choice + rest.substr(close + 1), before + rest.substr(0, open), pattern, paths);
  }
}

std::vector<fs::path> tar_files_in(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> files;
  std::string other;
  fs::directory_iterator next(folder, code);
  for (; !code && next != fs::directory_iterator(); next.increment(code)) {
    const std::string name = next->path().filename().string();
    if (is_companion(name)) continue;
    if (next->path().extension() == ".tar") files.push_back(next->path());
    if (name.find(".tar.") != std::string::npos || name.ends_with(".tgz")) other = name;
  }
  if (code) throw Error(folder, "cannot be listed: " + code.message());
  if (files.empty()) {
    throw Error(folder, "expected *.tar in it, found " +
                            (other.empty() ? "none" : other + "; unpack compressed shards first"));
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern) {
  if (std::count(pattern.begin(), pattern.end(), '{') > most_braces) {
    throw Error(pattern, "has more than " + std::to_string(most_braces) + " braces");
  }
  std::vector<std::string> paths;
  expand(pattern, "", pattern, paths);
  return paths;
}

ShardPaths find_shards(const std::vector<std::string>& paths) {
  ShardPaths found;
  std::set<fs::path> seen;
  const auto add = [&](const fs::path& file) {
    if (!seen.insert(fs::absolute(file).lexically_normal()).second) {
      throw Error(file, "is listed twice; name each shard once");
    }
    found.files.push_back(file);
  };
  for (const std::string& path : paths) {
    std::error_code code;
    // A name that holds braces is that of a file, where there is one.
    for (const fs::path file : fs::exists(path, code) ? std::vector{path} : expand_braces(path)) {
      if (fs::is_directory(file, code)) {
        found.folders.push_back(file);
        for (const fs::path& shard : tar_files_in(file)) add(shard);
      } else if (fs::exists(file, code)) {
        add(file);
      } else {
        throw Error(file,
                    "expected a tar file, a folder of them, or a pattern such as "
                    "train-{000000..000127}.tar, found nothing");
      }
    }
  }
  return found;
}

}  // namespace flowqat::io
