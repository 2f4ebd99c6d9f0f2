#include "io/resample/soxr_resampler.h"

#include <soxr.h>

#include <array>
#include <memory>
#include <string>

#include "io/files/error.h"

namespace flowqat::io {
namespace {

void check(soxr_error_t error) {
  if (error != nullptr) throw Error(std::string("libsoxr: ") + error);
}

/// Nothing is kept for the next call: soxr_clear() frees and designs everything anew.
std::unique_ptr<soxr, decltype(&soxr_delete)> make(double ratio) {
  const soxr_io_spec_t samples = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  soxr_t state = soxr_create(1, ratio, 1, &error, &samples, &quality, &one_thread);
  std::unique_ptr<soxr, decltype(&soxr_delete)> owner(state, &soxr_delete);
  check(error);
  return owner;
}

}  // namespace

void resample_soxr(std::span<const float> in, double ratio, std::span<float> out) {
  if (out.empty()) return;
  const auto state = make(ratio);
  // The rest of the filter's response lies behind the end of the input. Silence drives it out to
  // exactly the length asked for, where soxr's own flush may end a sample early.
  static constexpr std::array<float, 4096> silence{};
  std::span<const float> rest = in;
  while (!out.empty()) {
    const bool ended = rest.empty();
    size_t used = 0, made = 0;
    check(soxr_process(state.get(), ended ? silence.data() : rest.data(),
                       ended ? silence.size() : rest.size(), &used, out.data(), out.size(), &made));
    if (!ended) rest = rest.subspan(used);
    out = out.subspan(made);
    if (made == 0 && used == 0) {
      throw Error("libsoxr stopped " + std::to_string(out.size()) + " samples short");
    }
  }
}

}  // namespace flowqat::io
