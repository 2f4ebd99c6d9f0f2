#include "io/fetch/librispeech_archives.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <optional>

#include "io/fetch/download.h"
#include "io/fetch/extract_tar.h"
#include "io/files/atomic_file.h"
#include "io/files/json_file.h"
#include "io/files/parallel.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableVariable = "FLOWQAT_LIBRISPEECH_TABLE";

/// Sums of archives stay numbers, whatever a table says.
constexpr uint64_t most_archive_bytes = uint64_t{1} << 50;

const std::vector<LibriSpeechArchive>& official() {
  static const std::vector<LibriSpeechArchive> archives{
      {"dev-clean", 337'926'286, "42e2234ba48799c1f50f24a7926300a1"},
      {"dev-other", 314'305'928, "c8d0bcc9cca99d4f8b62fcc847357931"},
      {"test-clean", 346'663'984, "32fa31d27d2e1cad72775fee3f4849a9"},
      {"test-other", 328'757'843, "fb5a50374b501bb3bac4815ee91d3135"},
      {"train-clean-100", 6'387'309'499, "2a93770f6d5c6c964bc36631d331a522"},
      {"train-clean-360", 23'049'477'885, "c0e676e450a7ff2f54aeade5171606fa"},
      {"train-other-500", 30'593'501'606, "d1a0fd59409feb2c614ce4d30c387708"},
  };
  return archives;
}

std::vector<LibriSpeechArchive> read_table(const fs::path& path) {
  const nlohmann::json table = read_json(path);
  std::vector<LibriSpeechArchive> archives;
  const auto text = [&](const std::string& split, const char* what) {
    return Error(path, "split \"" + split + "\": expected " + what + " (" + kTableVariable +
                           " names this file)");
  };
  if (!table.is_object()) throw text("", "an object of splits");
  for (const auto& [split, archive] : table.items()) {
    const auto bytes = archive.find("bytes"), md5 = archive.find("md5");
    if (!archive.is_object() || bytes == archive.end() || !bytes->is_number_unsigned() ||
        bytes->get<uint64_t>() > most_archive_bytes) {
      throw text(split, "\"bytes\", a whole number");
    }
    if (md5 == archive.end() || !md5->is_string() || !is_checksum(ChecksumKind::md5, *md5)) {
      throw text(split, "\"md5\", 32 hexadecimal digits");
    }
    if (split.empty() || fs::path(split).filename() != split || split.starts_with('.')) {
      throw text(split, "a plain name");
    }
    archives.push_back({split, bytes->get<int64_t>(), md5->get<std::string>()});
  }
  return archives;
}

fs::path partial_path(const fs::path& folder, const std::string& split) {
  return folder / (split + ".tar.gz.partial");
}

/// FLAC hardly shrinks in gzip; files are rounded up to whole blocks.
int64_t unpacked_bytes(const LibriSpeechArchive& archive) {
  return archive.bytes + archive.bytes / 10;
}

/// Everything that was written to the file system of `folder`, at once: a split has up to 100,000
/// files.
void sync_file_system(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::syncfs(descriptor) == 0;
  const std::string why = std::strerror(errno);
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) throw Error(folder, "cannot be synced to the disk: " + why);
}

/// Gives what was unpacked its final place: first the archive's own README and lists, then the
/// split, which is the sign that all of it is there.
void put_in_place(const fs::path& unpacked, const fs::path& folder, const std::string& split,
                  const std::string& url) {
  const fs::path inner = unpacked / "LibriSpeech";
  if (!fs::is_directory(inner / split)) {
    throw Error(url + ": its content is not LibriSpeech/" + split +
                "/...; another mirror may help");
  }
  sync_file_system(unpacked);
  for (const auto& entry : fs::directory_iterator(inner)) {
    const fs::path target = folder / entry.path().filename();
    if (entry.is_regular_file() && !fs::exists(target)) fs::rename(entry.path(), target);
  }
  fs::rename(inner / split, folder / split);
  sync_folder_of(folder / split);
}

void fetch_split(const LibriSpeechArchive& archive, const fs::path& folder,
                 const std::string& base_url, FetchMonitor& monitor) {
  const std::string name = archive.split + ".tar.gz";
  const std::string url = base_url + (base_url.ends_with('/') ? "" : "/") + name;
  const fs::path unpacked = folder / (archive.split + ".unpacking");
  PartialFile partial(partial_path(folder, archive.split));
  // While another process had it locked, it may have come to its end.
  if (fs::is_directory(folder / archive.split)) return partial.remove();
  const struct Cleaning {
    const fs::path& folder;
    ~Cleaning() {
      std::error_code ignored;
      fs::remove_all(folder, ignored);
    }
  } cleaning{unpacked};
  RemoteFile file;
  file.name = name;
  file.url = url;
  file.bytes = archive.bytes;
  file.checksum = {ChecksumKind::md5, archive.md5};
  file.advice =
      "try again, or name a mirror with --base-url or the key \"base_url\" "
      "(https://www.openslr.org/12 lists some)";
  fetch_file(file, partial, monitor, [&](const ReadBytes& read) {
    fs::remove_all(unpacked);
    fs::create_directory(unpacked);
    extract_tar(read, unpacked);
  });
  put_in_place(unpacked, folder, archive.split, url);
  partial.remove();
  monitor.say(archive.split + ": verified and unpacked in " + (folder / archive.split).string());
}

}  // namespace

std::vector<LibriSpeechArchive> librispeech_archives() {
  const char* table = std::getenv(kTableVariable);
  return table && *table ? read_table(table) : official();
}

fs::path librispeech_folder(const fs::path& root) {
  if (fs::is_directory(root / "LibriSpeech")) return root / "LibriSpeech";
  const fs::path plain = root.has_filename() ? root : root.parent_path();
  if (plain.filename() == "LibriSpeech") return plain;
  for (const LibriSpeechArchive& archive : librispeech_archives()) {
    if (fs::is_directory(plain / archive.split)) return plain;
  }
  return plain / "LibriSpeech";
}

LibriSpeechPlan plan_librispeech(const std::vector<std::string>& splits, const fs::path& root,
                                 int jobs) {
  LibriSpeechPlan plan{.folder = librispeech_folder(root)};
  const std::vector<LibriSpeechArchive> known = librispeech_archives();
  std::vector<int64_t> archives;
  for (const std::string& split : splits) {
    if (fs::is_directory(plan.folder / split)) {
      plan.there.push_back(split);
      continue;
    }
    const auto found = std::ranges::find(known, split, &LibriSpeechArchive::split);
    if (found == known.end()) {
      std::string names;
      for (const auto& archive : known) names += (names.empty() ? "" : ", ") + archive.split;
      throw Error("split \"" + split + "\": is none of LibriSpeech's, which are " + names);
    }
    if (std::ranges::count(plan.missing, split, &LibriSpeechArchive::split) > 0) continue;
    const int64_t kept =
        std::min(found->bytes, PartialFile::bytes_at(partial_path(plan.folder, split)));
    plan.missing.push_back(*found);
    plan.bytes += found->bytes;
    plan.kept_bytes += kept;
    plan.disk_bytes += unpacked_bytes(*found);
    archives.push_back(found->bytes - kept);
  }
  // An archive goes when its split is there: no more of them than `jobs` lie on the disk at once.
  std::ranges::sort(archives, std::greater());
  for (size_t i = 0; i < archives.size() && i < static_cast<size_t>(std::max(jobs, 1)); ++i) {
    plan.disk_bytes += archives[i];
  }
  return plan;
}

std::string describe(const LibriSpeechPlan& plan) {
  std::string names;
  for (const auto& archive : plan.missing) names += (names.empty() ? "" : ", ") + archive.split;
  return fetching_text(plan.bytes, plan.kept_bytes) + " of LibriSpeech (" + names + ") to " +
         plan.folder.string();
}

void fetch_librispeech(const LibriSpeechPlan& plan, const std::string& base_url,
                       const FetchOptions& options) {
  if (plan.missing.empty()) return;
  check_free_space(plan.folder, plan.disk_bytes, "the archives and what is in them");
  FetchMonitor monitor(options,
                       plan.missing.size() == 1 ? plan.missing.front().split
                                                : std::to_string(plan.missing.size()) + " splits",
                       plan.bytes, plan.kept_bytes);
  std::mutex mutex;
  std::exception_ptr first;
  parallel_for(plan.missing.size(), std::max(options.jobs, 1), [&](size_t i) {
    try {
      monitor.check();
      fetch_split(plan.missing[i], plan.folder, base_url, monitor);
    } catch (const std::runtime_error& error) {
      const std::lock_guard lock(mutex);
      if (first) {
        monitor.say(error.what());
      } else if (dynamic_cast<const Error*>(&error) != nullptr) {
        first = std::current_exception();
      } else {
        first = std::make_exception_ptr(Error(error.what()));
      }
    }
  });
  if (first) std::rethrow_exception(first);
}

}  // namespace flowqat::io
