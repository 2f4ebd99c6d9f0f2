#include "graph/index.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "base/utterance_table_builder.h"
#include "graph/checksum.h"
#include "graph/error.h"
#include "graph/random.h"

namespace flowqat::graph {
namespace {

Utterance to_utterance(const IndexEntry& entry) {
  return {.id = entry.id,
          .path = entry.path,
          .first_byte = entry.first_byte,
          .bytes = entry.bytes,
          .first_sample = entry.first_sample,
          .transcript = entry.transcript,
          .speaker = entry.speaker,
          .group = entry.group,
          .broken = entry.broken,
          .samples = entry.shape.samples,
          .rate_hz = entry.shape.rate_hz,
          .channels = entry.channels,
          .channel = entry.channel};
}

}  // namespace

double Index::Part::weight(size_t i) const {
  if ((durations.shortest_s > 0 || durations.longest_s > 0) && !table->is_broken(i)) {
    const Shape shape{table->samples(i), table->format(i).rate_hz};
    const double duration_s = shape.seconds();
    if (duration_s < durations.shortest_s) return 0;
    if (durations.longest_s > 0 && duration_s > durations.longest_s) return 0;
  }
  return weights ? factor * (*weights)[i] : factor;
}

uint64_t Index::Part::key(size_t i) const {
  return prefix.empty() ? table->key(i) : mix({prefix_key, table->key(i)});
}

Index::Index(const std::vector<IndexEntry>& entries) {
  if (entries.empty()) return;
  UtteranceTableBuilder builder;
  std::vector<double> weights;
  for (const IndexEntry& entry : entries) {
    builder.add(to_utterance(entry));
    weights.push_back(entry.weight);
  }
  const bool are_one = std::ranges::all_of(weights, [](double weight) { return weight == 1; });
  Part part{.table = std::move(builder).table()};
  if (!are_one) part.weights = std::make_shared<const std::vector<double>>(std::move(weights));
  append(std::move(part));
}

Index::Index(std::shared_ptr<const UtteranceTable> table, Durations durations) {
  if (table->size() > 0) append({.table = std::move(table), .durations = durations});
}

void Index::append(Part part) {
  part.begin = size();
  part.end = part.begin + part.table->size();
  part.groups_begin = groups();
  part.groups_end = part.groups_begin + static_cast<uint32_t>(part.table->groups());
  parts_.push_back(std::move(part));
}

void Index::append(const Index& other, const std::string& name, double weight) {
  for (Part part : other.parts_) {
    part.prefix = name + "/" + part.prefix;
    part.prefix_key = key_of(part.prefix);
    part.factor *= weight;
    append(std::move(part));
  }
}

const Index::Part& Index::part_of(size_t i) const {
  for (const Part& part : parts_) {
    if (i < part.end) return part;
  }
  throw std::out_of_range("no such utterance");
}

IndexEntry Index::operator[](size_t i) const {
  const Part& part = part_of(i);
  Utterance from;
  try {
    from = (*part.table)[i - part.begin];
  } catch (const std::runtime_error& error) {
    throw RunError(error.what());
  }
  IndexEntry entry;
  entry.id = part.prefix + from.id;
  entry.path = std::move(from.path);
  entry.first_byte = from.first_byte;
  entry.bytes = from.bytes;
  entry.first_sample = from.first_sample;
  entry.transcript = std::move(from.transcript);
  entry.speaker = std::move(from.speaker);
  entry.group = part.prefix + from.group;
  entry.channel = from.channel;
  entry.broken = std::move(from.broken);
  plain(i, entry);
  return entry;
}

void Index::plain(size_t i, IndexEntry& entry) const {
  const Part& part = part_of(i);
  const size_t at = i - part.begin;
  const UtteranceTable::Format& format = part.table->format(at);
  entry.shape = {part.table->samples(at), format.rate_hz};
  entry.channels = format.channels;
  entry.key = part.key(at);
  entry.weight = part.weight(at);
}

Shape Index::shape(size_t i) const {
  const Part& part = part_of(i);
  return {part.table->samples(i - part.begin), part.table->format(i - part.begin).rate_hz};
}

double Index::weight(size_t i) const {
  const Part& part = part_of(i);
  return part.weight(i - part.begin);
}

bool Index::is_broken(size_t i) const {
  const Part& part = part_of(i);
  return part.table->is_broken(i - part.begin);
}

bool Index::has_transcript(size_t i) const {
  const Part& part = part_of(i);
  return part.table->has_transcript(i - part.begin);
}

uint32_t Index::group(size_t i) const {
  const Part& part = part_of(i);
  return part.groups_begin + part.table->group(i - part.begin);
}

std::string Index::checksum() const {
  Checksum checksum;
  const auto add = [&checksum](const auto& value) {
    checksum.add({reinterpret_cast<const char*>(&value), sizeof value});
  };
  for (const Part& part : parts_) {
    checksum.add(part.prefix + " " + part.table->checksum());
    add(part.factor);
    add(part.durations.shortest_s);
    add(part.durations.longest_s);
    if (part.weights) std::ranges::for_each(*part.weights, add);
  }
  return checksum.hex();
}

}  // namespace flowqat::graph
