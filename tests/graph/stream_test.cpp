#include <chrono>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "graph/gate.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"

using namespace flowqat::graph;
using flowqat::graph::testing::probe;
using flowqat::graph::testing::Streams;

namespace {

std::string chain(const std::string& probe_keys = "", const std::string& source_keys = "") {
  return R"({"c": {"type": "numbers", "count": 50)" + source_keys +
         R"(}, "f": {"type": "fill", "from": "c"},
             "j": {"type": "jitter", "from": "f", "copies": 2},
             "p": {"type": "probe", "from": "j")" +
         probe_keys + R"(}, "b": {"type": "pack", "from": "p"}})";
}

std::string hash_of_epoch(int threads, int64_t epoch = 0) {
  Streams streams(chain(), threads);
  const auto stream = streams.pipeline.open("x", epoch);
  while (stream->next()) {
  }
  return streams.ledger.batches_sha256();
}

}  // namespace

TEST_CASE("batches come in plan order with every row written and zeros behind its end") {
  probe().reset(0);
  Streams streams(chain(), 8);
  const Plan plan = streams.pipeline.plan("x", 0);
  const auto stream = streams.pipeline.open("x", 0);
  int64_t number = 0;
  while (const auto batch = stream->next()) {
    REQUIRE(batch->number == number);
    const PlannedBatch& planned = plan[static_cast<size_t>(number++)];
    REQUIRE(batch->padded_samples == planned.padded_samples);
    REQUIRE(batch->rows.size() == planned.rows.size());
    for (size_t row = 0; row < batch->rows.size(); ++row) {
      const Row& at = batch->rows[row];
      const auto entry = static_cast<float>(planned.rows[row].entry);
      const auto samples = batch->row_samples(row);
      REQUIRE(at.samples >= at.entry->shape.samples);
      REQUIRE(samples[0] >= entry + static_cast<float>(at.copy));
      REQUIRE(samples[0] < entry + static_cast<float>(at.copy) + 1.01f);
      for (auto i = static_cast<size_t>(at.samples); i < samples.size(); ++i)
        REQUIRE(samples[i] == 0);
    }
  }
  CHECK(number == static_cast<int64_t>(plan.size()));
  CHECK(streams.ledger.done() == 100);
}

TEST_CASE("the stream is the same bit for bit at 1, 2 and 8 threads, and 8 are really 8") {
  probe().reset(0, 8);
  const std::string at_8 = hash_of_epoch(8);
  CHECK(probe().most_inside == 8);
  CHECK(probe().threads.size() == 8);
  probe().reset(0, 2);
  CHECK(hash_of_epoch(2) == at_8);
  CHECK(probe().most_inside == 2);
  probe().reset(0);
  CHECK(hash_of_epoch(1) == at_8);
  CHECK(probe().most_inside == 1);
  CHECK(hash_of_epoch(2, 1) != at_8);
}

TEST_CASE("a stream opened at any batch goes on exactly there") {
  probe().reset(0);
  Streams whole(chain());
  std::vector<XXH128_hash_t> digests;
  const auto stream = whole.pipeline.open("x", 2);
  while (const auto batch = stream->next()) digests.push_back(batch->rows.back().digest);
  for (size_t first : {size_t{1}, size_t{13}, digests.size() - 1, digests.size()}) {
    Streams tail(chain());
    const auto rest = tail.pipeline.open("x", 2, static_cast<int64_t>(first));
    size_t at = first;
    while (const auto batch = rest->next()) {
      REQUIRE(XXH128_isEqual(batch->rows.back().digest, digests[at++]) == 1);
    }
    CHECK(at == digests.size());
  }
}

TEST_CASE("a rejected utterance keeps its row, silent, and is counted with its reason") {
  probe().reset(0);
  Streams streams(chain(R"(, "reject": "u5")"));
  const auto stream = streams.pipeline.open("x", 0);
  int rejected = 0;
  while (const auto batch = stream->next()) {
    for (size_t row = 0; row < batch->rows.size(); ++row) {
      if (!batch->rows[row].rejected) continue;
      ++rejected;
      CHECK(batch->rows[row].entry->id == "u5");
      CHECK(batch->rows[row].rejected->node == "p");
      CHECK(batch->rows[row].rejected->reason == "/numbers/u5: not wanted");
      CHECK(batch->rows[row].samples == 0);
      for (float sample : batch->row_samples(row)) REQUIRE(sample == 0);
    }
  }
  CHECK(rejected == 2);
  CHECK(streams.ledger.rejected() == 2);
  CHECK(streams.ledger.done() == 98);
}

TEST_CASE("more rejections than the budget end the run and say why") {
  probe().reset(0);
  Streams streams(chain(R"(, "reject": "all")"), 2, {.max_rejected_share = 0.1});
  const auto stream = streams.pipeline.open("x", 0);
  const auto drain = [&] {
    while (stream->next()) {
    }
  };
  CHECK_THROWS_WITH(drain(),
                    ContainsSubstring("11 of 100 utterances of node \"c\" were rejected") &&
                        ContainsSubstring("not wanted"));
}

TEST_CASE("the budget can also be a count") {
  probe().reset(0);
  Streams allowed(chain(R"(, "reject": "u5")"), 2, {.max_rejected = 2});
  const auto all = allowed.pipeline.open("x", 0);
  while (all->next()) {
  }
  Streams streams(chain(R"(, "reject": "u5")"), 2, {.max_rejected = 1});
  const auto stream = streams.pipeline.open("x", 0);
  const auto drain = [&] {
    while (stream->next()) {
    }
  };
  CHECK_THROWS_WITH(drain(), ContainsSubstring("2 of 100 utterances") &&
                                 ContainsSubstring("more than max_rejected allows"));
}

