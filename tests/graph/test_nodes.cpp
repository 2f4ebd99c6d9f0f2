#include "tests/graph/test_nodes.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <numeric>

#include "graph/error.h"
#include "graph/registry.h"

namespace flowqat::graph::testing {
namespace {

/// Utterance i has 1000 + 10 i samples, all of them i; number `huge` more than any memory holds.
class Numbers : public Source {
 public:
  explicit Numbers(const NodeArguments& a)
      : Source(a.name),
        count_(a.params.integer("count")),
        rate_hz_(a.params.integer("rate_hz")),
        odd_rate_hz_(a.params.integer("odd_rate_hz")),
        broken_(a.params.integer("broken")),
        huge_(a.params.integer("huge")),
        hours_(a.params.number("hours")) {}
  double hours() const override { return hours_; }
  Index read_index(const IndexReading&) const override {
    std::vector<IndexEntry> entries;
    for (int64_t i = 0; i < count_; ++i) {
      IndexEntry entry;
      entry.id = "u" + std::to_string(i);
      entry.path = "/numbers/" + entry.id;
      entry.transcript = "WORD " + std::to_string(i);
      entry.shape = {1000 + 10 * i,
                     static_cast<int>(i % 2 && odd_rate_hz_ ? odd_rate_hz_ : rate_hz_)};
      if (i == huge_) entry.shape.samples = int64_t{1} << 61;
      if (i < broken_) entry.shape = {}, entry.broken = "has no header";
      entries.push_back(entry);
    }
    return Index(entries);
  }

 private:
  int64_t count_, rate_hz_, odd_rate_hz_, broken_, huge_;
  double hours_;
};

/// Writes what `read_index` promised.
class Fill : public Transform {
 public:
  explicit Fill(const NodeArguments& a) : Transform(a.name, a.inputs.stream("from")) {}
  void apply(const Shape&, std::span<const float>, std::span<float> out, Draw draw,
             Row&) const override {
    std::fill(out.begin(), out.end(), std::stof(draw.entry.id.substr(1)));
  }
};

/// Adds a random number and a random number of samples; once for each copy.
class Jitter : public Transform {
 public:
  explicit Jitter(const NodeArguments& a)
      : Transform(a.name, a.inputs.stream("from")),
        copies_(static_cast<int>(a.params.integer("copies"))) {}
  int copies() const override { return copies_; }
  Shape predict(const Shape& in, Draw draw) const override {
    return {in.samples + static_cast<int64_t>(draw.random.below(7)), in.rate_hz};
  }
  void apply(const Shape&, std::span<const float> in, std::span<float> out, Draw draw,
             Row&) const override {
    draw.random.below(7);
    for (float& sample : out)
      sample =
          in.front() + static_cast<float>(draw.random.uniform()) + static_cast<float>(draw.copy);
  }

 private:
  int copies_;
};

/// Records who works, and can reject or fail.
class ProbeNode : public Transform {
 public:
  explicit ProbeNode(const NodeArguments& a)
      : Transform(a.name, a.inputs.stream("from")),
        reject_(a.params.text("reject")),
        fail_(a.params.text("fail")) {}
  bool passes_samples() const override { return true; }
  void apply(const Shape&, std::span<const float>, std::span<float>, Draw draw,
             Row& row) const override {
    Probe& seen = probe();
    ++seen.started;
    const int inside = ++seen.inside;
    int most = seen.most_inside;
    while (inside > most && !seen.most_inside.compare_exchange_weak(most, inside)) {
    }
    {
      const std::lock_guard lock(seen.mutex);
      seen.threads.insert(std::this_thread::get_id());
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (seen.most_inside < seen.awaited && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    if (seen.sleep_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(seen.sleep_ms));
    --seen.inside;
    row.time_masks.push_back({static_cast<int32_t>(draw.random.below(100)), 1});
    if (reject_ == "all" || draw.entry.id == reject_)
      throw Rejection(draw.entry.path + ": not wanted");
    if (draw.entry.id == fail_) throw std::logic_error("a broken transform");
  }

 private:
  std::string reject_, fail_;
};

/// Batches of `size`, in index order or one that is drawn.
class Pack : public Batcher {
 public:
  explicit Pack(const NodeArguments& a)
      : Batcher(a.name, a.inputs.stream("from")),
        size_(static_cast<uint32_t>(a.params.integer("size"))),
        queue_(a.params.integer("queue")),
        window_(a.params.integer("window")),
        is_drawn_(a.params.integer("drawn") != 0) {}
  std::vector<std::vector<uint32_t>> group(const WindowShapes& window,
                                           RandomStream random) const override {
    std::vector<uint32_t> order(window.shapes.size());
    std::iota(order.begin(), order.end(), 0);
    if (is_drawn_) random.shuffle(std::span(order));
    std::vector<std::vector<uint32_t>> groups;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i % size_ == 0) groups.emplace_back();
      groups.back().push_back(order[i]);
    }
    return groups;
  }
  int64_t padded_samples(int64_t longest) const override { return (longest + 99) / 100 * 100; }
  int64_t queue() const override { return queue_; }
  int64_t window() const override { return window_; }
  Dealing dealing(int64_t) const override {
    return is_drawn_ ? Dealing::drawn : Dealing::as_listed;
  }

