#include "base/utterance_table_builder.h"

#include <cstring>

#include "base/utterance_record.h"

namespace flowqat {
namespace {

template <typename T>
std::string_view bytes_of(const std::vector<T>& column) {
  return {reinterpret_cast<const char*>(column.data()), column.size() * sizeof(T)};
}

/// Calls `use` with every piece and with the zeros that bring the next one to its alignment.
template <typename Use>
void padded(std::string_view piece, const Use& use) {
  static constexpr char kZeros[8] = {};
  use(piece);
  if (piece.size() % 8 != 0) use(std::string_view(kZeros, 8 - piece.size() % 8));
}

}  // namespace

UtteranceTableBuilder::UtteranceTableBuilder() : content_(XXH3_createState()) {
  XXH3_128bits_reset(content_.get());
}

uint32_t UtteranceTableBuilder::format_of(const Utterance& utterance) {
  const UtteranceTable::Format format{.rate_hz = utterance.rate_hz,
                                      .channels = utterance.channels,
                                      .channel = utterance.channel.value_or(-1)};
  const auto [number, is_new] =
      format_numbers_.try_emplace(std::tuple(format.rate_hz, format.channels, format.channel),
                                  static_cast<uint32_t>(formats_.size()));
  if (is_new) formats_.push_back(format);
  return number->second;
}

uint32_t UtteranceTableBuilder::group_of(const std::string& name) {
  const auto [group, is_new] = groups_.try_emplace(name, static_cast<uint32_t>(groups_.size()));
  if (is_new) {
    group_names_ += name;
    group_at_.push_back(group_names_.size());
  }
  return group->second;
}

void UtteranceTableBuilder::add(const Utterance& utterance) {
  samples_.push_back(utterance.samples);
  keys_.push_back(XXH3_64bits(utterance.id.data(), utterance.id.size()));
  formats_of_.push_back(format_of(utterance));
  groups_of_.push_back(group_of(utterance.group));
  flags_.push_back(
      static_cast<uint8_t>((utterance.broken.empty() ? 0 : UtteranceTable::kBroken) |
                           (utterance.transcript.empty() ? 0 : UtteranceTable::kTranscript)));
  append_record(utterance, texts_);
  text_at_.push_back(texts_.size());

  const auto add_bytes = [this](const void* data, size_t size) {
    XXH3_128bits_update(content_.get(), data, size);
  };
  const int64_t numbers[] = {std::ssize(utterance.id), std::ssize(utterance.transcript),
                             utterance.samples,        utterance.rate_hz,
                             utterance.channels,       groups_of_.back(),
                             utterance.broken.empty()};
  add_bytes(numbers, sizeof numbers);
  add_bytes(utterance.id.data(), utterance.id.size());
  add_bytes(utterance.transcript.data(), utterance.transcript.size());
}

void UtteranceTableBuilder::write(const std::function<void(std::string_view)>& sink) const {
  const std::string_view columns[] = {
      bytes_of(samples_),    bytes_of(keys_),      bytes_of(text_at_),
      bytes_of(formats_of_), bytes_of(groups_of_), bytes_of(flags_),
      bytes_of(formats_),    bytes_of(group_at_),  group_names_};
  UtteranceTable::Head head{.count = samples_.size(),
                            .formats = formats_.size(),
                            .groups = groups_.size(),
                            .group_bytes = group_names_.size(),
                            .text_bytes = texts_.size()};
  const XXH128_hash_t content = XXH3_128bits_digest(content_.get());
  head.content[0] = content.high64;
  head.content[1] = content.low64;
  const std::unique_ptr<XXH3_state_t, FreeState> digest(XXH3_createState());
  XXH3_64bits_reset(digest.get());
  for (const std::string_view column : columns) {
    padded(column, [&](std::string_view piece) {
      XXH3_64bits_update(digest.get(), piece.data(), piece.size());
    });
  }
  head.columns_digest = XXH3_64bits_digest(digest.get());
  head.texts_digest = XXH3_64bits(texts_.data(), texts_.size());
  padded({reinterpret_cast<const char*>(&head), sizeof head}, sink);
  for (const std::string_view column : columns) padded(column, sink);
  sink(texts_);
}

std::shared_ptr<const UtteranceTable> UtteranceTableBuilder::table() && {
  size_t size = 0;
  write([&](std::string_view piece) { size += piece.size(); });
  const auto bytes = std::make_shared<std::vector<uint64_t>>((size + 7) / 8);  // aligned
  auto* end = reinterpret_cast<char*>(bytes->data());
  write([&](std::string_view piece) {
    std::memcpy(end, piece.data(), piece.size());
    end += piece.size();
  });
  return std::make_shared<UtteranceTable>(UtteranceTable::Place{
      .bytes = {reinterpret_cast<const std::byte*>(bytes->data()), size}, .owner = bytes});
}

}  // namespace flowqat
