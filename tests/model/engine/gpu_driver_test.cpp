#include "model/torch/engine/gpu_driver.h"

#include "model/error.h"
#include "model/torch/engine/device.h"
#include "tests/catch.h"

using namespace flowqat::model;

namespace {

std::string why(const GpuDriver& driver) { return why_no_gpu(driver, 13000); }

}  // namespace

TEST_CASE("a GPU that cannot be used is told with the reason and what to do") {
  CHECK_THAT(why({.version = 12040, .devices = 1}),
             ContainsSubstring("serves CUDA 12.4, and LibTorch is made for CUDA 13.0: update"));
  CHECK_THAT(why({.status = 100, .version = 13000, .visible = ""}),
             ContainsSubstring("CUDA_VISIBLE_DEVICES is \"\", which leaves no GPU"));
  CHECK_THAT(why({.version = 13000, .visible = "7"}),
             ContainsSubstring("CUDA_VISIBLE_DEVICES is \"7\""));
  CHECK_THAT(why({.status = 100, .version = 13000}),
             ContainsSubstring("shows this process no GPU"));
  CHECK_THAT(why({.status = 803, .version = 13000}), ContainsSubstring("two versions"));
  CHECK_THAT(why({.status = 999, .version = 13000}), ContainsSubstring("cuInit ended with 999"));
  CHECK_THAT(
      why({.missing = "no such file", .node = "/dev/nvidiactl"}),
      ContainsSubstring("/dev/nvidiactl is here, but not the driver's library (no such file)"));
  CHECK_THAT(why({.version = 13000, .devices = 2}), ContainsSubstring("shows 2 GPUs"));
}

TEST_CASE("a machine without any trace of a GPU needs no reason") {
  CHECK_FALSE(has_trace_of_gpu({.missing = "no such file"}));
  CHECK(has_trace_of_gpu({.missing = "no such file", .node = "/dev/dxg"}));
  CHECK(has_trace_of_gpu({.version = 13000}));
}

TEST_CASE("each process of a machine takes its own GPU, or the only one that it is shown") {
  CHECK(gpu_of_process(8, 3, 8) == 3);
  CHECK(gpu_of_process(8, 1, 2) == 1);
  CHECK(gpu_of_process(1, 3, 8) == 0);
  CHECK_THROWS_WITH(gpu_of_process(2, 0, 4),
                    ContainsSubstring("2 GPUs for 4 processes, and each needs its own"));
}
