/// How large the network of a configuration is.
#pragma once
#include "model/config.h"

namespace flowqat::model {

/// About how many parameters the network has: those of its matrices and convolutions. Real, because
/// the product of whole numbers that are each possible may be beyond them.
double parameters_of(const Config& config);

}  // namespace flowqat::model
