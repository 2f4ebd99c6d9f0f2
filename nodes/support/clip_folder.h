/// A folder of noises or room responses, one of which is drawn for each utterance.
#pragma once
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "graph/registry.h"

namespace flowqat::nodes {

class ClipFolder {
 public:
  using Clip = std::shared_ptr<const std::vector<float>>;

  /// Lists the folder that the parameter "folder" names; decodes nothing. Throws RunError when it
  /// is missing or holds no audio.
  explicit ClipFolder(const graph::NodeArguments& arguments);

  /// Hears every file for `node`, unless that was done before. Throws RunError for one that cannot
  /// be used, and says which are silence.
  void check(const graph::Node& node, graph::CheckContext& context) const;

  /// A clip at `rate_hz`, every file as likely. Decoded and resampled when it is first drawn, then
  /// kept for a while. Throws RunError for a file that cannot be used. Thread-safe.
  Clip draw(graph::RandomStream& random, int rate_hz) const;

 private:
  struct Kept {
    size_t file;
    int rate_hz;
    Clip clip;
  };
  Clip find(size_t file, int rate_hz) const;
  void keep(Kept kept) const;

  std::string node_, folder_;
  std::vector<std::filesystem::path> files_;
  mutable std::mutex mutex_;
  mutable std::list<Kept> kept_;  ///< the one used last comes first
  mutable size_t kept_samples_ = 0;
};

graph::ParamSpec clip_folder_param(std::string doc);

}  // namespace flowqat::nodes
