#pragma once
#include "graph/params.h"
#include "io/resample/resample.h"

namespace flowqat::nodes {

/// The parameters by which a resampling node names its engine, and what they say.
inline graph::ParamSpec engine_param() {
  return {.name = "engine",
          .kind = graph::ParamKind::choice,
          .fallback = "auto",
          .choices = io::engine_names(),
          .doc = "auto: polyphase for ratios of small whole numbers, soxr for all others"};
}
inline graph::ParamSpec converter_param() {
  return {.name = "converter",
          .kind = graph::ParamKind::choice,
          .fallback = "medium",
          .choices = io::converter_names(),
          .doc = "of the engine libsamplerate only; fastest rolls off early, linear aliases"};
}
inline io::ResampleOptions resample_options(const graph::Params& params) {
  return {io::parse_engine(params.text("engine")), io::parse_converter(params.text("converter"))};
}

}  // namespace flowqat::nodes
