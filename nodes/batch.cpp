/// Draws up batches: of a fixed number of utterances, or filled to a budget of padded audio.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "graph/check.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/plain_numbers.h"
#include "graph/registry.h"

namespace flowqat::nodes {
namespace {

class BatchNode : public graph::Batcher {
 public:
  using Batches = std::vector<std::vector<uint32_t>>;

  explicit BatchNode(const graph::NodeArguments& arguments)
      : Batcher(arguments.name, arguments.inputs.stream("from")),
        size_(static_cast<size_t>(arguments.params.integer("size"))),
        max_padded_s_(arguments.params.number("max_padded_s")),
        order_(arguments.params.text("order")),
        length_jitter_(arguments.params.number("length_jitter")),
        pad_to_samples_(arguments.params.integer("pad_to_samples")),
        queue_(arguments.params.integer("queue")),
        window_(arguments.params.integer("window")),
        drop_last_(arguments.params.flag("drop_last")),
        shortest_first_(arguments.params.flag("shortest_first")) {
    if (size_ == 0 && max_padded_s_ == 0) {
      throw graph::GraphError("give \"size\" (utterances a batch) or \"max_padded_s\" or both");
    }
  }

  void check(graph::CheckContext& context) const override {
    const graph::CheckedStream* stream = context.stream(*this);
    if (stream == nullptr || max_padded_s_ == 0) return;
    const graph::Index& index = stream->known.index;
    int64_t too_long = 0, last = -1, longest_at = -1;
    double longest_s = max_padded_s_;
    for (const graph::Presentation& at : stream->known.selection.presentations) {
      const double duration_s = index.shape(at.entry).seconds();
      if (duration_s <= max_padded_s_ || std::exchange(last, at.entry) == at.entry) continue;
      ++too_long;
      if (duration_s > longest_s) longest_s = duration_s, longest_at = at.entry;
    }
    if (too_long == 0) return;
    const graph::IndexEntry longest = index[static_cast<size_t>(longest_at)];
    context.say(name() + ": " + graph::counted(too_long, "utterance") +
                graph::format(" longer than \"max_padded_s\" (%g s), each in a batch of its own; "
                              "the longest, %s (%s), has %.1f s. The corpus's \"max_duration_s\" "
                              "leaves such ones out",
                              max_padded_s_, longest.id.c_str(), longest.path.c_str(), longest_s));
  }

  int64_t queue() const override { return queue_; }

  int64_t window() const override { return window_; }

  // A window that is not the last ends where a batch would end.
  int64_t window_multiple() const override {
    return size_ > 0 && max_padded_s_ == 0 ? static_cast<int64_t>(size_) : 1;
  }

  graph::Dealing dealing(int64_t epoch) const override {
    if (shortest_first_ && epoch == 0) return graph::Dealing::by_length;
    return order_ == "corpus" ? graph::Dealing::as_listed : graph::Dealing::drawn;
  }

  int64_t count(int64_t presentations) const override {
    if (max_padded_s_ > 0) return -1;
    const auto size = static_cast<int64_t>(size_);
    const int64_t whole = presentations / size;
    return presentations % size == 0 || (drop_last_ && whole > 0) ? whole : whole + 1;
  }

  int64_t padded_samples(int64_t longest) const override {
    return (longest + pad_to_samples_ - 1) / pad_to_samples_ * pad_to_samples_;
  }

  Batches group(const graph::WindowShapes& window, graph::RandomStream random) const override {
    const std::span shapes = window.shapes;
    if (shortest_first_ && window.epoch == 0) {
      return batches_of(window, by_length(shapes, listed(shapes.size()), 0, random));
    }
    const std::vector<Positions> parts = blocks(window, random);
    if (order_ != "length") return batches_of(window, joined(parts));
    Batches all;
    for (const Positions& part : parts) {
      Batches batches = batches_of(window, by_length(shapes, part, length_jitter_, random));
      random.shuffle(std::span(batches));
      std::move(batches.begin(), batches.end(), std::back_inserter(all));
    }
    return all;
  }

 private:
  using Positions = std::vector<uint32_t>;

  static Positions joined(const std::vector<Positions>& parts) {
    Positions all;
    for (const Positions& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }

  static Positions listed(size_t count) {
    Positions positions(count);
    std::iota(positions.begin(), positions.end(), 0u);
    return positions;
  }

  /// The parts of a window within which utterances change places: all of it, or, with a shuffle
  /// window, neighbours. Shuffled, but for order `corpus`.
  std::vector<Positions> blocks(const graph::WindowShapes& window,
                                graph::RandomStream& random) const {
    Positions positions = listed(window.shapes.size());
    if (order_ == "corpus") return {positions};
    if (window.shuffle_window == 0) {
      if (order_ == "shuffled") random.shuffle(std::span(positions));
      return {positions};
    }
    std::vector<Positions> parts;
    const auto neighbours = static_cast<size_t>(window.shuffle_window);
    for (size_t begin = 0; begin < positions.size(); begin += neighbours) {
      const std::span part =
          std::span(positions).subspan(begin, std::min(neighbours, positions.size() - begin));
      random.shuffle(part);
      parts.emplace_back(part.begin(), part.end());
    }
    return parts;
  }

  static Positions by_length(std::span<const graph::Shape> shapes, Positions positions,
                             double jitter, graph::RandomStream& random) {
    std::vector<double> length(shapes.size());
    for (const uint32_t at : positions) {
      length[at] = static_cast<double>(shapes[at].samples) * random.uniform(1 - jitter, 1 + jitter);
    }
    std::stable_sort(positions.begin(), positions.end(),
                     [&](uint32_t a, uint32_t b) { return length[a] < length[b]; });
    return positions;
  }

  /// Fills batches in `order`.
  Batches batches_of(const graph::WindowShapes& window, const Positions& order) const {
    Batches batches{{}};
    int64_t longest = 0;
    for (const uint32_t position : order) {
      const graph::Shape& shape = window.shapes[position];
      const int64_t with = std::max(longest, shape.samples);
      if (is_full(batches.back().size(), padded_samples(with), shape.rate_hz)) {
        batches.emplace_back();
        longest = 0;
      }
      batches.back().push_back(position);
      longest = std::max(longest, shape.samples);
    }
    if (drop_last_ && window.is_last && batches.size() > 1 && batches.back().size() < size_) {
      batches.pop_back();
    }
    if (batches.back().empty()) batches.pop_back();
    return batches;
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
  int64_t pad_to_samples_, queue_, window_;
  bool drop_last_, shortest_first_;
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
             .fallback = 4,
             .minimum = 1,
             .maximum = 65536,
             .doc = "finished batches (of the mean size) that may wait for the consumer",
             .may_change = true},
            {.name = "window",
             .kind = ParamKind::integer,
             .fallback = 131072,
             .unit = "utterances",
             .minimum = 1,
             .doc = "an epoch with more is planned in windows of at most so many, drawn from all "
                    "of the corpus: only within one do utterances meet in a batch"},
            {.name = "drop_last",
             .kind = ParamKind::boolean,
             .fallback = false,
             .doc = "leave out the last batch of an epoch if it has fewer than `size` utterances"},
            {.name = "shortest_first",
             .kind = ParamKind::boolean,
             .fallback = false,
             .doc = "the first epoch goes from the shortest to the longest utterance, whatever "
                    "`order` says of the others"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<BatchNode>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
