#include "model/torch/base/state_dict.h"

#include <ATen/ops/empty.h>
#include <c10/util/accumulate.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace flowqat::model {
namespace {

constexpr std::pair<const char*, at::ScalarType> kDtypes[] = {
    {"F32", at::kFloat}, {"F16", at::kHalf}, {"BF16", at::kBFloat16}, {"I8", at::kChar},
    {"U8", at::kByte},   {"I32", at::kInt},  {"I64", at::kLong},      {"F64", at::kDouble},
};

constexpr std::pair<const char*, const char*> kRenamed[] = {
    {"pos_conv_embed.conv.weight_g", "pos_conv_embed.conv.parametrizations.weight.original0"},
    {"pos_conv_embed.conv.weight_v", "pos_conv_embed.conv.parametrizations.weight.original1"},
};

std::string with_ending(const std::string& name, const std::string& from, const std::string& to) {
  return name.ends_with(from) ? name.substr(0, name.size() - from.size()) + to : name;
}

std::string shown(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

const std::pair<const char*, at::ScalarType>* find_dtype(const std::string& name) {
  const auto* found =
      std::ranges::find_if(kDtypes, [&](const auto& known) { return name == known.first; });
  return found == std::end(kDtypes) ? nullptr : found;
}

size_t bytes_of(const std::vector<int64_t>& shape, at::ScalarType type) {
  return static_cast<size_t>(c10::multiply_integers(shape)) * c10::elementSize(type);
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

/// Of a list that names every tensor of a model nobody reads more.
std::string first_ones(std::vector<std::string> complaints) {
  constexpr size_t most = 12;
  const size_t count = complaints.size();
  if (count <= most) return joined(complaints, "; ");
  complaints.resize(most - 2);
  return joined(complaints, "; ") + "; and " + std::to_string(count - complaints.size()) + " more";
}

}  // namespace

Tensor to_tensor(const std::string& name, const at::Tensor& value) {
  at::Tensor host = value.detach().to(at::kCPU, value.scalar_type(), /*non_blocking=*/false,
                                      /*copy=*/true);
  const auto owner = std::make_shared<const at::Tensor>(host.contiguous());
  const auto* dtype = std::ranges::find(kDtypes, owner->scalar_type(),
                                        &std::pair<const char*, at::ScalarType>::second);
  if (dtype == std::end(kDtypes)) {
    throw Error("tensor \"" + name + "\": type " + c10::toString(owner->scalar_type()) +
                " has no name in a safetensors file here");
  }
  return {name,
          dtype->first,
          owner->sizes().vec(),
          {static_cast<const std::byte*>(owner->const_data_ptr()), owner->nbytes()},
          owner};
}

at::Tensor from_tensor(const Tensor& tensor) {
  const auto* dtype = find_dtype(tensor.dtype);
  if (!dtype) {
    throw Error("tensor \"" + tensor.name + "\": type " + tensor.dtype + " is not read here");
  }
  const size_t bytes = bytes_of(tensor.shape, dtype->second);
  if (bytes != tensor.bytes.size()) {
    throw Error("tensor \"" + tensor.name + "\": " + std::to_string(tensor.bytes.size()) +
                " bytes, but " + tensor.dtype + " " + shown(tensor.shape) + " takes " +
                std::to_string(bytes));
  }
  at::Tensor copy = at::empty(tensor.shape, dtype->second);
  if (bytes > 0) std::memcpy(copy.mutable_data_ptr(), tensor.bytes.data(), bytes);
  return copy;
}

std::string published_name(const std::string& parameter) {
  std::string name = parameter;
  for (const auto& [older, newer] : kRenamed) name = with_ending(name, older, newer);
  return name;
}

std::string parameter_name(const std::string& published) {
  std::string name = published;
  for (const auto& [older, newer] : kRenamed) name = with_ending(name, newer, older);
  return name;
}

void StateLoader::expect(const std::string& name, const at::Tensor& destination,
                         std::vector<std::string> dtypes) {
  expect(name, destination.sizes().vec(), std::move(dtypes), [destination](at::Tensor value) {
    const at::NoGradGuard no_grad;
    at::Tensor target = destination;
    target.copy_(value);
  });
}

void StateLoader::expect(const std::string& name, std::vector<int64_t> shape,
                         std::vector<std::string> dtypes, std::function<void(at::Tensor)> receive) {
  slots_[name] = {std::move(shape), std::move(dtypes), std::move(receive)};
}

void StateLoader::load(const Tensors& tensors) {
  std::vector<std::string> complaints;
  for (const Tensor& tensor : tensors) {
    const auto entry = slots_.find(parameter_name(tensor.name));
    if (entry == slots_.end()) {
      complaints.push_back("unexpected \"" + tensor.name + "\"");
      continue;
    }
    Slot& slot = entry->second;
    if (slot.source) complaints.push_back("twice \"" + tensor.name + "\"");
    slot.source = &tensor;
    if (slot.shape != tensor.shape) {
      complaints.push_back("\"" + tensor.name + "\" has shape " + shown(tensor.shape) +
                           ", expected " + shown(slot.shape));
    }
    if (std::ranges::find(slot.dtypes, tensor.dtype) == slot.dtypes.end()) {
      complaints.push_back("\"" + tensor.name + "\" has type " + tensor.dtype + ", expected " +
                           joined(slot.dtypes, " or "));
    } else if (bytes_of(tensor.shape, find_dtype(tensor.dtype)->second) != tensor.bytes.size()) {
      complaints.push_back("\"" + tensor.name + "\" has " + std::to_string(tensor.bytes.size()) +
                           " bytes, which do not fill its shape");
    }
  }
  for (const auto& [name, slot] : slots_) {
    if (slot.required && !slot.source) {
      complaints.push_back("missing \"" + published_name(name) + "\"" + slot.why);
    }
  }
  if (!complaints.empty()) {
    throw Error(what_ + ": the tensors do not fit the configuration: " + first_ones(complaints));
  }
  for (const auto& [name, slot] : slots_) {
    if (slot.source) slot.receive(from_tensor(*slot.source));
  }
}

}  // namespace flowqat::model
