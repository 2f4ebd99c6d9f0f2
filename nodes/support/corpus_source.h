/// What all sources of corpora share: a cached index, limits of duration, and a subset by hours.
#pragma once
#include <string>
#include <vector>

#include "graph/registry.h"
#include "io/corpus/corpus.h"

namespace flowqat::nodes {

class CorpusSource : public graph::Source {
 public:
  double hours() const final { return hours_; }
  graph::Index read_index(const graph::IndexReading& reading) const final;
  std::string describe_transcripts() const final;

 protected:
  /// Reads the parameters of corpus_params(). Errors of the scan name `place_key`, the parameter
  /// that says where the corpus is.
  CorpusSource(const graph::NodeArguments& arguments, std::string place_key);
  /// Lists the corpus. Throws io::Error.
  virtual io::Corpus scan(const io::Scanning& scanning) const = 0;
  /// As Source::describe_transcripts(), but may throw io::Error.
  virtual std::string describe_texts() const { return ""; }
  /// All that the scan depends on beside the file system.
  virtual std::string identity() const = 0;

 private:
  std::string place_key_;
  double hours_, min_duration_s_, max_duration_s_;
  bool cache_;
};

/// `own`, followed by the parameters that every corpus has.
std::vector<graph::ParamSpec> corpus_params(std::vector<graph::ParamSpec> own);

/// A text in which no two lists of parts look alike: for identity().
std::string identity_of(const std::string& type, const std::vector<std::string>& parts);

}  // namespace flowqat::nodes
