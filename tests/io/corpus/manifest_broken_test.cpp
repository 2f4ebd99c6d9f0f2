/// Manifests, and entries of them, that cannot be used.
#include "tests/catch.h"
#include "tests/io/corpus/manifest_support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// `line` as the second one of a NeMo manifest.
std::string nemo_error(const TemporaryFolder& folder, const std::string& line) {
  const std::string sound = R"({"audio_filepath": "a.wav"})"
                            "\n";
  return broken_line(folder, sound, line, sound);
}

std::string tsv_error(const TemporaryFolder& folder, const std::string& text) {
  return error_of_manifest(folder, text, {.format = ManifestFormat::fairseq});
}

std::string broken_cut(const TemporaryFolder& folder, const std::string& line) {
  const auto entries = entries_of(folder, cut_line("sound", 0, 1) + line);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].broken.empty());
  CHECK(entries[1].audio == AudioInfo{});
  return entries[1].broken;
}

}  // namespace

TEST_CASE("a malformed line of a NeMo manifest costs itself, with file, line and what was found") {
  const TemporaryFolder folder;
  const auto where = (folder / "manifest").string() + ", line 2: ";
  const auto check = [&](const std::string& line, const std::string& message) {
    INFO(line);
    CHECK_THAT(nemo_error(folder, line), ContainsSubstring(where + message));
  };
  check(
      R"({"audio_filepath": "b.wav")",
      R"(expected a JSON object, found "{\"audio_filepath\": \"b.wav\"": column 27: syntax error)");
  check("[1]", R"(expected a JSON object, found "[1]")");
  check("x\ty", R"(expected a JSON object, found "x\ty")");
  check(R"({"duration": 1, "text": "x"})",
        R"(expected the key "audio_filepath", found "duration, text")");
  check(R"({"audio_filepath": ["a", "b"]})",
        R"("audio_filepath": expected a string, found ["a","b"])");
  check(R"({"audio_filepath": "a.wav", "duration": "1.0"})",
        R"("duration": expected a number, found "1.0")");
  check(R"({"audio_filepath": "a.wav", "duration": -1})",
        R"("duration": expected at least 0 s, found -1)");
  check(R"({"audio_filepath": "a.wav", "offset": -0.5, "duration": 1})",
        R"("offset": expected at least 0 s, found -0.5)");
  check(R"({"audio_filepath": "a.wav", "duration": 1e999})", "expected a JSON object, found ");
  check(R"({"audio_filepath": "a.wav", "duration": NaN})", "expected a JSON object, found ");
  check(R"({"audio_filepath": "a.wav", "text": 3})", R"("text": expected a string, found 3)");
  check("{\"audio_filepath\": \"\xff\"}", "expected a JSON object, found ");
}

TEST_CASE(
    "an entry whose audio is missing, broken or another than was stated stays, with a reason") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 160'000);
  write_bytes(folder / "broken.flac", "fLaC");
  const auto entries =
      entries_of(folder, R"({"audio_filepath": "no/b.wav", "duration": 1})"
                         "\n"
                         R"({"audio_filepath": "/no/c.wav"})"
                         "\n"
                         R"({"audio_filepath": "broken.flac"})"
                         "\n"
                         R"({"audio_filepath": "broken.flac", "offset": 1, "duration": 1})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "duration": 9.89})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "duration": 9.91})"
                         "\n"
                         R"({"audio_filepath": "a.wav", "duration": 10.11})"
                         "\n");
  REQUIRE(entries.size() == 7);
  CHECK_THAT(entries[0].broken,
             ContainsSubstring("no/b.wav: cannot be opened: No such file or directory; relative "
                               "paths of this manifest start at " +
                               folder.path().string() + ", audio_root names another folder"));
  CHECK_THAT(entries[1].broken, ContainsSubstring("/no/c.wav: cannot be opened"));
  CHECK_THAT(entries[1].broken, !ContainsSubstring("audio_root"));
  CHECK_THAT(entries[2].broken, ContainsSubstring("cut off"));
  CHECK(entries[3].broken == entries[2].broken);
  CHECK_THAT(entries[4].broken,
             ContainsSubstring("a.wav: the manifest says 9.89 s, the header 10 s;"));
  CHECK_THAT(entries[4].broken, ContainsSubstring("manifest, line 5)"));
  CHECK(entries[5].broken.empty());
  CHECK(entries[5].audio.samples == 160'000);
  CHECK_THAT(entries[6].broken, ContainsSubstring("says 10.11 s, the header 10 s"));
  // Of a short recording, 1 % is less than manifests round.
  write_wav(folder / "short.wav", 16'000);
  const auto close = entries_of(folder, R"({"audio_filepath": "short.wav", "duration": 1.09})"
                                        "\n"
                                        R"({"audio_filepath": "short.wav", "duration": 0.89})"
                                        "\n");
  CHECK(close[0].broken.empty());
  CHECK_THAT(close[1].broken, ContainsSubstring("says 0.89 s, the header 1 s"));
}

TEST_CASE("a malformed line of a fairseq TSV costs itself, and so does a wrong number of samples") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 1000);
  const auto where = (folder / "manifest").string() + ", line ";
  CHECK_THAT(
      tsv_error(folder, "a.wav\t1000\n"),
      ContainsSubstring(where + R"(1: expected the folder of the audio, found "a.wav\t1000")"));
  CHECK_THAT(tsv_error(folder, "\n\n"), ContainsSubstring("expected the folder of the audio"));
  CHECK_THAT(tsv_error(folder, ".\n"), ContainsSubstring("expected utterances, found none"));
  for (const std::string row : {"a.wav", "a.wav 1000", "\t1000", "a.wav\t", "a.wav\t10x",
                                "a.wav\t-1", "a.wav\t10\t1", "a.wav\t99999999999999999999"}) {
    INFO(row);
    CHECK_THAT(broken_line(folder, ".\na.wav\t16000\n", row, "a.wav\t16000\n"),
               ContainsSubstring(where + "3: expected a path, a tab and a number of samples"));
  }
  write_wav(folder / "a.wav", 1000);
  const auto entries = entries_of(folder, ".\na.wav\t1000\na.wav\t1001\na.wav\t0\n");
  CHECK(entries[0].broken.empty());
  CHECK(entries[1].id == "a.wav#2");
  CHECK_THAT(entries[1].broken, ContainsSubstring("says 1001 samples, the header 1000 samples"));
  CHECK_THAT(entries[2].broken, ContainsSubstring("says 0 samples, the header 1000 samples"));
}

