#include "base/utterance_table.h"

#include <xxhash.h>

#include <cstring>
#include <stdexcept>

#include "base/utterance_record.h"

namespace flowqat {
namespace {

/// Texts up to this size are compared with their digest at once: a tenth of a second at the most.
constexpr uint64_t kSmallTexts = uint64_t{128} << 20;
/// Texts that are read before their memory is given back.
constexpr uint64_t kKeptTexts = uint64_t{16} << 20;
constexpr size_t kAlignment = 8;

uint64_t digest(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace

void UtteranceTable::refuse(const std::string& what) const {
  throw std::runtime_error(place_.name + ": the index is damaged (" + what +
                           "); delete the file, and the corpus is scanned anew");
}

template <typename T>
std::span<const T> UtteranceTable::take(std::span<const std::byte>& left, uint64_t count) const {
  if (count > left.size() / sizeof(T)) refuse("it ends early");
  const auto* first = reinterpret_cast<const T*>(left.data());
  const size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
  left = left.subspan(std::min(bytes, left.size()));
  return {first, count};
}

UtteranceTable::UtteranceTable(Place place) : place_(std::move(place)) {
  std::span<const std::byte> left = place_.bytes;
  head_ = take<Head>(left, 1).front();
  const std::span<const std::byte> columns = left;
  samples_ = take<int64_t>(left, head_.count);
  keys_ = take<uint64_t>(left, head_.count);
  text_at_ = take<uint64_t>(left, head_.count + 1);
  formats_of_ = take<uint32_t>(left, head_.count);
  groups_of_ = take<uint32_t>(left, head_.count);
  flags_ = take<uint8_t>(left, head_.count);
  formats_ = take<Format>(left, head_.formats);
  group_at_ = take<uint64_t>(left, head_.groups + 1);
  group_names_ = take<char>(left, head_.group_bytes);
  if (digest(columns.first(columns.size() - left.size())) != head_.columns_digest) {
    refuse("its columns are not those that were written");
  }
  const std::span<const std::byte> texts = left;
  texts_ = take<char>(left, head_.text_bytes);
  if (head_.text_bytes <= kSmallTexts &&
      digest(texts.first(head_.text_bytes)) != head_.texts_digest) {
    refuse("its texts are not those that were written");
  }
  if (place_.give_back) place_.give_back(place_.bytes);
}

std::string_view UtteranceTable::group_name(uint32_t number) const {
  const uint64_t begin = group_at_[number], end = group_at_[number + 1];
  if (begin > end || end > group_names_.size()) refuse("a group's name");
  return {group_names_.data() + begin, end - begin};
}

Utterance UtteranceTable::operator[](size_t i) const {
  const uint64_t begin = text_at_[i], end = text_at_[i + 1];
  if (begin > end || end > texts_.size()) refuse("utterance " + std::to_string(i + 1));
  Utterance utterance;
  try {
    read_record({texts_.data() + begin, end - begin}, utterance);
  } catch (const std::runtime_error& error) {
    refuse("utterance " + std::to_string(i + 1) + ": " + error.what());
  }
  utterance.group = group_name(group(i));
  utterance.samples = samples(i);
  utterance.rate_hz = format(i).rate_hz;
  utterance.channels = format(i).channels;
  if (format(i).channel >= 0) utterance.channel = format(i).channel;
  // A page at least is looked at, and as many around it as the system thinks fit.
  constexpr uint64_t kPages = 65536;
  const bool is_next = i > 0 && text_at_[i - 1] / kPages == begin / kPages;
  if (read_bytes_.fetch_add(is_next ? end - begin : kPages) > kKeptTexts) give_texts_back();
  return utterance;
}

void UtteranceTable::give_texts_back() const {
  read_bytes_ = 0;
  if (place_.give_back) place_.give_back(std::as_bytes(texts_));
}

std::string UtteranceTable::checksum() const {
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx",
                static_cast<unsigned long long>(head_.content[0]),
                static_cast<unsigned long long>(head_.content[1]));
  return text;
}

}  // namespace flowqat
