#include "graph/together.h"

#include <csignal>
#include <set>

#include "graph/error.h"
#include "graph/output_error.h"
#include "tests/catch.h"
#include "tests/graph/thread_peers.h"

using namespace flowqat::graph;
using flowqat::graph::testing::as_ranks;

namespace {

const std::atomic<int> no_signal{0};

/// What each of three ranks throws when rank `failing` does `fail` within each().
template <class Fail>
std::vector<std::string> failures_of_each(int failing, const Fail& fail) {
  return as_ranks(3, [&](Peers& peers) {
    Together together(&peers, no_signal);
    together.each([&] {
      if (together.rank() == failing) fail();
    });
  });
}

}  // namespace

TEST_CASE("one process alone waits for nobody and hears its own signals at once") {
  std::atomic<int> signal{0};
  Together together(nullptr, signal);
  CHECK(together.is_alone());
  CHECK(together.is_first());
  signal = SIGINT;
  CHECK(together.stop_signal() == SIGINT);
  double sum = 5;
  together.agree(std::span(&sum, 1));
  CHECK(sum == 5);
  int done = 0;
  together.first([&] { ++done; });
  together.each([&] { ++done; });
  CHECK(done == 2);
  CHECK(together.gather("x") == std::vector<std::string>{"x"});
}

TEST_CASE("a signal to one rank is known to all behind the next agreement, and not before") {
  std::atomic<int> known{0};
  const auto failures = as_ranks(3, [&](Peers& peers) {
    std::atomic<int> own{0};
    Together together(&peers, own);
    together.agree();
    if (together.rank() == 2) own = SIGTERM;
    if (together.stop_signal() != 0) throw std::logic_error("known too early");
    double rank = together.rank();
    together.agree(std::span(&rank, 1));
    if (together.stop_signal() == SIGTERM && rank == 3) ++known;
  });
  CHECK(failures == std::vector<std::string>(3));
  CHECK(known == 3);
}

TEST_CASE("rank 0 works alone while the others wait, and a signal to them reaches it") {
  std::atomic<int> worked{0}, interrupted{0};
  const auto failures = as_ranks(3, [&](Peers& peers) {
    std::atomic<int> own{peers.rank() == 2 ? SIGINT : 0};
    Together together(&peers, own);
    try {
      together.first([&] {
        ++worked;
        const auto began = std::chrono::steady_clock::now();
        while (together.stop_signal() == 0) {
          if (std::chrono::steady_clock::now() - began > std::chrono::seconds(30)) return;
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        throw Interrupted(together.stop_signal());
      });
    } catch (const Interrupted& stop) {
      if (stop.signal_number == SIGINT) ++interrupted;
    }
  });
  CHECK(failures == std::vector<std::string>(3));
  CHECK(worked == 1);
  CHECK(interrupted == 3);
}

TEST_CASE("what fails in one rank fails in all, as an error of the same kind") {
  const auto failures = failures_of_each(1, [] { throw RunError("no such file"); });
  CHECK(failures[0] == "ends because rank 1 failed: no such file");
  CHECK(failures[1] == "no such file");
  CHECK(failures[2] == failures[0]);
  std::atomic<int> graph_errors{0}, output_errors{0};
  for (const bool is_graph : {true, false}) {
    as_ranks(2, [&](Peers& peers) {
      Together together(&peers, no_signal);
      try {
        together.first([&] {
          if (is_graph) throw GraphError("wrong");
          throw OutputError("full");
        });
      } catch (const GraphError&) {
        ++graph_errors;
      } catch (const OutputError&) {
        ++output_errors;
      }
    });
  }
  CHECK(graph_errors == 2);
  CHECK(output_errors == 2);
}

TEST_CASE("where a peer is lost the work of the others is asked to stop, and the loss is told") {
  std::atomic<bool> was_asked{false};
  const auto failures = as_ranks(2, [&](Peers& peers) {
    Together together(&peers, no_signal);
    if (together.rank() == 1) throw std::runtime_error("dies");
    together.first([&] {
      const auto began = std::chrono::steady_clock::now();
      while (!was_asked && std::chrono::steady_clock::now() - began < std::chrono::seconds(30)) {
        was_asked = together.stop_signal() != 0;
      }
      throw Interrupted(together.stop_signal());
    });
  });
  CHECK(was_asked);
  CHECK(failures[0] == "a peer is lost");
}

TEST_CASE("work that takes longer than a beat, on any rank, is waited for") {
  std::atomic<int> done{0};
  const auto failures = as_ranks(3, [&](Peers& peers) {
    Together together(&peers, no_signal);
    together.each([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(1200 * together.rank()));
      ++done;
    });
    if (done != 3) throw std::logic_error("went on too early");
    if (together.gather(std::to_string(together.rank())) !=
        std::vector<std::string>{"0", "1", "2"}) {
      throw std::logic_error("out of step");
    }
  });
  CHECK(failures == std::vector<std::string>(3));
}
