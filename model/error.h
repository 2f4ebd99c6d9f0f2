#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>

namespace flowqat::model {

/// Any failure of the model room: wrong weights, an unsupported configuration, a missing engine.
/// The text names the tensor, layer or field, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The device has not the memory that a call takes.
class OutOfMemory : public Error {
 public:
  /// `first_row` and `rows`: the part of a training batch for which there was not enough, if it was
  /// one.
  explicit OutOfMemory(const std::string& what, int64_t first_row = 0, int64_t rows = 0)
      : Error(what), first_row_(first_row), rows_(rows) {}
  int64_t first_row() const { return first_row_; }
  int64_t rows() const { return rows_; }

 private:
  int64_t first_row_, rows_;
};

}  // namespace flowqat::model
