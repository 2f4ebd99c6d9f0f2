/// The utterances of a corpus as columns, in memory or in a mapped file: a few bytes of each for
/// what epochs are planned from. Their texts stand behind the columns, a record each, and take
/// memory only while they are looked at.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowqat {

/// All that is known of an utterance before its audio is read.
struct Utterance {
  std::string id, path;
  /// Of a file that lies inside another; 0 bytes: `path` itself.
  int64_t first_byte = 0, bytes = 0;
  std::optional<int64_t> first_sample = {};  ///< of a segment; none: the whole recording
  std::string transcript, speaker, group, broken;
  int64_t samples = 0;
  int rate_hz = 0, channels = 0;
  std::optional<int> channel = {};  ///< the one that is heard; none: that is left open
};

/// Throws std::runtime_error, with what was damaged, where bytes of a file do not hold.
class UtteranceTable {
 public:
  struct Format {
    int32_t rate_hz = 0, channels = 0;
    int32_t channel = -1;  ///< -1: left open
    int32_t unused = 0;
    bool operator==(const Format&) const = default;
  };

  /// Where the table lies in memory, and what to do with it.
  struct Place {
    std::span<const std::byte> bytes = {};  ///< aligned to 8
    std::shared_ptr<const void> owner = nullptr;
    std::string name = "memory";  ///< for errors
    /// Gives memory back that can be had again (pages of a mapped file); may be empty.
    std::function<void(std::span<const std::byte>)> give_back = {};
  };

  /// Of what UtteranceTableBuilder has laid out. The columns are compared with their digest, and
  /// the texts too as far as that takes no time to speak of; else each when it is read.
  explicit UtteranceTable(Place place);
  UtteranceTable(const UtteranceTable&) = delete;
  UtteranceTable& operator=(const UtteranceTable&) = delete;

  size_t size() const { return samples_.size(); }
  int64_t samples(size_t i) const { return samples_[i]; }
  /// XXH3 of its id, 64 bits.
  uint64_t key(size_t i) const { return keys_[i]; }
  const Format& format(size_t i) const { return formats_[formats_of_[i]]; }
  bool is_broken(size_t i) const { return (flags_[i] & kBroken) != 0; }
  bool has_transcript(size_t i) const { return (flags_[i] & kTranscript) != 0; }
  /// The number of its group, from 0 in the order of their first utterances.
  uint32_t group(size_t i) const { return groups_of_[i]; }
  size_t groups() const { return group_at_.size() - 1; }
  std::string_view group_name(uint32_t number) const;
  /// Everything, texts too. Any thread may ask.
  Utterance operator[](size_t i) const;
  /// 128 bits over ids, transcripts, shapes, groups and states, in order; not over places.
  std::string checksum() const;

 private:
  friend class UtteranceTableBuilder;
  static constexpr uint8_t kBroken = 1, kTranscript = 2;
  /// Where a table begins; the numbers of bytes and entries that follow.
  struct Head {
    uint64_t count = 0, formats = 0, groups = 0, group_bytes = 0, text_bytes = 0;
    uint64_t content[2] = {0, 0};
    uint64_t columns_digest = 0, texts_digest = 0;
  };

  [[noreturn]] void refuse(const std::string& what) const;
  template <typename T>
  std::span<const T> take(std::span<const std::byte>& left, uint64_t count) const;
  void give_texts_back() const;

  Place place_;
  Head head_;
  std::span<const int64_t> samples_;
  std::span<const uint64_t> keys_, text_at_;
  std::span<const uint32_t> formats_of_, groups_of_;
  std::span<const uint8_t> flags_;
  std::span<const Format> formats_;
  std::span<const uint64_t> group_at_;
  std::span<const char> group_names_, texts_;
  mutable std::atomic<uint64_t> read_bytes_{0};
};

}  // namespace flowqat