TEST_CASE("transcripts that do not fit a fairseq TSV are an error with both numbers") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 1000);
  write_bytes(folder / "t.tsv", ".\na.wav\t1000\na.wav\t1000\n");
  const auto error = [&](const std::string& words) {
    write_bytes(folder / "t.wrd", words);
    return error_of([&] { entries_of(folder / "t.tsv"); });
  };
  CHECK_THAT(
      error("ONE\n"),
      ContainsSubstring("t.wrd: expected 2 lines, as many as t.tsv has utterances, found 1"));
  CHECK_THAT(error("ONE\nTWO\nTHREE\n"), ContainsSubstring("found 3"));
  CHECK_THAT(error(""), ContainsSubstring("t.wrd: the file is empty"));
}

TEST_CASE("cuts that are more than a part of one file stay as broken, named for what they are") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  write_wav(folder / "stereo.wav", 16'000, 2);
  const auto check = [&](const std::string& line, const std::string& reason) {
    INFO(line);
    const std::string text = broken_cut(folder, line);
    CHECK_THAT(text, ContainsSubstring((folder / "manifest").string() + ", line 2"));
    CHECK_THAT(text, ContainsSubstring(reason));
  };
  const auto source = [](const std::string& sources) {
    return R"({"id": "c", "start": 0, "duration": 1, "recording": {"sampling_rate": 16000, )"
           R"("sources": )" +
           sources + "}}\n";
  };
  check(R"({"id": "m", "type": "MixedCut", "tracks": []})"
        "\n",
        R"(: cut "m" cannot be used: it is a MixedCut, and only MonoCuts are read)");
  check(R"({"id": "p", "type": "PaddingCut", "duration": 1})"
        "\n",
        "it is a PaddingCut");
  check(R"({"id": "m", "type": "MultiCut", "channel": [0, 1]})"
        "\n",
        "it is a MultiCut");
  check(R"({"id": "f", "type": "MonoCut", "start": 0, "duration": 1, "features": {}})"
        "\n",
        "it has no recording");
  check(source(R"([{"type": "file", "source": "a.wav"}, {"type": "file", "source": "b.wav"}])"),
        "none of its recording's sources has its channel, 0");
  for (const std::string type : {"command", "url", "memory"}) {
    check(source(R"([{"type": ")" + type + R"(", "source": "a.wav"}])"),
          "its source is of type \"" + type + "\", and only \"file\" is read");
  }
  check(cut_line("t", 0, 1, "",
                 R"(, "transforms": [{"name": "Speed", "kwargs": {"factor": 1.1}}, {}])"),
        "its recording is transformed when it is loaded (Speed, {})");
  check(R"({"id": "c", "start": 0, "duration": 1, "channel": 2, "recording": {"sampling_rate": )"
        R"(16000, "sources": [{"type": "file", "source": "stereo.wav"}]}})"
        "\n",
        "stereo.wav: the manifest asks for channel 2, counted from 0, and the recording has 2");
  check(cut_line("d", 0, 1, "", R"(, "duration": 1.2)"), "says 1.2 s, the header 1 s");
  check(R"({"id": "c", "start": 0, "duration": 1, "recording": {"sampling_rate": 8000, "sources": )"
        R"([{"type": "file", "source": "a.wav"}]}})"
        "\n",
        "a.wav: the manifest says 8000 Hz, the header 16000 Hz");
}

