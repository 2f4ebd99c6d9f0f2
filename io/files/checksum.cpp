#include "io/files/checksum.h"

#include <openssl/evp.h>

#include <array>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

const EVP_MD* algorithm(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::md5:
      return EVP_md5();
    case ChecksumKind::sha256:
      return EVP_sha256();
    case ChecksumKind::git_blob:
      break;
  }
  return EVP_sha1();
}

void check(int status, const char* what) {
  if (status == 1) return;
  throw Error(std::string("libcrypto cannot compute this checksum (") + what +
              "); a system that allows only some, as FIPS mode does, refuses MD5 and SHA-1");
}

}  // namespace

const char* name_of(ChecksumKind kind) {
  switch (kind) {
    case ChecksumKind::md5:
      return "MD5";
    case ChecksumKind::sha256:
      return "SHA-256";
    case ChecksumKind::git_blob:
      break;
  }
  return "SHA-1 (git's)";
}

bool is_checksum(ChecksumKind kind, const std::string& hex) {
  const auto digits = 2 * static_cast<size_t>(EVP_MD_get_size(algorithm(kind)));
  return hex.size() == digits && hex.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void Digest::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Digest::Digest(ChecksumKind kind, int64_t bytes) : context_(EVP_MD_CTX_new()) {
  check(EVP_DigestInit_ex(context_.get(), algorithm(kind), nullptr), name_of(kind));
  if (kind != ChecksumKind::git_blob) return;
  const std::string head = "blob " + std::to_string(bytes) + '\0';
  add(std::as_bytes(std::span(head)));
}

void Digest::add(std::span<const std::byte> bytes) {
  check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "update");
}

std::string Digest::hex() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context_.get(), value.data(), &size), "end");
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += {kDigits[value[i] >> 4], kDigits[value[i] & 15]};
  return text;
}

}  // namespace flowqat::io
