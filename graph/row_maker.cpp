#include "graph/row_maker.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <new>
#include <stdexcept>

#include "graph/error.h"
#include "graph/format.h"

namespace flowqat::graph {
namespace {

using Clock = std::chrono::steady_clock;

size_t last_writer(const Chain& chain) {
  size_t last = chain.transforms.size();
  for (size_t i = 0; i < chain.transforms.size(); ++i) {
    if (!chain.transforms[i]->passes_samples()) last = i;
  }
  return last;
}

/// "utterance ID (PATH)".
std::string named(const IndexEntry& entry) {
  return "utterance " + one_line(entry.id) + " (" + one_line(entry.path) + ")";
}

/// Memory for all rows of a batch. Throws RunError where there is none.
SampleBuffer take_rows(SampleBuffers& buffers, const PlannedBatch& planned, const Index& index) {
  const size_t rows = planned.rows.size();
  const auto padded = static_cast<size_t>(planned.padded_samples);
  try {
    if (padded > std::numeric_limits<size_t>::max() / rows) throw std::bad_alloc();
    return buffers.take(rows * padded);
  } catch (const std::exception&) {  // bad_alloc, or length_error: more than could be addressed
    const auto longest = std::max_element(
        planned.rows.begin(), planned.rows.end(), [&](const auto& one, const auto& other) {
          return index.shape(one.entry).seconds() < index.shape(other.entry).seconds();
        });
    throw RunError(
        format("there is no memory for a batch of %zu rows of %.1f s (%.1f GB); its longest is ",
               rows, planned.padded_s() / static_cast<double>(rows),
               static_cast<double>(rows) * static_cast<double>(padded) * sizeof(float) / 1e9) +
        named(index[longest->entry]) +
        ": leave such ones out with the corpus's max_duration_s, or make batches smaller");
  }
}

}  // namespace

RowMaker::RowMaker(Pipeline& pipeline, const EpochKey& key)
    : pipeline_(pipeline), key_(key), last_writer_(last_writer(pipeline.chain())) {}

std::vector<std::shared_ptr<Utterance>> RowMaker::begin(const PlannedBatch& planned,
                                                        int64_t number) const {
  auto open = std::make_shared<OpenBatch>(pipeline_.batch_buffers());
  Batch& batch = open->batch;
  batch.number = number;
  batch.padded_samples = planned.padded_samples;
  batch.rate_hz = planned.rate_hz;
  batch.rows.resize(planned.rows.size());
  batch.samples = take_rows(*open->buffers, planned, pipeline_.index());
  open->missing_rows = planned.rows.size();
  std::vector<std::shared_ptr<Utterance>> utterances;
  for (const Presentation& at : planned.rows) {
    batch.entries.push_back(pipeline_.index()[at.entry]);
  }
  for (size_t i = 0; i < planned.rows.size(); ++i) {
    batch.rows[i].entry = &batch.entries[i];
    batch.rows[i].copy = planned.rows[i].copy;
    utterances.push_back(std::make_shared<Utterance>(Utterance{
        .home = open, .row_number = i, .shape = batch.rows[i].entry->shape, .samples = {}}));
  }
  return utterances;
}

void RowMaker::apply(size_t position, Utterance& utterance) const {
  Row& row = utterance.row();
  NodeCounter& counter = pipeline_.counters()[position];
  const double source_s = row.entry->shape.seconds();
  if (row.rejected) return counter.pass(source_s);
  const std::string& node = pipeline_.chain().transforms[position]->name();
  const double input_s = utterance.shape.seconds();
  const auto begun = Clock::now();
  counter.begin(source_s, begun);
  try {
    if (!row.entry->broken.empty()) throw Rejection(row.entry->broken);
    if (utterance.shape.samples == 0)
      throw Rejection(one_line(row.entry->path) + ": holds no audio");
    transform_samples(position, utterance);
  } catch (const Rejection& rejection) {
    row.rejected = RejectedBy{node, rejection.what()};
  } catch (const std::bad_alloc&) {
    throw RunError("node \"" + node + "\", " + named(*row.entry) +
                   format(": there is no memory for its %.1f s of audio; leave such ones out with "
                          "the corpus's max_duration_s",
                          utterance.shape.seconds()));
  } catch (const std::exception& error) {
    throw RunError("node \"" + node + "\", " + named(*row.entry) + ": " + error.what());
  }
  const auto ended = Clock::now();
  counter.end(source_s, input_s, begun, ended, row.rejected.has_value());
  if (Trace* trace = pipeline_.trace()) trace->note(position, row.entry->id, begun, ended);
}

void RowMaker::transform_samples(size_t position, Utterance& utterance) const {
  const Transform& transform = *pipeline_.chain().transforms[position];
  Row& row = utterance.row();
  const Draw draw = draw_for(pipeline_.chain(), position, *row.entry, row.copy, key_);
  const std::span<float> place = utterance.home->batch.row_samples(utterance.row_number);
  if (transform.passes_samples()) {
    const bool is_in_place = position > last_writer_;
    transform.apply(utterance.shape,
                    is_in_place ? place.first(static_cast<size_t>(utterance.shape.samples))
                                : std::span<float>(utterance.samples),
                    {}, draw, row);
    return;
  }
  const Shape shape = transform.predict(utterance.shape, draw);
  const auto size = static_cast<size_t>(shape.samples);
  if (position == last_writer_) {
    transform.apply(utterance.shape, utterance.samples, place.first(size), draw, row);
  } else {
    SampleBuffer out = pipeline_.utterance_buffers().take(size);
    transform.apply(utterance.shape, utterance.samples, out, draw, row);
    std::swap(utterance.samples, out);
    pipeline_.utterance_buffers().give_back(std::move(out));
  }
  utterance.shape = shape;
}

void RowMaker::finish(Utterance& utterance) const {
  Row& row = utterance.row();
  const std::span<float> place = utterance.home->batch.row_samples(utterance.row_number);
  pipeline_.utterance_buffers().give_back(std::move(utterance.samples));
  const bool written = !row.rejected && last_writer_ < pipeline_.chain().transforms.size();
  if (!row.rejected) row.samples = utterance.shape.samples;
  // Neither what the memory held before nor half-written audio may pass for speech.
  std::fill(place.begin() + (written ? row.samples : 0), place.end(), 0.0f);
  if (row.rejected) {
    row.time_masks.clear();
    row.channel_masks.clear();
  }
  const auto speech = place.first(static_cast<size_t>(row.samples));
  row.is_silent = written && std::ranges::all_of(speech, [](float x) { return x == 0; });
  row.digest = digest_row(row, speech);
  Finished& finished = pipeline_.finished();
  ++(row.rejected ? finished.rejected : finished.utterances);
  if (!row.rejected) {
    finished.audio_us += static_cast<int64_t>(1e6 * row.entry->shape.seconds());
  }
}

}  // namespace flowqat::graph