TEST_CASE("a malformed cut costs itself, and so does an id that was there before") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  const auto check = [&](const std::string& line, const std::string& message) {
    INFO(line);
    CHECK_THAT(broken_line(folder, cut_line("c", 0, 1), line, cut_line("e", 0, 1)),
               ContainsSubstring((folder / "manifest").string() + ", line 2: " + message));
  };
  const std::string head = R"({"id": "d", "start": 0, "duration": 1, )";
  check(R"({"start": 0, "duration": 1})", R"(expected the key "id", found "duration, start")");
  check(R"({"id": ""})", R"("id": expected a name, found "")");
  check(R"({"id": "d", "duration": 1})", R"(expected the key "start")");
  check(R"({"id": "d", "start": -1, "duration": 1})",
        R"("start": expected at least 0 s, found -1)");
  check(head + R"("channel": [0, 1]})", R"("channel": expected an integer, found [0,1])");
  check(head + R"("recording": "r"})", R"("recording": expected an object, found "\"r\"")");
  check(head + R"("recording": {"sources": []}})", R"("recording": expected a source, found none)");
  check(head + R"("recording": {"sources": [1]}})", R"("sources": expected a list of objects)");
  check(head + R"("supervisions": {"text": "x"}})",
        R"("supervisions": expected a list of objects, found )");
  check(head + R"("recording": {"sources": [{"type": "file", "source": "a.wav"}]}})",
        R"(expected the key "sampling_rate", found "sources")");
  CHECK_THAT(broken_line(folder, cut_line("c", 0, 1) + "\n", cut_line("c", 0.5, 0.1)),
             ContainsSubstring("manifest, line 3: the id \"c\" is that of line 1; ids must be"));
}

TEST_CASE("a manifest of no known format is an error that says what begins it") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of([&] { entries_of(folder / "no.jsonl"); }),
             ContainsSubstring("no.jsonl: cannot be opened: No such file"));
  CHECK_THAT(error_of_manifest(folder, ""), ContainsSubstring("the file is empty"));
  CHECK_THAT(error_of_manifest(folder, "\n \n"), ContainsSubstring("expected a manifest in JSON"));
  CHECK_THAT(error_of_manifest(folder, "just\ntext\n"),
             ContainsSubstring("found a file that begins with \"just\""));
  CHECK_THAT(error_of_manifest(folder, "[\n{\"audio_filepath\": \"a\"}]\n"),
             ContainsSubstring("found a file that begins with \"[\""));
  CHECK_THAT(error_of_manifest(folder, std::string(100, 'x') + "\n"),
             ContainsSubstring("with \"" + std::string(60, 'x') + "...\""));
  CHECK_THAT(
      error_of_manifest(folder, R"({"path": "a.wav", "sentence": "x"})"),
      ContainsSubstring(R"(line 1: expected "audio_filepath" (NeMo) or "recording" (lhotse) )"
                        R"(among the keys, found "path, sentence")"));
  CHECK_THAT(error_of_manifest(folder, R"({"id": "r", "sources": []})"),
             ContainsSubstring("lhotse cut simple"));
  write_wav(folder / "audio.wav", 100);
  CHECK_THAT(error_of([&] { entries_of(folder / "audio.wav"); }),
             ContainsSubstring("expected a manifest in JSON Lines (NeMo, lhotse cuts), a TSV"));
  CHECK_THAT(error_of_manifest(folder, cut_line("c", 0, 1), {.format = ManifestFormat::nemo}),
             ContainsSubstring("line 1: expected the key \"audio_filepath\""));
  CHECK_THAT(error_of([] { parse_manifest_format("kaldi"); }),
             ContainsSubstring("auto, nemo, fairseq, lhotse or table, found \"kaldi\""));
  for (const std::string& name : manifest_format_names()) parse_manifest_format(name);
}
