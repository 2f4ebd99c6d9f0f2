/// Curves as pictures within a page: SVG without anything from outside.
#pragma once
#include <string>
#include <vector>

#include "report/series.h"

namespace flowqat::report {

struct Curve {
  std::string name;
  const Series* series;  ///< not null
};

struct Chart {
  std::string title;
  std::vector<Curve> curves = {};
  std::string unit = {};    ///< of the values, as "%"
  double factor = 1;        ///< from the curves' numbers to the unit
  bool from_zero = true;    ///< whether the axis begins at 0 where no value is below it
  bool may_be_log = false;  ///< a logarithmic axis where the values span a factor of 30
  bool points = false;      ///< a mark on each, for few of them
};

/// A figure with its title and, where there are several curves, their names. The band is from the
/// smallest to the largest value of a bucket, the line their means; both stand still under the
/// pointer and tell their numbers. Empty where no curve has a point.
std::string draw(const Chart& chart);

/// The band between two curves of the same steps, as small as a word.
std::string draw_band(const Series& lower, const Series& upper);

/// A number as short as tells it: "1,200", "0.0123", "1.2e-05".
std::string short_number(double value);

}  // namespace flowqat::report
