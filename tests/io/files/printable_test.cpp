#include "io/files/printable.h"

#include "tests/catch.h"

using namespace flowqat::io;

TEST_CASE("text from files is shown without what a terminal would obey") {
  CHECK(printable("Việt, ß, 日本, \U0001F600") == "Việt, ß, 日本, \U0001F600");
  CHECK(printable("\x1b[31mred\n\r\t\x07\x7f") == "?[31mred?????");
  CHECK(printable("C1: \xc2\x9b"
                  "31m, turned: \u202e!\u2066") == "C1: ?31m, turned: ?!?");
  CHECK(printable("\xff\xc3") == "??");
  CHECK(printable(std::string("a\0b", 3)) == "a?b");
  CHECK(printable_lines("one\n\ttwo\r\n\x1b") == "one\n\ttwo?\n?");
}

TEST_CASE("an excerpt is short, quoted and whole characters") {
  CHECK(excerpt("a\tb\"") == R"("a\tb\"")");
  CHECK(excerpt("\x1b\x7f\xc2\x9b") == "\"\\u001b??\"");
  CHECK(excerpt(std::string(59, 'x') + "éé") == "\"" + std::string(59, 'x') + "...\"");
  CHECK(excerpt(std::string(100, 'x')) == "\"" + std::string(60, 'x') + "...\"");
  CHECK(excerpt(std::string(100, '\x80')).size() < 200);
}
