/// Draws up batches: of a fixed number of utterances, or filled to a budget of padded audio.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/error.h"
#include "graph/registry.h"

namespace flowqat::nodes {
namespace {

class BatchNode : public graph::Batcher {
 public:
  explicit BatchNode(const graph::NodeArguments& arguments)
      : Batcher(arguments.name, arguments.inputs.stream("from")),
        size_(static_cast<size_t>(arguments.params.integer("size"))),
        max_padded_s_(arguments.params.number("max_padded_s")),
        order_(arguments.params.text("order")),
        length_jitter_(arguments.params.number("length_jitter")),
        pad_to_samples_(arguments.params.integer("pad_to_samples")),
        queue_(arguments.params.integer("queue")),
        drop_last_(arguments.params.flag("drop_last")) {
    if (size_ == 0 && max_padded_s_ == 0) {
      throw graph::GraphError("give \"size\" (utterances a batch) or \"max_padded_s\" or both");
    }
  }

  int64_t queue() const override { return queue_; }

  int64_t padded_samples(int64_t longest) const override {
    return (longest + pad_to_samples_ - 1) / pad_to_samples_ * pad_to_samples_;
  }

  std::vector<std::vector<uint32_t>> group(std::span<const graph::Shape> shapes,
                                           graph::RandomStream random) const override {
    std::vector<std::vector<uint32_t>> batches{{}};
    int64_t longest = 0;
    for (uint32_t position : ordered(shapes, random)) {
      const int64_t with = std::max(longest, shapes[position].samples);
      if (is_full(batches.back().size(), padded_samples(with), shapes[position].rate_hz)) {
        batches.emplace_back();
        longest = 0;
      }
      batches.back().push_back(position);
      longest = std::max(longest, shapes[position].samples);
    }
    if (drop_last_ && batches.size() > 1 && batches.back().size() < size_) batches.pop_back();
    if (order_ == "length") random.shuffle(std::span(batches));
    return batches;
  }

 private:
  std::vector<uint32_t> ordered(std::span<const graph::Shape> shapes,
                                graph::RandomStream& random) const {
    std::vector<uint32_t> positions(shapes.size());
    std::iota(positions.begin(), positions.end(), 0u);
    if (order_ == "shuffled") random.shuffle(std::span(positions));
    if (order_ == "length") {
      std::vector<double> key(shapes.size());
      for (size_t i = 0; i < key.size(); ++i) {
        key[i] = static_cast<double>(shapes[i].samples) *
                 random.uniform(1 - length_jitter_, 1 + length_jitter_);
      }
      std::stable_sort(positions.begin(), positions.end(),
                       [&](uint32_t a, uint32_t b) { return key[a] < key[b]; });
    }
    return positions;
  }

  /// Whether a batch of `rows` utterances has no room for one more when rows would be padded to
  /// `padded`. An utterance longer than the budget gets a batch of its own.
  bool is_full(size_t rows, int64_t padded, int rate_hz) const {
    if (rows == 0) return false;
    if (size_ > 0 && rows >= size_) return true;
    return max_padded_s_ > 0 && rate_hz > 0 &&
           static_cast<double>(padded) * static_cast<double>(rows + 1) > max_padded_s_ * rate_hz;
  }

  size_t size_;
  double max_padded_s_;
  std::string order_;
  double length_jitter_;
  int64_t pad_to_samples_, queue_;
  bool drop_last_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "batch",
    .doc = "padded batches, handed on in the plan's order",
    .output = graph::EdgeKind::batches,
    .inputs = {{.key = "from", .kind = graph::EdgeKind::utterances, .doc = "finished utterances"}},
    .params =
        {
            {.name = "size",
             .kind = ParamKind::integer,
             .fallback = 0,
             .minimum = 0,
             .maximum = 65536,
             .doc = "utterances a batch at the most; 0: only max_padded_s counts"},
            {.name = "max_padded_s",
             .kind = ParamKind::number,
             .fallback = 0,
             .unit = "s",
             .minimum = 0,
             .doc = "padded audio a batch at the most; 0: only size counts"},
            {.name = "order",
             .kind = ParamKind::choice,
             .fallback = "shuffled",
             .choices = {"shuffled", "length", "corpus"},
             .doc =
                 "length: utterances of like length together, batches shuffled; corpus: as listed"},
            {.name = "length_jitter",
             .kind = ParamKind::number,
             .fallback = 0.05,
             .minimum = 0,
             .maximum = 1,
             .doc = "with order length: each length is first multiplied by 1 +- this, so batches "
                    "vary"},
            {.name = "pad_to_samples",
             .kind = ParamKind::integer,
             .fallback = 1,
             .unit = "samples",
             .minimum = 1,
             .doc = "rows are padded to a multiple of this"},
            {.name = "queue",
             .kind = ParamKind::integer,
             .fallback = 8,
             .minimum = 1,
             .maximum = 65536,
             .doc = "finished batches (of the largest size) that may wait for the consumer"},
            {.name = "drop_last",
             .kind = ParamKind::boolean,
             .fallback = false,
             .doc = "leave out the last batch of an epoch if it has fewer than `size` utterances"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<BatchNode>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