 private:
  uint32_t size_;
  int64_t queue_, window_;
  bool is_drawn_;
};

/// A step that only stands there.
class Listen : public Step {
 public:
  explicit Listen(const NodeArguments& a) : Step(a.name) {}
  void run(StepContext&) override {}
};

template <class T>
auto maker() {
  return [](NodeArguments a) -> std::unique_ptr<Node> { return std::make_unique<T>(a); };
}

const InputSpec from{.key = "from", .kind = EdgeKind::utterances};
using Kind = ParamKind;

const Register numbers(
    {.name = "numbers",
     .doc = "",
     .output = EdgeKind::utterances,
     .inputs = {},
     .params = {{.name = "count", .kind = Kind::integer, .fallback = 20, .minimum = 0},
                {.name = "rate_hz",
                 .kind = Kind::integer,
                 .fallback = 1000,
                 .unit = "Hz",
                 .minimum = 1,
                 .maximum = 48000},
                {.name = "odd_rate_hz", .kind = Kind::integer, .fallback = 0},
                {.name = "broken", .kind = Kind::integer, .fallback = 0},
                {.name = "huge", .kind = Kind::integer, .fallback = -1},
                {.name = "hours", .kind = Kind::number, .fallback = 0}},
     .make = maker<Numbers>()});
const Register fill({.name = "fill",
                     .doc = "",
                     .output = EdgeKind::utterances,
                     .inputs = {from},
                     .params = {},
                     .make = maker<Fill>()});
const Register jitter(
    {.name = "jitter",
     .doc = "",
     .output = EdgeKind::utterances,
     .inputs = {from},
     .params = {{.name = "copies", .kind = Kind::integer, .fallback = 1, .minimum = 1}},
     .make = maker<Jitter>()});
const Register probing({.name = "probe",
                        .doc = "",
                        .output = EdgeKind::utterances,
                        .inputs = {from},
                        .params = {{.name = "reject", .kind = Kind::text, .fallback = ""},
                                   {.name = "fail", .kind = Kind::text, .fallback = ""}},
                        .make = maker<ProbeNode>()});
const Register pack(
    {.name = "pack",
     .doc = "",
     .output = EdgeKind::batches,
     .inputs = {from},
     .params = {{.name = "size", .kind = Kind::integer, .fallback = 4, .minimum = 1},
                {.name = "queue", .kind = Kind::integer, .fallback = 2, .minimum = 1},
                {.name = "window", .kind = Kind::integer, .fallback = 1000, .minimum = 1},
                {.name = "drawn", .kind = Kind::integer, .fallback = 0}},
     .make = maker<Pack>()});
const Register listen(
    {.name = "listen",
     .doc = "",
     .output = EdgeKind::none,
     .may_end = true,
     .inputs = {{.key = "audio", .kind = EdgeKind::batches, .many = true},
                {.key = "after", .kind = EdgeKind::model, .required = false}},
     .params = {{.name = "mode", .kind = Kind::choice, .fallback = "a", .choices = {"a", "b"}},
                {.name = "factors",
                 .kind = Kind::numbers,
                 .fallback = Default::empty_list(),
                 .minimum = 0.5,
                 .maximum = 2},
                {.name = "needed", .kind = Kind::boolean, .doc = "whether"}},
     .make = maker<Listen>()});

}  // namespace

Probe& probe() {
  static Probe instance;
  return instance;
}

Graph make_graph(const std::string& nodes) {
  return Graph(resolve(Json{{"nodes", Json::parse(nodes)}}, "test.json"));
}

}  // namespace flowqat::graph::testing
