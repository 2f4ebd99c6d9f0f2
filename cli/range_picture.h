#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/ranges.h"

namespace flowqat::cli {

using Interval = std::pair<double, double>;

/// A histogram, with counts on a logarithmic axis.
struct Panel {
  std::string title, note;
  model::ValueHistogram histogram;
  std::optional<Interval>
      grid;  ///< from the lowest value that an integer stands for to the highest
  std::optional<Interval> most;  ///< where nearly all values lie
};

struct PictureRow {
  std::string title;
  std::vector<Panel> panels;  ///< side by side, at most three
};

/// An SVG file that needs nothing but itself, for light and dark.
std::string range_picture(const std::vector<PictureRow>& rows);

}  // namespace flowqat::cli
