/// What `flowqat ranges` found out, for people and for machines.
#pragma once
#include <string>
#include <vector>

#include "cli/range_picture.h"
#include "graph/json.h"
#include "model/ranges.h"

namespace flowqat::cli {

graph::Json as_json(const std::vector<model::LayerRanges>& layers);
/// A table with three lines a layer.
std::string as_text(const std::vector<model::LayerRanges>& layers);
/// Three panels a layer.
std::vector<PictureRow> as_picture(const std::vector<model::LayerRanges>& layers);

}  // namespace flowqat::cli
