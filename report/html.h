/// What pages have in common that need nothing but themselves.
#pragma once
#include <string>

namespace flowqat::report {

/// `text` as HTML and SVG show it, in element content and in quoted attributes.
std::string escape_html(const std::string& text);

/// Everything of a page before its content: the title, which is also the first heading, and the
/// style, for light and dark.
std::string html_head(const std::string& title);

/// The next of 1, 2, 2.5, 5, 10 times a power of ten that is not below `value`.
double round_up(double value);

}  // namespace flowqat::report
