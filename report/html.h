/// What pages have in common that need nothing but themselves.
#pragma once
#include <string>

namespace flowqat::report {

/// `text` as HTML and SVG show it, in element content and in quoted attributes.
std::string escape_html(const std::string& text);

/// Everything of a page before its content: the title, which is also the first heading, and the
/// style, for light and dark and for narrow windows. `refresh_s` above 0: how often a browser that
/// shows the page looks for a newer one.
std::string html_head(const std::string& title, int refresh_s = 0);

/// What ends a page.
std::string html_end();

/// The next of 1, 2, 2.5, 5, 10 times a power of ten that is not below `value`.
double round_up(double value);

}  // namespace flowqat::report
