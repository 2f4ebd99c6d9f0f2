/// LibriSpeech's splits from OpenSLR, resource 12 (https://www.openslr.org/12).
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/fetch/fetch.h"

namespace flowqat::io {

constexpr const char* kOpenSlr = "https://www.openslr.org/resources/12/";

struct LibriSpeechArchive {
  std::string split;
  int64_t bytes;    ///< of SPLIT.tar.gz
  std::string md5;  ///< as OpenSLR's md5sum.txt has it
};

/// The official ones. Where the environment variable FLOWQAT_LIBRISPEECH_TABLE names a JSON file,
/// {"SPLIT": {"bytes": N, "md5": "HEX"}, ...}, those in it instead: for a mirror that packs other
/// archives. Throws Error when that cannot be read.
std::vector<LibriSpeechArchive> librispeech_archives();

/// Where the splits of `root` lie or will lie: LibriSpeech/ in it, unless it is that folder itself.
std::filesystem::path librispeech_folder(const std::filesystem::path& root);

/// What a fetch has to do.
struct LibriSpeechPlan {
  std::filesystem::path folder = {};  ///< librispeech_folder()
  std::vector<LibriSpeechArchive> missing = {};
  std::vector<std::string> there = {};
  int64_t bytes = 0;       ///< of the missing archives
  int64_t kept_bytes = 0;  ///< of them that an earlier try has left
  int64_t disk_bytes = 0;  ///< free space needed: what is still to come, and room to unpack it
};

/// Looks at the disk alone. A split counts as there when its folder is: fetch_librispeech() gives
/// it its name only when it is whole. Throws Error for a split that has no archive, naming those
/// that have.
LibriSpeechPlan plan_librispeech(const std::vector<std::string>& splits,
                                 const std::filesystem::path& root, int jobs);

/// "fetching 6.7 GB: dev-clean, train-clean-100 (of it 1.2 GB are there) to FOLDER".
std::string describe(const LibriSpeechPlan& plan);

/// Fetches, verifies and unpacks what is missing. Each archive lies beside the splits as
/// SPLIT.tar.gz.partial until its split is whole, so the disk must hold both; it is unpacked into
/// SPLIT.unpacking while it comes, and only after its checksum was right, and everything is on the
/// disk, does that become the split. One failing archive does not stop the others. Throws Error
/// (the first one; others are said), Stopped.
void fetch_librispeech(const LibriSpeechPlan& plan, const std::string& base_url,
                       const FetchOptions& options);

}  // namespace flowqat::io
