/// What lines of manifests say of texts and times, and what one of them costs.
#include "tests/catch.h"
#include "tests/io/corpus/manifest_support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("the first line may be the bad one, but not all of them") {
  const TemporaryFolder folder;
  const std::string sound = R"({"audio_filepath": "a.wav"})"
                            "\n";
  CHECK_THAT(broken_line(folder, "", R"({"audio_filepath": )", sound + sound),
             ContainsSubstring("manifest, line 1: expected a JSON object"));
  CHECK_THAT(error_of_manifest(folder, "{\n{\n[\n"),
             ContainsSubstring("manifest, line 1: expected a JSON object"));
  CHECK_THAT(error_of_manifest(folder, "{}\n{}\n", {.format = ManifestFormat::lhotse}),
             ContainsSubstring("line 1: expected the key \"id\""));
}

TEST_CASE("a line without a text, where others have one, is broken, but an empty text is one") {
  const TemporaryFolder folder;
  const std::string sound = R"({"audio_filepath": "a.wav", "text": "said"})"
                            "\n";
  const std::string reason = "manifest, line 2: a.wav has no text, others have";
  CHECK_THAT(broken_line(folder, sound, R"({"audio_filepath": "a.wav"})", sound),
             ContainsSubstring(reason));
  CHECK_THAT(broken_line(folder, sound, R"({"audio_filepath": "a.wav", "text": null})"),
             ContainsSubstring(reason));
  CHECK_THAT(broken_line(folder, sound, R"({"audio_filepath": "a.wav", "sentence": "x"})"),
             ContainsSubstring(reason));
  const auto entries = entries_of(folder, sound + R"({"audio_filepath": "a.wav", "text": ""})");
  CHECK(entries.at(1).broken.empty());
  const auto with = [](const std::string& supervision) {
    return R"(, "supervisions": [{"start": 0, "duration": 1)" + supervision + "}]";
  };
  CHECK_THAT(broken_line(folder, cut_line("c", 0, 1, with(R"(, "text": "x")")),
                         cut_line("d", 0, 1, with(R"(, "text": null)")), cut_line("e", 0, 1)),
             ContainsSubstring(reason));
}

TEST_CASE("who misses texts is told where they are expected and which keys are there") {
  const TemporaryFolder folder;
  const auto told = [&](const std::string& text, const ManifestOptions& options = {}) {
    write_bytes(folder / "manifest", text);
    return describe_texts(folder / "manifest", options);
  };
  const std::string where = (folder / "manifest").string() + ", line 1 has ";
  CHECK(told(R"({"audio_filepath": "a.wav", "sentence": "x", "duration": 1})") ==
        "expected the text under \"text\"; " + where +
            "the keys \"audio_filepath, duration, sentence\", and the key \"text_key\" names "
            "another");
  CHECK_THAT(told("./\na.wav\t1000\n"), ContainsSubstring("with the ending .wrd or .ltr"));
  CHECK(told(cut_line("c", 0, 1)) ==
        "expected \"text\" in the supervisions of the cuts; " + where + "none");
  CHECK_THAT(told(cut_line("c", 0, 1, R"(, "supervisions": [{"words": "x", "start": 0}])")),
             ContainsSubstring("one with the keys \"start, words\""));
  CHECK_THAT(told("path,label\na.wav,x\n"), ContainsSubstring("has the columns \"path, label\"") &&
                                                ContainsSubstring("sentence, text, transcript"));
}

TEST_CASE("a supervision that stands over its cut makes the cut broken") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  const auto broken = [&](double start_s, double duration_s, const std::string& text = "said") {
    const auto entries =
        entries_of(folder, cut_line("c", 0.25, 0.5,
                                    R"(, "supervisions": [{"text": ")" + text + R"(", "start": )" +
                                        std::to_string(start_s) + R"(, "duration": )" +
                                        std::to_string(duration_s) + "}]"));
    CHECK(entries.at(0).audio.samples == (entries.at(0).broken.empty() ? 8000 : 0));
    return entries.at(0).broken;
  };
  CHECK(broken(0, 0.5) == "");
  CHECK(broken(-0.002, 0.504) == "");
  CHECK_THAT(broken(-0.003, 0.4),
             ContainsSubstring("line 1: cut \"c\" cannot be used: its supervision \"said\" from "
                               "-0.003 to 0.397 s is not all in the cut of 0.5 s"));
  CHECK_THAT(broken(0, 0.503), ContainsSubstring("from 0 to 0.503 s is not all in the cut"));
  CHECK_THAT(broken(0.6, 0.1), ContainsSubstring("is not all in the cut"));
  CHECK(broken(-1, 3, "") == "");  // says nothing
}

TEST_CASE("a duration that is null means to the end of the recording") {
  const TemporaryFolder folder;
  const auto whole = decode(write_wav(folder / "a.wav", 16'000));
  const auto entries =
      entries_of(folder, R"({"audio_filepath": "a.wav", "duration": null})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "offset": 0.25, "duration": null})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "offset": 0.5})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "offset": 1, "duration": null})"
                         "\n");
  REQUIRE(entries.size() == 4);
  CHECK(entries[0].audio.samples == 16'000);
  CHECK(is_part(entries[1], whole, 4'000, 12'000));
  CHECK(is_part(entries[2], whole, 8'000, 8'000));
  CHECK_THAT(entries[3].broken,
             ContainsSubstring("the segment from 1 s on ends behind the recording of 1 s"));
}
