/// What a network is made of: a tree of modules that hold named tensors.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/torch/base/tensor.h"

namespace flowqat::model {

struct NamedTensor {
  std::string name;
  at::Tensor value;  ///< a handle of the module's own tensor
};

/// Names and orders its tensors as PyTorch's nn.Module does, which checkpoints rely on: those of a
/// module itself as they were registered, then those of each child, as "child.name". (LibTorch's
/// own class brings serialization along, and with it more headers than all else here together.)
/// Not thread-safe while anything of it changes.
class Module {
 public:
  Module() = default;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  virtual ~Module() = default;

  struct NamedModule {
    std::string name;
    std::shared_ptr<Module> module;
  };

  /// Of the whole tree, or of this module alone.
  std::vector<NamedTensor> named_parameters() const;
  const std::vector<NamedTensor>& own_parameters() const { return parameters_; }
  const std::vector<NamedTensor>& own_buffers() const { return buffers_; }
  std::vector<at::Tensor> parameters() const;
  /// The parameter of that name; undefined where there is none.
  at::Tensor parameter(const std::string& name) const;

  /// All modules below this one, each before its children.
  std::vector<NamedModule> named_modules() const;
  const std::vector<NamedModule>& children() const { return children_; }
  /// This module as one of a kind; null where it is another.
  template <class Kind>
  Kind* as() {
    return dynamic_cast<Kind*>(this);
  }

  /// Training or evaluation, of the whole tree; training at first.
  void train(bool on = true);
  void eval() { train(false); }
  bool is_training() const { return training_; }

  /// Moves the tensors of the whole tree; whoever holds a handle of one sees it moved.
  void to(const at::Device& device);
  /// Frees the gradients of the whole tree.
  void zero_grad();

  /// Adds a child; returns it.
  template <class Child>
  std::shared_ptr<Child> register_module(std::string name, std::shared_ptr<Child> child) {
    children_.push_back({std::move(name), child});
    return child;
  }

 protected:
  /// Both return `value`. A buffer is a tensor that no optimizer sees.
  at::Tensor register_parameter(std::string name, at::Tensor value, bool trainable = true);
  at::Tensor register_buffer(std::string name, at::Tensor value);
  void unregister_parameter(const std::string& name);
  void unregister_parameters() { parameters_.clear(); }
  void unregister_module(const std::string& name);
  /// Puts another child in the place of that name, which there is.
  void replace_module(const std::string& name, std::shared_ptr<Module> child);
  /// For what a module holds beside its registered tensors; called by to() once those have moved.
  virtual void move_rest(const at::Device& /*device*/) {}

 private:
  std::vector<NamedTensor> parameters_, buffers_;
  std::vector<NamedModule> children_;
  bool training_ = true;
};

}  // namespace flowqat::model
