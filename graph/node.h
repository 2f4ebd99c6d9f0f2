/// The interfaces that node types implement. Constructors validate; everything that runs afterwards
/// assumes validity. Nodes of the audio side are const while they run: any number of threads call
/// them at once.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/fetch.h"
#include "graph/index.h"
#include "graph/message.h"
#include "graph/random.h"

namespace flowqat::graph {

class CheckContext;
class StepContext;

class Node {
 public:
  virtual ~Node() = default;
  const std::string& name() const { return name_; }
  /// The files that the node lacks and can have fetched, by a look at the disk; null: none.
  virtual std::unique_ptr<Fetch> missing() const { return nullptr; }
  /// Looks, before anything is run, at what the node will need of the files and nodes that it was
  /// given. Throws GraphError (what was asked for does not go together) or RunError (a file is
  /// missing or broken) that names node and key.
  virtual void check(CheckContext&) const {}

 protected:
  explicit Node(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

/// A node of the audio side: knows what it draws from (null for a source).
class StreamNode : public Node {
 public:
  const StreamNode* upstream() const { return upstream_; }

 protected:
  StreamNode(std::string name, const StreamNode* upstream)
      : Node(std::move(name)), upstream_(upstream) {}

 private:
  const StreamNode* upstream_;
};

/// Told now and then how many of a corpus's files are looked at; `total` 0: not known yet. What it
/// throws ends the reading.
using IndexProgress = std::function<void(int64_t done, int64_t total)>;

/// How an index is read.
struct IndexReading {
  IndexReading(int threads, IndexProgress progress = {})  // NOLINT: a number of threads is one
      : threads(threads), progress(std::move(progress)) {}
  int threads;  ///< 0: all cores
  IndexProgress progress;
};

/// Lists the utterances of a corpus.
class Source : public StreamNode {
 public:
  /// Reads headers and transcripts, never audio. Called once, before the first plan.
  virtual Index read_index(const IndexReading& reading) const = 0;
  /// How many hours, as presented after all transforms, an epoch takes of the corpus; 0: all.
  virtual double hours() const { return 0; }
  /// For corpora that are best read in order (archives on a disk or a network): utterances are
  /// shuffled only within this many neighbours, and whole groups (IndexEntry::group) change places.
  /// 0: anything may come at any time.
  virtual int64_t shuffle_window() const { return 0; }
  /// For a person who misses transcripts: where they were looked for, and what is there instead, as
  /// far as that can be told; else empty. May read files, and throws nothing.
  virtual std::string describe_transcripts() const { return ""; }

 protected:
  explicit Source(std::string name) : StreamNode(std::move(name), nullptr) {}
};

/// What a transform may know of an utterance beside its samples. `random` starts afresh for every
/// node, so predict() and apply() make the same draws.
struct Draw {
  const IndexEntry& entry;
  int copy;
  RandomStream random;
};

/// Changes one utterance at a time.
class Transform : public StreamNode {
 public:
  using StreamNode::StreamNode;
  /// How many times an utterance is presented in an epoch because of this node; Draw::copy counts
  /// through the product over all nodes, and this node's own part is what the planner hands it.
  virtual int copies() const { return 1; }
  /// True if the samples pass unchanged and only the row's other fields are written.
  virtual bool passes_samples() const { return false; }
  /// The audio that apply() will make of `in`. Of the draw's entry only numbers are known here:
  /// shape, channels, key and weight.
  virtual Shape predict(const Shape& in, Draw) const { return in; }
  /// Writes exactly predict().samples samples to `out`, which never overlaps `in`. Where samples
  /// pass unchanged `out` is empty. `row` is the utterance's own; only masks and the note may be
  /// written.
  /// Throws Rejection for an utterance that cannot be used; anything else ends the run.
  virtual void apply(const Shape& shape, std::span<const float> in, std::span<float> out, Draw draw,
                     Row& row) const = 0;
};

/// How an epoch's presentations are dealt out to its windows: by chance, the shortest first, or in
/// the corpus's order.
enum class Dealing { drawn, by_length, as_listed };

/// What a window's batches are drawn up from.
struct WindowShapes {
  /// That the utterances will have, in the corpus's order; where that is dealt by length or in
  /// groups, in that order.
  std::span<const Shape> shapes = {};
  int64_t epoch = 0;
  /// Source::shuffle_window().
  int64_t shuffle_window = 0;
  bool is_last = true;  ///< of its epoch
};

/// Draws up batches. An epoch is planned in windows of its presentations, so that planning takes
/// neither time nor memory for more of it than is about to be heard; what the windows are is a part
/// of the plan.
class Batcher : public StreamNode {
 public:
  using StreamNode::StreamNode;
  /// Batches of positions in `shapes`, in the order in which they will be handed on. Every position
  /// that is used stands in one batch.
  virtual std::vector<std::vector<uint32_t>> group(const WindowShapes& window,
                                                   RandomStream random) const = 0;
  /// Presentations in a window at the most.
  virtual int64_t window() const { return int64_t{1} << 17; }
  /// Windows but the last hold a multiple of this.
  virtual int64_t window_multiple() const { return 1; }
  virtual Dealing dealing([[maybe_unused]] int64_t epoch) const { return Dealing::drawn; }
  /// How many batches so many presentations of an epoch make; -1 where it depends on how long they
  /// are.
  virtual int64_t count([[maybe_unused]] int64_t presentations) const { return -1; }
  /// The length to which rows are padded when `longest` is the longest of them.
  virtual int64_t padded_samples(int64_t longest) const = 0;
  /// How many finished batches of the mean size may wait for the consumer.
  virtual int64_t queue() const = 0;
  /// Whether an epoch's first batches are a sample of all of it.
  bool is_in_random_order(int64_t epoch) const { return dealing(epoch) == Dealing::drawn; }
};

/// Who works on a step where several processes share a run.
enum class Workers {
  first,  ///< rank 0 alone: the others have its result by restore(), from what save() wrote
  each,   ///< every process does the same by itself
  all     ///< all together, each a part of it
};

/// One step of the lower line: takes and gives models, runs on the training thread.
class Step : public Node {
 public:
  using Node::Node;
  virtual void run(StepContext& context) = 0;
  virtual Workers workers() const { return Workers::first; }
  /// Writes the step's result into an empty folder, so that restore() can bring it back in a
  /// resumed run without running the step again.
  virtual void save(const std::filesystem::path&) const {}
  virtual void restore(const std::filesystem::path&, StepContext&) {}
};

}  // namespace flowqat::graph
