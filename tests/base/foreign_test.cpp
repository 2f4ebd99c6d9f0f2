#include "base/foreign.h"

#include "tests/catch.h"

using flowqat::foreign_content;

TEST_CASE("pointers and web pages are told from files") {
  CHECK_THAT(foreign_content("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"),
             ContainsSubstring("git lfs pull"));
  for (const char* page : {"<!DOCTYPE html>\n<html>", "<!doctype HTML",
                           "\xef\xbb\xbf\n <HTML lang=en>", "<?xml version=\"1.0\"?><Error>"}) {
    INFO(page);
    CHECK_THAT(foreign_content(page), ContainsSubstring("web page"));
  }
  for (const char* file : {"", "{\"a\": 1}", "RIFF", "fLaC", "version 1", "<unk>", "  "}) {
    INFO(file);
    CHECK(foreign_content(file) == "");
  }
}
