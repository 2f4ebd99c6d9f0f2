#include "graph/sample_buffers.h"

#include "tests/catch.h"

using flowqat::graph::SampleBuffer;
using flowqat::graph::SampleBuffers;

TEST_CASE("a buffer that is given back is taken again") {
  SampleBuffers buffers;
  SampleBuffer first = buffers.take(1000);
  const float* const memory = first.data();
  buffers.give_back(std::move(first));
  CHECK(buffers.unused() == 1);
  SampleBuffer second = buffers.take(990);
  CHECK(second.size() == 990);
  CHECK(second.data() == memory);
  CHECK(buffers.unused() == 0);
}

TEST_CASE("buffers do not become more with every utterance") {
  SampleBuffers buffers;
  for (int i = 0; i < 1000; ++i) {
    SampleBuffer samples;  // as an utterance has none before its first transform
    SampleBuffer out = buffers.take(static_cast<size_t>(100 + i % 7));
    std::swap(samples, out);
    buffers.give_back(std::move(out));
    buffers.give_back(std::move(samples));
  }
  CHECK(buffers.unused() <= 2);
}
