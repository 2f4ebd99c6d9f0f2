/// Numbers as people write them.
#pragma once
#include <cstdint>
#include <string>

#include "graph/json.h"

namespace flowqat::graph {

/// "281,241"
std::string whole_text(int64_t number);
/// "1 epoch", "2 epochs", "1,024 batches"; `plural` empty: `noun` with an s.
std::string counted(int64_t number, const std::string& noun, const std::string& plural = "");
/// "0.4 s", "12 s", "2 min 5 s", "3 h 12 min", "960 h"
std::string duration_text(double duration_s);
/// "62 %"; 100 only for all of it, 0 only for nothing. `share` is from 0 to 1.
std::string percent_text(double share);

/// `value` to `digits` significant digits.
double rounded(double value, int digits = 7);
/// A copy whose every fraction is rounded so: what a file or a program is told of a measurement.
Json rounded(const Json& json, int digits = 7);

}  // namespace flowqat::graph
