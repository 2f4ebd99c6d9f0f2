/// What often lies where a file should: what came instead of it when it was fetched.
#pragma once
#include <string>
#include <string_view>

namespace flowqat {

/// So many bytes of a file's beginning are enough.
inline constexpr size_t foreign_head_bytes = 256;

/// Of how a file begins: that it is a Git LFS pointer or a web page, and what to do; empty for
/// anything else. No file that is read here begins so, but ask only where reading failed.
std::string foreign_content(std::string_view head);

}  // namespace flowqat
