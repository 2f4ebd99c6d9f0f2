#include "base/utterance_record.h"

#include <xxhash.h>

#include <cstring>
#include <stdexcept>

namespace flowqat {
namespace {

uint32_t checksum_of(std::string_view bytes) {
  return static_cast<uint32_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

void append(std::string& bytes, uint64_t number) {
  for (; number >= 0x80; number >>= 7) bytes += static_cast<char>(0x80 | (number & 0x7f));
  bytes += static_cast<char>(number);
}

void append(std::string& bytes, std::string_view text) {
  append(bytes, static_cast<uint64_t>(text.size()));
  bytes.append(text);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1).front());
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw std::runtime_error("a number is too long");
  }
  std::string text() { return std::string(take(number())); }

 private:
  std::string_view take(uint64_t count) {
    if (count > left_.size()) throw std::runtime_error("the bytes end early");
    const std::string_view taken = left_.substr(0, count);
    left_.remove_prefix(count);
    return taken;
  }
  std::string_view left_;
};

}  // namespace

void append_record(const Utterance& utterance, std::string& bytes) {
  const size_t begin = bytes.size();
  bytes.append(sizeof(uint32_t), '\0');
  for (const std::string* text : {&utterance.id, &utterance.path, &utterance.transcript,
                                  &utterance.speaker, &utterance.broken}) {
    append(bytes, *text);
  }
  append(bytes, static_cast<uint64_t>(utterance.first_byte));
  append(bytes, static_cast<uint64_t>(utterance.bytes));
  append(bytes, utterance.first_sample ? 1 + static_cast<uint64_t>(*utterance.first_sample) : 0);
  const uint32_t checksum = checksum_of(std::string_view(bytes).substr(begin + sizeof checksum));
  std::memcpy(bytes.data() + begin, &checksum, sizeof checksum);
}

void read_record(std::string_view bytes, Utterance& utterance) {
  uint32_t checksum = 0;
  if (bytes.size() < sizeof checksum) throw std::runtime_error("the bytes end early");
  std::memcpy(&checksum, bytes.data(), sizeof checksum);
  bytes.remove_prefix(sizeof checksum);
  if (checksum_of(bytes) != checksum) throw std::runtime_error("other bytes than were written");
  Reader in(bytes);
  for (std::string* text : {&utterance.id, &utterance.path, &utterance.transcript,
                            &utterance.speaker, &utterance.broken}) {
    *text = in.text();
  }
  utterance.first_byte = static_cast<int64_t>(in.number());
  utterance.bytes = static_cast<int64_t>(in.number());
  if (const uint64_t first = in.number(); first > 0) {
    utterance.first_sample = static_cast<int64_t>(first - 1);
  }
}

}  // namespace flowqat
