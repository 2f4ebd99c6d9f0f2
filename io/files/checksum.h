/// MD5, SHA-1 and SHA-256 of what streams by.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;

namespace flowqat::io {

enum class ChecksumKind {
  md5,
  sha256,
  git_blob,  ///< what git names a file by: SHA-1 of "blob SIZE", a zero byte, and its bytes
};

/// What a file's bytes must come to.
struct Checksum {
  ChecksumKind kind = ChecksumKind::md5;
  std::string hex = {};  ///< lower case
};

/// "MD5", "SHA-256", "SHA-1 (git's)".
const char* name_of(ChecksumKind kind);
/// Whether `hex` is one in lower case.
bool is_checksum(ChecksumKind kind, const std::string& hex);

class Digest {
 public:
  /// For a file of `bytes` bytes, which only ChecksumKind::git_blob needs to know.
  Digest(ChecksumKind kind, int64_t bytes);
  void add(std::span<const std::byte> bytes);
  /// To be called once, at the end.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace flowqat::io
