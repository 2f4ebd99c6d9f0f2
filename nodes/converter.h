#pragma once
#include "graph/params.h"
#include "io/resample.h"

namespace flowqat::nodes {

/// The parameter by which a resampling node names libsamplerate's converter.
inline graph::ParamSpec converter_param() {
  return {.name = "converter",
          .kind = graph::ParamKind::choice,
          .fallback = "medium",
          .choices = io::converter_names(),
          .doc = "libsamplerate's converter; fastest rolls off early, linear aliases"};
}

}  // namespace flowqat::nodes
