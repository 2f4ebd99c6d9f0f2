#pragma once
#include <string>

#include "cli/inspection.h"

namespace flowqat::cli {

/// A page that needs nothing but itself: what as_text() says, with pictures of the durations, the
/// characters a second and each speaker's share.
std::string inspection_page(const Inspection& inspection, const Listener& listener,
                            const std::string& title);

}  // namespace flowqat::cli
