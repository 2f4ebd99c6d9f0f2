#include "graph/digest.h"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace flowqat::graph {
namespace {

void update_text(XXH3_state_t* state, const std::string& text) {
  const uint64_t size = text.size();
  XXH3_128bits_update(state, &size, sizeof size);
  XXH3_128bits_update(state, text.data(), text.size());
}

void update_spans(XXH3_state_t* state, const std::vector<MaskSpan>& spans) {
  const uint64_t size = spans.size();
  XXH3_128bits_update(state, &size, sizeof size);
  XXH3_128bits_update(state, spans.data(), spans.size() * sizeof(MaskSpan));
}

}  // namespace

XXH128_hash_t digest_row(const Row& row, std::span<const float> samples) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(),
                                                                       XXH3_freeState);
  XXH3_128bits_reset(state.get());
  update_text(state.get(), row.entry->id);
  update_text(state.get(), row.entry->transcript);
  update_text(state.get(), row.rejected ? row.rejected->node : "");
  update_spans(state.get(), row.time_masks);
  update_spans(state.get(), row.channel_masks);
  const int64_t copy = row.copy;
  XXH3_128bits_update(state.get(), &copy, sizeof copy);
  XXH3_128bits_update(state.get(), samples.data(), samples.size_bytes());
  return XXH3_128bits_digest(state.get());
}

void DigestChain::add(const Batch& batch) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        EVP_MD_CTX_free);
  bool ok = EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1;
  ok &= EVP_DigestUpdate(context.get(), link_.data(), link_.size()) == 1;
  ok &= EVP_DigestUpdate(context.get(), &batch.padded_samples, sizeof batch.padded_samples) == 1;
  for (const Row& row : batch.rows) {
    ok &= EVP_DigestUpdate(context.get(), &row.digest, sizeof row.digest) == 1;
  }
  ok &= EVP_DigestFinal_ex(context.get(), link_.data(), nullptr) == 1;
  if (!ok) throw std::runtime_error("libcrypto could not compute a SHA-256");
}

std::string DigestChain::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : link_) text += {kDigits[byte >> 4], kDigits[byte & 15]};
  return text;
}

void DigestChain::restore(const std::string& hex) {
  if (hex.size() != 2 * link_.size() ||
      hex.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw std::invalid_argument("not a SHA-256 in hexadecimal: " + hex);
  }
  for (size_t i = 0; i < link_.size(); ++i) {
    link_[i] = static_cast<unsigned char>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
}

}  // namespace flowqat::graph
