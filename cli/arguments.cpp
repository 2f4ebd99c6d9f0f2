#include "cli/arguments.h"

#include "nodes/support/inference.h"

namespace flowqat::cli {

Argument graph_argument(std::string& graph) {
  return {.name = "GRAPH",
          .value = "FILE",
          .doc = "the graph file",
          .target = &graph,
          .required = true,
          .option = "--graph"};
}

Argument set_option(std::vector<std::string>& overrides) {
  return {.name = "--set",
          .value = "NODE.KEY=VALUE",
          .doc = "override a value of the graph; may be repeated",
          .target = &overrides};
}

Argument model_argument(std::string& model, const std::string& kinds) {
  return {.name = "MODEL",
          .doc = kinds + " model: its folder, or its id on the Hugging Face Hub",
          .target = &model,
          .required = true};
}

Argument manifest_option(std::string& manifest) {
  return {.name = "--manifest",
          .value = "FILE|DIR",
          .doc =
              "the corpus: a manifest or table, a folder in LibriSpeech's layout or of audio with "
              "texts beside it, or tar shards",
          .target = &manifest,
          .required = true};
}

Argument split_option(std::vector<std::string>& splits) {
  return {.name = "--split",
          .value = "NAME",
          .doc = "a split of a folder in LibriSpeech's layout; may be repeated",
          .target = &splits,
          .fallback = "all of them"};
}

Argument channel_option(int64_t& channel) {
  return {.name = "--channel",
          .value = "N",
          .doc =
              "the channel of recordings that is heard, counted from 0, where a manifest names "
              "none",
          .target = &channel,
          .minimum = 0,
          .maximum = 65535,
          .fallback = "the average of all"};
}

Argument limit_option(int64_t& limit) {
  return {.name = "--limit",
          .value = "N",
          .doc = "take so many of the corpus's utterances, drawn by --seed, in whole batches",
          .target = &limit,
          .minimum = 1,
          .maximum = 1e9,
          .fallback = "all"};
}

Argument seed_option(uint64_t& seed) {
  return {.name = "--seed",
          .value = "N",
          .doc = "the root of what is drawn by chance",
          .target = &seed};
}

Argument batch_option(int64_t& batch) {
  return {.name = "--batch",
          .value = "N",
          .doc = "utterances of like length at a time; padding changes what a model hears",
          .target = &batch,
          .minimum = 1,
          .maximum = 65536};
}

Argument text_normalization_option(std::string& how) {
  return {.name = "--text-normalization",
          .value = "HOW",
          .doc = "of the transcripts: to the model's vocabulary, or none",
          .target = &how,
          .choices = {"vocabulary", "none"}};
}

Argument drop_tags_option(bool& drop) {
  return {.name = "--drop-tags",
          .doc = "leave tags in brackets, such as [LAUGHTER] or <COMMA>, out of the transcripts",
          .target = &drop};
}

Argument device_option(std::string& device) {
  return {.name = "--device",
          .value = "NAME",
          .doc = "what computes: auto, cpu or cuda",
          .target = &device,
          .choices = {"auto", "cpu", "cuda"}};
}

Argument kernels_option(std::string& kernels) {
  return {
      .name = "--kernels",
      .value = "NAME",
      .doc =
          "of an int8 model: this processor's fastest, those of a target, or exact, each layer on "
          "its own engine",
      .target = &kernels,
      .choices = nodes::kernel_names()};
}

Argument json_option(bool& json) {
  return {.name = "--json", .doc = "print JSON for machines, an object a line", .target = &json};
}

Argument output_option(std::string& path, const std::string& name, const std::string& doc,
                       const std::string& value) {
  return {.name = name, .value = value, .doc = doc, .target = &path};
}

Argument overwrite_option(bool& overwrite) {
  return {.name = "--overwrite", .doc = "replace the output that is there", .target = &overwrite};
}

}  // namespace flowqat::cli
