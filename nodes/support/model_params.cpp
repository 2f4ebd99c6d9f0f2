#include "nodes/support/model_params.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/run_folder.h"
#include "io/text/text_normalizer.h"
#include "model/changed_config.h"

namespace flowqat::nodes {
namespace {

namespace fs = std::filesystem;
using graph::ParamKind;

constexpr const char* kDropouts[] = {"hidden_dropout",    "activation_dropout", "attention_dropout",
                                     "feat_proj_dropout", "final_dropout",      "layerdrop"};

graph::ParamSpec dropout_param(const char* name, const std::string& where) {
  return {.name = name,
          .kind = ParamKind::number,
          .fallback = -1,
          .minimum = -1,
          .maximum = 1,
          .doc = "in training, the share dropped " + where + "; -1: config.json's"};
}

/// The folders in a run's that hold a model.
std::vector<std::string> results_of(const fs::path& run) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator(run)) {
    if (fs::exists(entry.path() / "config.json")) found.push_back(entry.path().filename());
  }
  std::ranges::sort(found);
  return found;
}

}  // namespace

std::vector<graph::ParamSpec> model_param_specs() {
  return {
      {.name = "path",
       .kind = ParamKind::path,
       .fallback = "",
       .doc = "a Hugging Face folder: config.json, model.safetensors, vocabulary and "
              "processor files (a fake-quantized one is trained on as such, or converted); "
              "or, where there is no such folder, a model's id on the Hub, "
              "ORGANIZATION/NAME, which is fetched before the run unless the Hub's cache has "
              "it; a head that is missing or for another number of tokens is drawn with the "
              "seed",
       .may_change = true},
      {.name = "revision",
       .kind = ParamKind::text,
       .fallback = "",
       .doc = "of a model on the Hub: a branch, a tag, refs/pr/N or a commit; empty: main"},
      {.name = "config",
       .kind = ParamKind::path,
       .fallback = "",
       .doc = "a folder with config.json and processor files: weights are drawn with the seed",
       .may_change = true},
      {.name = "run",
       .kind = ParamKind::path,
       .fallback = "",
       .doc = "the folder of another run, from whose result it starts",
       .may_change = true},
      {.name = "result",
       .kind = ParamKind::text,
       .fallback = "model",
       .doc = "which of that run's results: the folder that a node of it wrote, such as model, "
              "float or int8"},
      {.name = "vocabulary",
       .kind = ParamKind::path,
       .fallback = "",
       .doc = "a folder with vocab.json and tokenizer files, to be used instead of the "
              "model's own; a head that does not fit is drawn anew",
       .may_change = true},
      {.name = "text_normalization",
       .kind = ParamKind::choice,
       .fallback = "vocabulary",
       .choices = io::text_normalization_names(),
       .doc = "vocabulary: what the vocabulary lacks in a transcript is folded to it (case, "
              "apostrophes, dashes, accents) or left out (punctuation), for training and "
              "evaluation alike; none: transcripts stay as written"},
      {.name = "drop_tags",
       .kind = ParamKind::boolean,
       .fallback = false,
       .doc = "leave tags in brackets, such as [LAUGHTER] or <COMMA>, out of transcripts; "
              "else they are told, and stay as what normalization makes of them"},
      dropout_param("hidden_dropout", "behind embeddings, attention and feed-forward"),
      dropout_param("activation_dropout", "inside of the feed-forward networks"),
      dropout_param("attention_dropout", "of attention weights"),
      dropout_param("feat_proj_dropout", "of the projected features (fairseq's dropout_input)"),
      dropout_param("final_dropout", "before the head"),
      dropout_param("layerdrop", "of whole encoder layers"),
      {.name = "blank_bias",
       .kind = ParamKind::number,
       .fallback = 0,
       .doc = "of a head that is drawn: its bias for the CTC blank; a few units spare the "
              "model learning it"},
      {.name = "device",
       .kind = ParamKind::text,
       .fallback = "auto",
       .doc = "what computes: cpu, cuda, cuda:1 (the second GPU), or auto: the GPU where there is "
              "one",
       .may_change = true},
      {.name = "precision",
       .kind = ParamKind::choice,
       .fallback = "float32",
       .choices = {"float32", "tf32", "bf16", "fp16"},
       .doc = "what factors are rounded to before they are multiplied: tf32 keeps three digits of "
              "them, is twice as fast on a GPU and float32 on a CPU; bf16 keeps two, on a GPU or a "
              "CPU with AVX-512 BF16; fp16 keeps three, on a GPU, with a loss scale; "
              "fake-quantized factors lose nothing by either"},
      {.name = "compute_threads",
       .kind = ParamKind::integer,
       .fallback = 0,
       .minimum = 0,
       .maximum = 1024,
       .doc = "threads for the model's arithmetic; 0: one for each core that the process may "
              "use",
       .may_change = true},
  };
}

std::string one_source(const graph::Params& params) {
  std::string found;
  int given = 0;
  for (const char* const key : {"path", "run", "config"}) {
    if (params.text(key).empty()) continue;
    found = key;
    ++given;
  }
  if (given == 1) return found;
  throw graph::GraphError(
      "give one of \"path\" (a folder with weights, or a model's id on the Hub), \"run\" (the "
      "folder "
      "of another run, whose result it takes) and \"config\" (a folder with config.json, for fresh "
      "weights)");
}

std::string model_of_run(const graph::Params& params) {
  const fs::path run = params.text("run"), folder = run / params.text("result");
  if (!graph::holds_run(run)) {
    throw graph::GraphError("key \"run\": " + run.string() +
                            " is no folder of a run: run its graph first, or name a model's "
                            "folder with \"path\"");
  }
  if (fs::exists(folder / "config.json")) return folder.string();
  const std::vector<std::string> results = results_of(run);
  throw graph::GraphError("key \"result\": " + folder.string() + " holds no model" +
                          (results.empty() ? "; the run has left none yet"
                                           : "; the run's are " + graph::quoted_list(results)));
}

model::Config with_dropouts(const model::Config& config, const graph::Params& params) {
  nlohmann::json fields = nlohmann::json::object();
  for (const char* const name : kDropouts) {
    const double given = params.number(name);
    if (given < 0 && given != -1) {
      throw graph::GraphError(std::string("key \"") + name +
                              "\": must be a number from 0 to 1, or -1 for config.json's, found " +
                              params.json(name).dump());
    }
    if (given >= 0) fields[name] = given;
  }
  return fields.empty() ? config : model::with_fields(config, fields);
}

}  // namespace flowqat::nodes
