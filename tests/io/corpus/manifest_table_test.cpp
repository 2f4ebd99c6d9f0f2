/// Tables with named columns.
#include "tests/catch.h"
#include "tests/io/corpus/manifest_support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a table of Common Voice finds its audio in clips and its quotes as they are written") {
  const TemporaryFolder folder;
  write_wav(folder / "clips" / "a.wav", 1'000);
  write_wav(folder / "clips" / "b.wav", 1'100);
  write_wav(folder / "c.wav", 1'200);
  const auto entries = entries_of(folder,
                                  "\xEF\xBB\xBF"
                                  "client_id\tpath\tsentence_id\tsentence\tup_votes\tage\r\n"
                                  "ann\ta.wav\t1\t\"Hi,\" she said.\t2\t\r\n"
                                  "bob\tb.wav\t2\t\"One \"\"two\"\".\"\t2\ttwenties\r\n"
                                  "bob\tc.wav\t3\t\"All of it.\"\r\n"
                                  "bob\tno.wav\t3\tText\t2\t\r\n");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].transcript == "\"Hi,\" she said.");
  CHECK(entries[0].speaker == "ann");
  CHECK(entries[0].id == "a.wav");
  CHECK(entries[0].place.path == folder / "clips/a.wav");
  CHECK(entries[0].audio.samples == 1'000);
  CHECK(entries[1].transcript == "One \"two\".");
  CHECK(entries[2].transcript == "All of it.");
  CHECK(entries[2].place.path == folder / "c.wav");
  CHECK(entries[2].audio.samples == 1'200);
  CHECK_THAT(entries[3].broken, ContainsSubstring("no.wav: cannot be opened"));
}

TEST_CASE("a CSV may quote separators, quotes and ends of lines, and be separated otherwise") {
  const TemporaryFolder folder;
  write_wav(folder / "a b,c.wav", 1'000);
  for (const std::string separator : {",", ";", "|"}) {
    INFO(separator);
    const std::string s = separator;
    const auto entries = entries_of(
        folder, "\n File" + s + "Transcript " + s + " Speaker\n" + "\"a b,c.wav\"" + s + "\"Open" +
                    s + " \"\"it\"\",\nplease.\"" + s + "7\r\n\r\n" + "\"a b,c.wav\"" + s +
                    "5\" long" + s + "\n" + "\"a b,c.wav\"" + s + "last");
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].transcript == "Open" + s + " \"it\", please.");
    CHECK(entries[0].speaker == "7");
    CHECK(entries[0].audio.samples == 1'000);
    CHECK(entries[1].transcript == "5\" long");
    CHECK(entries[1].id == "a b,c.wav#2");
    CHECK(entries[2].transcript == "last");
    CHECK(entries[2].broken.empty());
  }
}

TEST_CASE("a bad row of a table costs itself, with its line") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  const auto entries = entries_of(folder,
                                  "path,text\n"
                                  "a.wav,one\n"
                                  "a.wav,\"not closed\n"
                                  "a.wav,two, three\n"
                                  ",no audio\n"
                                  "a.wav,\n"
                                  "a.wav,last\n");
  REQUIRE(entries.size() == 6);
  const std::string where = (folder / "manifest").string() + ", line ";
  CHECK(entries[0].transcript == "one");
  CHECK(entries[1].broken == where + "3: a quote is opened in it and not closed");
  CHECK(entries[1].id == "manifest:3");
  CHECK(entries[2].broken == where +
                                 "4: expected 2 columns, as the header has, found 3; a text "
                                 "that holds \",\" needs quotes around it");
  CHECK(entries[3].broken == where + "5: names no audio");
  CHECK_THAT(entries[4].broken, ContainsSubstring(where + "6: a.wav has no text, others have"));
  CHECK(entries[5].transcript == "last");
  CHECK(entries[5].broken.empty());
}

TEST_CASE("parts of recordings in a table are told as NeMo tells them") {
  const TemporaryFolder folder;
  const auto whole = decode(write_wav(folder / "a.wav", 16'000));
  const auto entries = entries_of(folder,
                                  "audio\toffset\tduration\tsentence\n"
                                  "a.wav\t0.25\t0.5\tone\na.wav\t0.5\t\ttwo\na.wav\t\t\tthree\n"
                                  "a.wav\tnan\t\tfour\na.wav\t-1\t1\tfive\n");
  REQUIRE(entries.size() == 5);
  CHECK(is_part(entries[0], whole, 4'000, 8'000));
  CHECK(is_part(entries[1], whole, 8'000, 8'000));
  CHECK(entries[2].audio.samples == 16'000);
  CHECK_THAT(entries[3].broken, ContainsSubstring("line 5: expected a time of at least 0 s"));
  CHECK_THAT(entries[4].broken, ContainsSubstring("line 6: expected a time of at least 0 s"));
  CHECK_THAT(error_of_manifest(folder, "path,start,end,text\na.wav,1,2,x\n"),
             ContainsSubstring("the column \"start\" tells of parts of recordings"));
}

TEST_CASE("keys say which column or key it is, and are refused where they say nothing") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 1'000);
  const ManifestOptions options{.keys = {.audio = "Recording", .text = "Said"}};
  const auto table = entries_of(folder, "Text,Said,recording\nno,yes,a.wav\n", options);
  CHECK(table.at(0).transcript == "yes");
  CHECK(table.at(0).audio.samples == 1'000);
  const auto lines =
      entries_of(folder, R"({"Recording": "a.wav", "Said": "yes", "text": "no"})", options);
  CHECK(lines.at(0).transcript == "yes");
  CHECK(lines.at(0).audio.samples == 1'000);
  CHECK_THAT(error_of_manifest(folder, "path,label\na.wav,x\n", {.keys = {.text = "sentence"}}),
             ContainsSubstring("expected the column \"sentence\", found the columns \"path, "
                               "label\""));
  CHECK_THAT(error_of_manifest(folder, "name,label\na.wav,x\n", {.format = ManifestFormat::table}),
             ContainsSubstring("expected a header with a column of the audio (path, ") &&
                 ContainsSubstring("found the columns \"name, label\""));
  CHECK_THAT(error_of_manifest(folder, ".\na.wav\t1000\n", {.keys = {.audio = "x"}}),
             ContainsSubstring("\"audio_key\" is for NeMo's manifests and for tables"));
  CHECK_THAT(error_of_manifest(folder, ".\na.wav\t1000\n", {.keys = {.text = "x"}}),
             ContainsSubstring("\"text_key\": a fairseq TSV"));
  CHECK_THAT(error_of_manifest(folder, "name,label\na.wav,x\n"),
             ContainsSubstring("\"audio_key\", another), found a file that begins with \"name,"));
}