TEST_CASE("a batch that no memory holds ends the stream and names its longest utterance") {
  // Of 1, the size in bytes can be asked for; of 8, even the number of samples overflows.
  for (const std::string size : {"1", "8"}) {
    probe().reset(0);
    Streams streams(R"({"c": {"type": "numbers", "count": 50, "huge": 30},
                        "f": {"type": "fill", "from": "c"},
                        "b": {"type": "pack", "from": "f", "size": )" +
                    size + "}}");
    const auto stream = streams.pipeline.open("x", 0);
    const auto drain = [&] {
      while (stream->next()) {
      }
    };
    CHECK_THROWS_WITH(drain(), ContainsSubstring("no memory for a batch of " + size) &&
                                   ContainsSubstring("utterance u30 (/numbers/u30)") &&
                                   ContainsSubstring("max_duration_s"));
  }
}

TEST_CASE("an epoch's budget is the whole epoch's, also where a resumed run opens it later") {
  probe().reset(0);
  const auto drain = [](Stream& stream) {
    while (stream.next()) {
    }
  };
  const PipelineOptions options{.max_rejected = 50};
  Streams whole(chain(R"(, "reject": "all")"), 2, options);
  const auto first = whole.pipeline.open("x", 0);
  for (int i = 0; i < 10; ++i) first->next();
  REQUIRE(whole.ledger.rejected() == 40);
  const Json state = whole.ledger.state();

  Streams resumed(chain(R"(, "reject": "all")"), 2, options);
  resumed.ledger.restore(state);
  const auto second = resumed.pipeline.open("x", 0, 10);
  CHECK_THROWS_WITH(drain(*second), ContainsSubstring("51 of 100 utterances"));
  // Another epoch begins with nothing against it.
  resumed.ledger.restore(state);
  const auto next_epoch = resumed.pipeline.open("x", 1);
  CHECK_THROWS_WITH(drain(*next_epoch), ContainsSubstring("51 of 100 utterances"));
  CHECK(resumed.ledger.rejected() == 40 + 52);
}

TEST_CASE("a stream that is opened behind its last batch is at its end") {
  probe().reset(0);
  Streams streams(chain());
  for (const int64_t first : {25, 26, 1000}) {
    const auto stream = streams.pipeline.open("x", 0, first);
    CHECK(stream->wait_until(std::chrono::steady_clock::now()));
    CHECK(stream->next() == nullptr);
  }
  const auto last = streams.pipeline.open("x", 0, 24);
  CHECK(last->next() != nullptr);
  CHECK(last->next() == nullptr);
}

TEST_CASE("an exception that is no rejection ends the stream and names node, utterance and file") {
  probe().reset(0);
  Streams streams(chain(R"(, "fail": "u30")"));
  const auto stream = streams.pipeline.open("x", 0);
  const auto drain = [&] {
    while (stream->next()) {
    }
  };
  CHECK_THROWS_WITH(
      drain(), ContainsSubstring("node \"p\", utterance u30 (/numbers/u30): a broken transform"));
}

TEST_CASE("when the consumer stalls, audio in flight stays bounded and work stops") {
  probe().reset(0);
  // Rows are up to 1.6 s: batches of four hold at most 6.4 s, so 20 s admit three.
  Streams streams(chain(), 2, {.audio_in_flight_s = 20});
  const auto stream = streams.pipeline.open("x", 0);
  const auto held = stream->next();
  // Until nothing has begun for a while, or more than may. A machine that is busy can only make the
  // count too low.
  constexpr int most = 4 * 4;
  for (int started = -1, still = 0; still < 20 && started <= most;) {
    still = probe().started == started ? still + 1 : 0;
    started = probe().started;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(probe().started <= most);
  // It was the consumer that they waited for.
  while (stream->next()) {
  }
  CHECK(probe().started == 100);
}

TEST_CASE("a budget of audio in flight that cannot hold two of the largest batches is refused") {
  Streams streams(chain(), 2, {.audio_in_flight_s = 8});
  CHECK_THROWS_WITH(streams.pipeline.open("x", 0),
                    ContainsSubstring("audio_in_flight_s") && ContainsSubstring("is too little"));
}

TEST_CASE("the smallest sufficient budget comes to the end, also with every batch held once") {
  probe().reset(0);
  Streams streams(chain(), 8, {.audio_in_flight_s = 13});
  const auto stream = streams.pipeline.open("x", 0);
  size_t batches = 0;
  std::shared_ptr<const Batch> held;
  while (auto batch = stream->next()) {
    held = batch;
    batch.reset();
    ++batches;
    held.reset();
  }
  CHECK(batches == streams.pipeline.plan("x", 0).size());
}

TEST_CASE("a stream can be left early, with work under way and a batch still held") {
  probe().reset(5);
  Streams streams(chain(), 8);
  std::shared_ptr<const Batch> held;
  {
    const auto stream = streams.pipeline.open("x", 0);
    held = stream->next();
  }
  CHECK(probe().inside == 0);
  CHECK(held->rows.size() == 4);
  probe().reset(0);
}

TEST_CASE("statistics count what each node did") {
  probe().reset(0);
  Streams streams(chain(R"(, "reject": "u5")"));
  const auto stream = streams.pipeline.open("x", 0);
  while (stream->next()) {
  }
  const auto statistics = streams.pipeline.statistics();
  REQUIRE(statistics.size() == 3);
  CHECK(statistics[2].node == "p");
  CHECK(statistics[2].counts.done == 100);
  CHECK(statistics[2].counts.rejected == 2);
  CHECK(statistics[0].counts.audio_s == Approx(2 * 50 * 1.245).margin(0.01));
}
