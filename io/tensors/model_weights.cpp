#include <map>
#include <utility>

#include "io/files/error.h"
#include "io/files/json_file.h"
#include "io/tensors/safetensors.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Shard file name to the tensors that the index expects in it.
std::map<std::string, std::vector<std::string>> read_index(const fs::path& path) {
  const json index = read_json(path);
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || map == index.end() || !map->is_object() || map->empty()) {
    throw Error(path, "expected an object \"weight_map\" of tensor name to file name");
  }
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& [tensor, file] : map->items()) {
    // Only names: an index must not make us open files elsewhere.
    const bool plain = file.is_string() && !file.get<std::string>().empty() &&
                       fs::path(file.get<std::string>()).filename() == file.get<std::string>() &&
                       file.get<std::string>().find('\0') == std::string::npos;
    if (!plain) {
      throw Error(path, "tensor \"" + tensor +
                            "\": expected the name of a file beside the index, "
                            "found " +
                            shown(file));
    }
    shards[file].push_back(tensor);
  }
  return shards;
}

std::vector<Tensor> read_shards(const fs::path& index) {
  std::vector<Tensor> all;
  for (const auto& [file, names] : read_index(index)) {
    const fs::path path = index.parent_path() / file;
    std::map<std::string, Tensor> tensors;
    for (Tensor& tensor : read_safetensors(path)) {
      std::string name = tensor.name;
      tensors.emplace(std::move(name), std::move(tensor));
    }
    for (const std::string& name : names) {
      const auto found = tensors.find(name);
      if (found == tensors.end()) {
        throw Error(path, "tensor \"" + name + "\" is missing, " + index.filename().string() +
                              " says it is here; copy the folder again");
      }
      all.push_back(std::move(found->second));
    }
  }
  return all;
}

/// Shell command that converts a pickled state dict; clones because safetensors shares no memory.
std::string conversion_command(const fs::path& folder) {
  return ".venv/bin/python -c \"import sys, torch; from safetensors.torch import save_file; "
         "d = sys.argv[1]; w = torch.load(d + '/pytorch_model.bin', map_location='cpu', "
         "weights_only=True); save_file({k: v.clone().contiguous() for k, v in w.items()}, "
         "d + '/model.safetensors', metadata={'format': 'pt'})\" '" +
         folder.string() + "'";
}

}  // namespace

std::vector<Tensor> read_model_weights(const fs::path& folder) {
  const fs::path whole = folder / "model.safetensors";
  if (fs::exists(whole)) return read_safetensors(whole);
  const fs::path index = folder / "model.safetensors.index.json";
  if (fs::exists(index)) return read_shards(index);
  for (const char* adapter : {"adapter_model.safetensors", "adapter_config.json"}) {
    if (!fs::exists(folder / adapter)) continue;
    throw Error(folder, std::string("expected model.safetensors, found the ") + adapter +
                            " of a LoRA adapter, which is no model by itself; merge it into the "
                            "model that it adapts (peft: merge_and_unload(), then "
                            "save_pretrained()) and use that folder");
  }
  if (fs::exists(folder / "pytorch_model.bin.index.json")) {
    throw Error(folder,
                "expected model.safetensors, found only the parts of a pytorch_model.bin; load it "
                "with transformers and save it with save_pretrained()");
  }
  if (fs::exists(folder / "pytorch_model.bin")) {
    throw Error(folder,
                "expected model.safetensors, found only pytorch_model.bin; convert it with\n  " +
                    conversion_command(folder));
  }
  throw Error(folder, "expected model.safetensors or model.safetensors.index.json, found neither");
}

}  // namespace flowqat::io
