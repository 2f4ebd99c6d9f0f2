/// XXH3 of 64 bits, by which the files of a run are told from damaged ones.
#pragma once
#include <xxhash.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace flowqat::graph {

class Checksum {
 public:
  Checksum();
  void add(std::string_view bytes);
  /// Of what was added so far: 16 digits.
  std::string hex() const;

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};

/// Of the first `bytes` bytes of a file, or of all of it. Throws RunError naming the file where it
/// cannot be read, or is shorter.
Checksum checksum_of(const std::filesystem::path& path, int64_t bytes = -1);

}  // namespace flowqat::graph
