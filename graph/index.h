/// The utterances of a corpus, or of several as one: columns that take a few bytes each, and texts
/// that are read when they are asked for.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "base/utterance_table.h"
#include "graph/message.h"

namespace flowqat::graph {

/// Copies share what they show. Any thread may read.
class Index {
 public:
  /// What is shorter or longer has weight 0, but for what is broken: that is to be rejected aloud.
  struct Durations {
    double shortest_s = 0;
    double longest_s = 0;  ///< 0: none is too long
  };

  Index() = default;
  /// Kept in memory; IndexEntry::key is made of the id.
  explicit Index(const std::vector<IndexEntry>& entries);
  explicit Index(std::shared_ptr<const UtteranceTable> table) : Index(std::move(table), {}) {}
  Index(std::shared_ptr<const UtteranceTable> table, Durations durations);
  /// Puts the utterances of another corpus behind these: each id and group becomes "NAME/...", and
  /// each weight is multiplied.
  void append(const Index& other, const std::string& name, double weight);

  size_t size() const { return parts_.empty() ? 0 : parts_.back().end; }
  bool empty() const { return size() == 0; }
  /// With its texts, which are read here. Throws RunError where their file is damaged.
  IndexEntry operator[](size_t i) const;

  /// Without the texts: what planning knows of an utterance, in the entry that is handed in (its
  /// shape, channels, key and weight).
  void plain(size_t i, IndexEntry& entry) const;
  Shape shape(size_t i) const;
  double weight(size_t i) const;
  bool is_broken(size_t i) const;
  bool has_transcript(size_t i) const;
  /// The number of its group, from 0 on; below groups().
  uint32_t group(size_t i) const;
  uint32_t groups() const { return parts_.empty() ? 0 : parts_.back().groups_end; }
  /// Over all that decides of batches, in order. Where the audio is found is not in it.
  std::string checksum() const;

  class Iterator;
  Iterator begin() const;
  Iterator end() const;

 private:
  struct Part {
    std::shared_ptr<const UtteranceTable> table;
    std::string prefix = {};  ///< of ids and groups; with it the keys are others too
    uint64_t prefix_key = 0;
    double factor = 1;
    Durations durations = {};
    std::shared_ptr<const std::vector<double>> weights = nullptr;  ///< null: 1 each
    size_t begin = 0, end = 0;
    uint32_t groups_begin = 0, groups_end = 0;

    double weight(size_t i) const;  ///< i counts within the part
    uint64_t key(size_t i) const;
  };
  const Part& part_of(size_t i) const;
  void append(Part part);

  std::vector<Part> parts_;  ///< few; none is empty
};

/// Goes through the entries in order, each as a value.
class Index::Iterator {
 public:
  using value_type = IndexEntry;
  using difference_type = std::ptrdiff_t;
  Iterator(const Index& index, size_t at) : index_(&index), at_(at) {}
  IndexEntry operator*() const { return (*index_)[at_]; }
  Iterator& operator++() { return ++at_, *this; }
  Iterator operator++(int) { return {*index_, at_++}; }
  bool operator==(const Iterator& other) const { return at_ == other.at_; }

 private:
  const Index* index_;
  size_t at_;
};

inline Index::Iterator Index::begin() const { return {*this, 0}; }
inline Index::Iterator Index::end() const { return {*this, size()}; }

}  // namespace flowqat::graph
