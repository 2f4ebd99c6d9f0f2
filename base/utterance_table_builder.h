/// Lays the utterances of a corpus out as UtteranceTable reads them.
#pragma once
#include <xxhash.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/utterance_table.h"

namespace flowqat {

class UtteranceTableBuilder {
 public:
  UtteranceTableBuilder();
  void add(const Utterance& utterance);
  size_t size() const { return samples_.size(); }

  /// The bytes of the table, in pieces one behind the other.
  void write(const std::function<void(std::string_view)>& sink) const;
  /// The table in memory; the builder is used up.
  std::shared_ptr<const UtteranceTable> table() &&;

 private:
  uint32_t format_of(const Utterance& utterance);
  uint32_t group_of(const std::string& name);

  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, FreeState> content_;
  std::vector<int64_t> samples_;
  std::vector<uint64_t> keys_, text_at_{0};
  std::vector<uint32_t> formats_of_, groups_of_;
  std::vector<uint8_t> flags_;
  std::vector<UtteranceTable::Format> formats_;
  std::map<std::tuple<int32_t, int32_t, int32_t>, uint32_t> format_numbers_;
  std::unordered_map<std::string, uint32_t> groups_;
  std::vector<uint64_t> group_at_{0};
  std::string group_names_, texts_;
};

}  // namespace flowqat
