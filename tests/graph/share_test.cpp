#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/graph/test_nodes.h"

using namespace flowqat::graph;
using flowqat::graph::testing::probe;
using flowqat::graph::testing::Streams;

namespace {

std::string chain(int count, int window, const std::string& probe_keys = "") {
  return R"({"c": {"type": "numbers", "count": )" + std::to_string(count) +
         R"(}, "f": {"type": "fill", "from": "c"},
             "j": {"type": "jitter", "from": "f", "copies": 2},
             "p": {"type": "probe", "from": "j")" +
         probe_keys + R"(}, "b": {"type": "pack", "from": "p", "drawn": 1, "window": )" +
         std::to_string(window) + "}}";
}

/// What comes of an epoch, by the batch's number: the digests of its rows.
using Digests = std::map<int64_t, std::vector<std::pair<uint64_t, uint64_t>>>;

Digests drawn(Streams& streams, int64_t epoch, int64_t first, const Share& share) {
  Digests found;
  int64_t last = -1;
  const auto stream = streams.pipeline.open("x", epoch, first, share);
  while (const auto batch = stream->next()) {
    CHECK(batch->number > last);
    last = batch->number;
    for (const Row& row : batch->rows) {
      found[batch->number].emplace_back(row.digest.high64, row.digest.low64);
    }
  }
  CHECK(stream->next() == nullptr);
  return found;
}

}  // namespace

TEST_CASE("ranks share an epoch exactly: every batch once, with the bits that one process gets") {
  probe().reset(0);
  // 47 utterances twice in batches of a few: no count of ranks below divides them all.
  for (const int window : {1000, 13}) {
    Streams whole(chain(47, window));
    const Digests all = drawn(whole, 1, 0, {});
    const auto batches = static_cast<int64_t>(all.size());
    REQUIRE(batches > 12);
    for (const int size : {1, 2, 3, 4, 5, 8, 50}) {
      Digests together;
      size_t least = all.size(), most = 0;
      for (int rank = 0; rank < size; ++rank) {
        Streams streams(chain(47, window));
        const Digests own = drawn(streams, 1, 0, {.rank = rank, .size = size});
        least = std::min(least, own.size());
        most = std::max(most, own.size());
        for (const auto& [number, rows] : own) CHECK(together.emplace(number, rows).second);
      }
      CHECK(together == all);
      CHECK(most - least <= 1);
    }
  }
}

TEST_CASE("a share goes on at any batch, as another number of ranks left it") {
  probe().reset(0);
  for (const int window : {1000, 13}) {
    Streams whole(chain(30, window));
    const Digests all = drawn(whole, 0, 0, {});
    const auto batches = static_cast<int64_t>(all.size());
    for (const int64_t first : {int64_t{0}, int64_t{1}, int64_t{6}, batches - 1, batches}) {
      Digests rest;
      for (int rank = 0; rank < 4; ++rank) {
        Streams streams(chain(30, window));
        rest.merge(drawn(streams, 0, first, {.rank = rank, .size = 4}));
      }
      CHECK(rest == Digests(all.lower_bound(first), all.end()));
    }
  }
}

TEST_CASE("every rank knows how large the whole epoch is") {
  for (const int window : {1000, 13}) {
    Streams streams(chain(47, window));
    const Extent whole = streams.pipeline.open("x", 0)->extent();
    const Extent shared = streams.pipeline.open("x", 0, 0, {.rank = 2, .size = 3})->extent();
    CHECK(shared.batches == whole.batches);
    CHECK(shared.utterances == whole.utterances);
  }
}

TEST_CASE("the ledger of a rank counts what is rejected in an epoch that begins again") {
  probe().reset(0);
  Streams streams(chain(40, 1000, R"(, "reject": "all")"), 2);
  const Share share{.rank = 1, .size = 2};
  const auto rejected = [&](int64_t epoch) { return streams.ledger.rejected_in("x", epoch); };
  drawn(streams, 0, 0, share);
  const int64_t once = rejected(0);
  CHECK(once > 30);
  CHECK(once < 50);
  drawn(streams, 0, 0, share);
  CHECK(rejected(0) == once);
  CHECK(rejected(1) == 0);
}
