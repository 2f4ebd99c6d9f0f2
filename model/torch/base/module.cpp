#include "model/torch/base/module.h"

#include <algorithm>

namespace flowqat::model {
namespace {

void add_parameters(const Module& module, const std::string& prefix,
                    std::vector<NamedTensor>& all) {
  for (const auto& [name, value] : module.own_parameters()) all.push_back({prefix + name, value});
  for (const auto& [name, child] : module.children()) {
    add_parameters(*child, prefix + name + ".", all);
  }
}

void add_modules(const Module& module, const std::string& prefix,
                 std::vector<Module::NamedModule>& all) {
  for (const auto& [name, child] : module.children()) {
    all.push_back({prefix + name, child});
    add_modules(*child, prefix + name + ".", all);
  }
}

}  // namespace

std::vector<NamedTensor> Module::named_parameters() const {
  std::vector<NamedTensor> all;
  add_parameters(*this, "", all);
  return all;
}

std::vector<at::Tensor> Module::parameters() const {
  std::vector<at::Tensor> values;
  for (auto& item : named_parameters()) values.push_back(std::move(item.value));
  return values;
}

at::Tensor Module::parameter(const std::string& name) const {
  for (auto& item : named_parameters()) {
    if (item.name == name) return item.value;
  }
  return {};
}

std::vector<Module::NamedModule> Module::named_modules() const {
  std::vector<NamedModule> all;
  add_modules(*this, "", all);
  return all;
}

void Module::train(bool on) {
  for (const auto& child : children_) child.module->train(on);
  training_ = on;
}

void Module::to(const at::Device& device) {
  for (const auto& child : children_) child.module->to(device);
  for (auto* tensors : {&parameters_, &buffers_}) {
    for (NamedTensor& tensor : *tensors) tensor.value.set_data(tensor.value.to(device));
  }
  move_rest(device);
}

void Module::zero_grad() {
  for (at::Tensor& value : parameters()) value.mutable_grad().reset();
}

at::Tensor Module::register_parameter(std::string name, at::Tensor value, bool trainable) {
  value.set_requires_grad(trainable);
  parameters_.push_back({std::move(name), value});
  return value;
}

at::Tensor Module::register_buffer(std::string name, at::Tensor value) {
  buffers_.push_back({std::move(name), value});
  return value;
}

void Module::unregister_parameter(const std::string& name) {
  std::erase_if(parameters_, [&](const NamedTensor& tensor) { return tensor.name == name; });
}

void Module::replace_module(const std::string& name, std::shared_ptr<Module> child) {
  std::ranges::find(children_, name, &NamedModule::name)->module = std::move(child);
}

void Module::unregister_module(const std::string& name) {
  std::erase_if(children_, [&](const NamedModule& child) { return child.name == name; });
}

}  // namespace flowqat::model
