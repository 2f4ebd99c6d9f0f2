/// What the Hub answers when it is asked for a model's files.
#pragma once
#include <set>
#include <string>

namespace flowqat::io {

/// All that the Hub says of a commit: its name and its files' names.
struct HubListing {
  std::string commit;
  std::set<std::string> names;
};

/// Of an answer's body. Throws Error without a place where it is no such list.
HubListing parse_hub_listing(const std::string& body);

}  // namespace flowqat::io
