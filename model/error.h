#pragma once
#include <stdexcept>

namespace flowqat::model {

/// Any failure of the model room: wrong weights, an unsupported configuration, a missing engine.
/// The text names the tensor, layer or field, what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace flowqat::model
