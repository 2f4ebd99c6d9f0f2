#include "graph/check.h"

#include <filesystem>
#include <set>
#include <utility>

#include "graph/epoch_plan.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/gate.h"
#include "graph/mistakes.h"
#include "graph/plain_numbers.h"
#include "graph/run_files.h"
#include "graph/usable_cores.h"

namespace flowqat::graph {
namespace {

/// How many utterances are told by name.
constexpr size_t named = 3;

std::string list_of(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + id;
  return text;
}

/// The first of them, as its place and its reason.
std::string first_broken(const CheckedStream& stream) {
  for (const Presentation& at : stream.known.selection.presentations) {
    if (!stream.known.index.is_broken(at.entry)) continue;
    const IndexEntry entry = stream.known.index[at.entry];
    const std::string path = one_line(entry.path);
    const bool is_named = entry.broken.find(path) != std::string::npos;
    return (is_named ? "" : path + ": ") + one_line(entry.broken);
  }
  return "";
}

void count(CheckedStream& stream) {
  int64_t last = -1;  // presentations of an utterance stand behind one another
  for (const Presentation& at : stream.known.selection.presentations) {
    if (std::exchange(last, at.entry) == at.entry) continue;
    const Index& index = stream.known.index;
    ++stream.utterances;
    if (index.is_broken(at.entry)) {
      ++stream.broken;
      continue;
    }
    if (index.has_transcript(at.entry)) {
      ++stream.with_transcript;
    } else if (stream.without_transcript.size() < named) {
      stream.without_transcript.push_back(one_line(index[at.entry].id));
    }
    if (stream.path.empty()) stream.path = index[at.entry].path;
  }
}

}  // namespace

class Checker {
 public:
  Checker(const Graph& graph, Reporter& reporter, const std::atomic<int>& stop_signal,
          int processes, int local_processes)
      : graph_(graph),
        reporter_(reporter),
        stop_signal_(stop_signal),
        options_(pipeline_options(graph.settings())),
        mistakes_(graph.spec().file) {
    const auto threads = static_cast<int>(graph.settings().integer("threads"));
    context_.threads_ = threads > 0 ? threads : usable_cores();
    context_.reporter_ = &reporter;
    context_.stop_signal_ = &stop_signal;
    context_.processes_ = processes;
    context_.local_processes_ = local_processes;
  }

  Checked run() {
    const std::set<const Node*> lacking = lacking_streams();
    for (const Batcher* batcher : graph_.batchers()) {
      if (lacking.contains(batcher)) {
        context_.open(batcher->name() + ": its utterances, before they are fetched");
      } else {
        mistakes_.collect([&] { read(*batcher); });
      }
    }
    for (const auto& node : graph_.nodes()) {
      mistakes_.collect([&] { node->check(context_); });
    }
    mistakes_.throw_if_any();
    Checked checked{.streams = {},
                    .seen = std::move(context_.seen_),
                    .open = std::move(context_.open_),
                    .uses = std::move(context_.uses_),
                    .outputs = std::move(context_.outputs_)};
    for (auto& [batcher, stream] : context_.streams_) {
      checked.streams.emplace(batcher, std::move(stream.known));
    }
    return checked;
  }

 private:
  /// The nodes of streams whose corpus is not there yet.
  std::set<const Node*> lacking_streams() const {
    std::set<const Node*> lacking;
    std::map<std::string, const Node*> nodes;
    for (size_t i = 0; i < graph_.nodes().size(); ++i) {
      const NodeSpec& spec = graph_.spec().nodes[i];
      const Node* node = nodes[spec.name] = graph_.nodes()[i].get();
      if (dynamic_cast<const StreamNode*>(node) == nullptr) continue;
      bool lacks = node->missing() != nullptr;
      for (const auto& [key, targets] : spec.edges) {
        for (const std::string& target : targets) lacks |= lacking.contains(nodes.at(target));
      }
      if (lacks) lacking.insert(node);
    }
    return lacking;
  }

