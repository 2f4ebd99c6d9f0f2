#include "io/tensors/npy.h"

#include <string>

#include "io/files/atomic_file.h"

namespace flowqat::io {

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
void write_npy(const std::filesystem::path& path, std::span<const float> values, int64_t columns) {
  constexpr size_t prefix_bytes = 10, alignment_bytes = 64;
  const int64_t rows = columns > 0 ? static_cast<int64_t>(values.size()) / columns : 0;
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) + "), }";
  while ((prefix_bytes + header.size() + 1) % alignment_bytes != 0) header += ' ';
  header += '\n';
  const std::string magic = std::string("\x93NUMPY\x01") + '\0' +
                            static_cast<char>(header.size() & 0xff) +
                            static_cast<char>(header.size() >> 8);
  write_file_atomically(path, [&](FileSink& sink) {
    sink.write(magic);
    sink.write(header);
    sink.write(std::as_bytes(values));
  });
}

}  // namespace flowqat::io
