/// Between LibTorch's tensors and named bytes, and the names that Hugging Face gives them.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/tensor.h"

namespace flowqat::model {

/// A copy on the CPU: what happens to `value` later does not change it.
Tensor to_tensor(const std::string& name, const at::Tensor& value);

/// A copy of its own, whatever the alignment of the bytes. Throws Error for an unknown dtype or a
/// size that does not fit the shape, naming the tensor.
at::Tensor from_tensor(const Tensor& tensor);

/// Names under which files keep parameters: the positional convolution's gain and direction, here
/// `conv.weight_g` and `conv.weight_v` as before transformers 4.30, are today
/// `conv.parametrizations.weight.original0` and `original1`. The first function writes the newer,
/// the second reads both.
std::string published_name(const std::string& parameter);
std::string parameter_name(const std::string& published);

/// Fills tensors from named bytes, all or nothing.
class StateLoader {
 public:
  /// `what` begins the message.
  explicit StateLoader(std::string what) : what_(std::move(what)) {}

  /// The tensor called `name` must be there, with this shape and one of these types; it is
  /// converted to the type and device of `destination`.
  void expect(const std::string& name, const at::Tensor& destination,
              std::vector<std::string> dtypes = {"F32", "F16", "BF16"});
  /// The same, handed over on the CPU as it is.
  void expect(const std::string& name, std::vector<int64_t> shape, std::vector<std::string> dtypes,
              std::function<void(at::Tensor)> receive);
  /// May be missing; load() then leaves it as it is.
  void allow_missing(const std::string& name) { slots_.at(name).required = false; }
  /// What the message says where this tensor is missing.
  void explain_missing(const std::string& name, const std::string& why) {
    slots_.at(name).why = " (" + why + ")";
  }

  /// Throws one Error that lists every missing, unexpected, wrongly shaped and wrongly typed
  /// tensor; nothing has changed then.
  void load(const Tensors& tensors);
  bool found(const std::string& name) const { return slots_.at(name).source != nullptr; }

 private:
  struct Slot {
    std::vector<int64_t> shape;
    std::vector<std::string> dtypes;
    std::function<void(at::Tensor)> receive;
    bool required = true;
    std::string why{};
    const Tensor* source = nullptr;
  };

  std::string what_;
  std::map<std::string, Slot> slots_;
};

}  // namespace flowqat::model