  void read(const Batcher& batcher) {
    if (stop_signal_ != 0) throw Interrupted(stop_signal_);
    const IndexProgress reading = index_progress(batcher, reporter_, stop_signal_);
    reading(0, 0);
    CheckedStream stream{.known = read_stream(batcher, options_, {context_.threads_, reading})};
    count(stream);
    const EpochPlan epoch(stream.known.chain, stream.known.index, stream.known.selection,
                          {.seed = options_.seed});
    const Plan plan = epoch.window(0);
    for (const PlannedBatch& batch : plan) {
      if (stream.rate_hz == 0) stream.rate_hz = batch.rate_hz;
    }
    in_flight_limit_s(options_.audio_in_flight_s, plan, batcher.queue(), context_.threads_);
    check_broken(stream, epoch, plan);
    context_.seen(line_of(stream));
    context_.streams_.emplace(&batcher, std::move(stream));
  }

  /// What is broken already is going to be rejected: the run would fail when it comes to that.
  void check_broken(const CheckedStream& stream, const EpochPlan& epoch, const Plan& plan) const {
    int64_t rows = 0, broken = 0;
    const auto count = [&](const std::vector<Presentation>& presentations) {
      rows += std::ssize(presentations);
      for (const Presentation& at : presentations) {
        broken += stream.known.index.is_broken(at.entry) ? 1 : 0;
      }
    };
    if (epoch.windows() == 1) {
      for (const PlannedBatch& batch : plan) count(batch.rows);
    } else {
      count(stream.known.selection.presentations);
    }
    const bool by_count = options_.max_rejected >= 0 && broken > options_.max_rejected;
    if (!by_count &&
        static_cast<double>(broken) <= options_.max_rejected_share * static_cast<double>(rows)) {
      return;
    }
    throw RunError("node \"" + stream.known.chain.source->name() + "\": " + std::to_string(broken) +
                   " of " + std::to_string(rows) +
                   " utterances of an epoch cannot be used, more than " +
                   (by_count ? "max_rejected" : "max_rejected_share") +
                   " allows; the first one: " + first_broken(stream));
  }

  std::string line_of(const CheckedStream& stream) const {
    std::string line = stream.known.chain.batcher->name() + ": " +
                       counted(static_cast<int64_t>(stream.utterances), "utterance") + " of " +
                       stream.known.chain.source->name() + ", " +
                       duration_text(stream.known.selection.presented_s) +
                       " of audio an epoch at " + std::to_string(stream.rate_hz) + " Hz";
    if (stream.with_transcript == 0) {
      line += ", without transcripts";
    } else if (stream.with_transcript + stream.broken < stream.utterances) {
      line += ", " + std::to_string(stream.utterances - stream.broken - stream.with_transcript) +
              " without a transcript: " + list_of(stream.without_transcript);
    }
    if (stream.broken > 0) {
      line +=
          ", " + std::to_string(stream.broken) + " that cannot be used: " + first_broken(stream);
    }
    return line;
  }

  const Graph& graph_;
  Reporter& reporter_;
  const std::atomic<int>& stop_signal_;
  PipelineOptions options_;
  Mistakes mistakes_;
  CheckContext context_;
};

const CheckedStream* CheckContext::stream(const Batcher& batcher) const {
  const auto found = streams_.find(&batcher);
  return found == streams_.end() ? nullptr : &found->second;
}

void CheckContext::progress(const Progress& progress) {
  if (*stop_signal_ != 0) throw Interrupted(*stop_signal_);
  reporter_->progress(progress);
}

void CheckContext::claim(const Node& node, const std::string& key, const std::string& name) {
  std::string plain = std::filesystem::path(name).lexically_normal().string();
  if (plain.ends_with('/')) plain.pop_back();
  const std::string where = "node \"" + node.name() + "\", key \"" + key + "\": \"" + name + "\" ";
  if (plain.empty() || plain == "." ||
      own_files().contains(*std::filesystem::path(plain).begin())) {
    throw GraphError(where + "in the run's folder is the run's own; choose another name");
  }
  if (plain.starts_with("..") || plain.starts_with('/')) {
    throw GraphError(where + "leads out of the run's folder; choose a name in it");
  }
  if (plain.find('*') != std::string::npos) {
    throw GraphError(where + "has a '*' in it; choose another name");
  }
  const auto [writer, is_free] = writers_.try_emplace(plain, node.name());
  if (!is_free) {
    throw GraphError(where + "in the run's folder is what node \"" + writer->second +
                     "\" writes; choose another name");
  }
  outputs_.push_back(plain);
}

Checked check(const Graph& graph, Reporter& reporter, const std::atomic<int>& stop_signal,
              int processes, int local_processes) {
  return Checker(graph, reporter, stop_signal, processes, local_processes).run();
}

}  // namespace flowqat::graph
