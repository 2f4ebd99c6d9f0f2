/// The arguments that several commands take, each declared once: it means the same everywhere.
#pragma once
#include "cli/command.h"

namespace flowqat::cli {

/// GRAPH by its place or as --graph.
Argument graph_argument(std::string& graph);
/// --set NODE.KEY=VALUE
Argument set_option(std::vector<std::string>& overrides);

/// MODEL: a folder, or an id on the Hub. `kinds`: which models the command takes, "a float".
Argument model_argument(std::string& model, const std::string& kinds);
/// --manifest: a corpus with transcripts.
Argument manifest_option(std::string& manifest);
/// --split of such a corpus.
Argument split_option(std::vector<std::string>& splits);
/// --channel: one of those that recordings have; below 0: the average of all.
Argument channel_option(int64_t& channel);
/// --limit: a part of the corpus, which --seed draws.
Argument limit_option(int64_t& limit);
Argument seed_option(uint64_t& seed);
/// --batch: how many at a time.
Argument batch_option(int64_t& batch);
/// --text-normalization of the transcripts.
Argument text_normalization_option(std::string& how);
/// --drop-tags from transcripts.
Argument drop_tags_option(bool& drop);

/// --device, which computes; --kernels of an int8 model.
Argument device_option(std::string& device);
Argument kernels_option(std::string& kernels);

/// --json: the result for machines.
Argument json_option(bool& json);
/// --out and its kind, what else writes a file or folder, and --overwrite for all of them.
Argument output_option(std::string& path, const std::string& name, const std::string& doc,
                       const std::string& value = "FILE");
Argument overwrite_option(bool& overwrite);

}  // namespace flowqat::cli
