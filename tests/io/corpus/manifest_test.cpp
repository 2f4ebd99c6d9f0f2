/// Manifests that can be used as they are; what cannot is in manifest_broken_test.cpp.
#include "io/corpus/manifest.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "io/corpus/index_cache.h"
#include "tests/catch.h"
#include "tests/io/corpus/manifest_support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a NeMo manifest lists whole recordings and segments of the real samples") {
  const TemporaryFolder folder;
  const auto a = write_wav(folder / "audio" / "a.wav", 80'000);
  const auto b = write_wav(folder / "b.wav", 44'100, 2, 44'100);
  const auto whole_a = decode(a), whole_b = decode(b);
  const std::string text =
      R"({"audio_filepath": "audio/a.wav", "duration": 5.03, "text": "all of it", "speaker": 7})"
      "\n"
      R"({"audio_filepath": "audio/a.wav", "duration": 1.5, "text": "a part", "offset": 1.00003, )"
      R"("speaker": "ann"})"
      "\n"
      R"({"audio_filepath": ")" +
      b.string() +
      R"(", "duration": 0.25, "offset": 0.1, "text": ""})"
      "\n"
      R"({"audio_filepath": "audio/a.wav", "duration": 5, "offset": 0, "text": ""})"
      "\n"
      R"({"audio_filepath": "b.wav", "text": ""})"
      "\n";
  const auto entries = entries_of(folder, text);
  REQUIRE(entries.size() == 5);
  CHECK(entries[0].id == "audio/a.wav");
  CHECK(entries[0].place == AudioPlace(a));
  CHECK(entries[0].audio == AudioInfo{80'000, 16'000, 1});
  CHECK(entries[0].transcript == "all of it");
  CHECK(entries[0].speaker == "7");
  CHECK(entries[0].group == "manifest");
  CHECK(is_part(entries[0], whole_a, 0, 80'000));
  CHECK(entries[1].id == "audio/a.wav@1.00003");
  CHECK(entries[1].speaker == "ann");
  CHECK(entries[1].place.first_sample == 16'000);  // 16000.48
  CHECK(is_part(entries[1], whole_a, 16'000, 24'000));
  CHECK(entries[2].id == b.string() + "@0.1");
  CHECK(entries[2].audio == AudioInfo{11'025, 44'100, 2});
  CHECK(entries[2].transcript.empty());
  CHECK(is_part(entries[2], whole_b, 4410, 11'025));
  CHECK(entries[3].id == "audio/a.wav@0");
  CHECK_FALSE(entries[3].place.first_sample);  // all of the recording is the recording
  CHECK(is_part(entries[4], whole_b, 0, 44'100));
  for (const int threads : {0, 1, 7}) {
    CHECK(scan_manifest(folder / "manifest", {}, threads).entries == entries);
  }
}

TEST_CASE("a segment is cut at the end of its recording if its times were only rounded") {
  const TemporaryFolder folder;
  const auto whole = decode(write_wav(folder / "a.wav", 16'000));
  const auto line = [](const std::string& offset, const std::string& duration) {
    return R"({"audio_filepath": "a.wav", "offset": )" + offset + R"(, "duration": )" + duration +
           "}\n";
  };
  const auto entries =
      entries_of(folder, line("0.5", "0.5") + line("0.5", "0.50003") + line("0.5", "0.51") +
                             line("0.5", "0.5101") + line("0.99999", "1") + line("1", "0.005") +
                             line("0.5", "0") + line("1e300", "1") + line("0", "1e300"));
  CHECK(is_part(entries[0], whole, 8000, 8000));
  CHECK(is_part(entries[1], whole, 8000, 8000));
  CHECK(is_part(entries[2], whole, 8000, 8000));
  CHECK_THAT(entries[3].broken,
             ContainsSubstring("a.wav: the segment of 0.5101 s from 0.5 s on ends behind the "
                               "recording of 1 s ("));
  CHECK_THAT(entries[3].broken, ContainsSubstring("manifest, line 4)"));
  CHECK(entries[3].audio == AudioInfo{});
  CHECK_FALSE(entries[3].place.first_sample);
  for (const size_t i : {4, 5, 7, 8}) {
    CHECK_THAT(entries[i].broken, ContainsSubstring("ends behind the recording of 1 s"));
  }
  CHECK_THAT(entries[6].broken, ContainsSubstring("a segment of 0 s holds no sample"));
}

TEST_CASE("a fairseq TSV has its transcripts beside it, as words or as letters") {
  const TemporaryFolder folder;
  const auto a = write_wav(folder / "audio" / "x" / "a.wav", 1000);
  write_wav(folder / "audio" / "b.wav", 2000);
  const auto manifest = folder / "train.tsv";
  const std::string rows = "x/a.wav\t1000\nb.wav\t2000\n";
  write_bytes(manifest, (folder / "audio").string() + "\n" + rows);
  auto entries = entries_of(manifest);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].id == "x/a.wav");
  CHECK(entries[0].place == AudioPlace(a));
  CHECK(entries[0].audio == AudioInfo{1000, 16'000, 1});
  CHECK(entries[0].transcript.empty());
  CHECK(entries[0].group == "train.tsv");
  write_bytes(folder / "train.ltr", "T H E | Ä S E L |\nG O |\n");
  entries = entries_of(manifest);
  CHECK(entries[0].transcript == "THE ÄSEL");
  CHECK(entries[1].transcript == "GO");
  write_bytes(folder / "train.wrd", "THE WORDS \r\n\r\n");
  entries = entries_of(manifest);
  CHECK(entries[0].transcript == "THE WORDS");
  CHECK(entries[1].transcript.empty());
  write_bytes(manifest, "audio\r\n" + rows);  // from the manifest's own folder
  CHECK(entries_of(manifest)[0].place == AudioPlace(a));
  write_bytes(manifest, "/nowhere\n" + rows);
  CHECK(entries_of(manifest, {.audio_root = folder / "audio"})[1].broken.empty());
  if (!have("gzip")) return;
  run("gzip '" + manifest.string() + "'");
  CHECK(entries_of(folder / "train.tsv.gz", {.audio_root = folder / "audio"})[0].transcript ==
        "THE WORDS");
}

TEST_CASE("lhotse cuts are segments with the texts of their supervisions in order") {
  const TemporaryFolder folder;
  const auto whole = decode(write_wav(folder / "a.wav", 80'000));
  const auto entries = entries_of(
      folder,
      cut_line(
          "c1", 1.25, 2,
          R"(, "supervisions": [{"start": 1.0, "text": "world", "speaker": "s"}, )"
          R"({"start": 0.2, "text": "hello", "speaker": "s"}, {"start": 0.5, "speaker": "s"}])") +
          cut_line("c2", 0, 5,
                   R"(, "supervisions": [{"text": "a", "speaker": "s"}, )"
                   R"({"start": 1, "text": "b", "speaker": "t"}])",
                   R"(, "duration": 5.0, "num_samples": 80000, "transforms": null)") +
          cut_line("c3", 4, 1));
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].id == "c1");
  CHECK(entries[0].transcript == "hello world");
  CHECK(entries[0].speaker == "s");
  CHECK(is_part(entries[0], whole, 20'000, 32'000));
  CHECK(entries[1].transcript == "a b");
  CHECK(entries[1].speaker.empty());
  CHECK_FALSE(entries[1].place.first_sample);
  CHECK(is_part(entries[1], whole, 0, 80'000));
  CHECK(entries[2].transcript.empty());
  CHECK(is_part(entries[2], whole, 64'000, 16'000));
}

TEST_CASE(
    "manifests read alike compressed, with Windows line ends, blank lines, a byte order mark") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  write_wav(folder / "Größe" / "日本 語.wav", 16'000);
  const std::string nemo =
      R"({"audio_filepath": "Größe/日本 語.wav", "duration": 1, "text": "naïve"})"
      "\r\n\r\n  \r\n"
      R"({"audio_filepath": "Gr\u00f6\u00dfe/\u65e5\u672c \u8a9e.wav", "text": "x", )"
      R"("offset": 0.5, "duration": 0.25})"
      "\r\n";
  const auto entries = entries_of(folder, "\xEF\xBB\xBF\r\n" + nemo);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].id == "Größe/日本 語.wav");
  CHECK(entries[0].transcript == "naïve");
  CHECK(entries[0].broken.empty());
  CHECK(entries[1].id == "Größe/日本 語.wav@0.5");
  CHECK(entries[1].audio.samples == 4000);
  const auto cuts = entries_of(folder, "\n" + cut_line("c", 0.5, 0.25) + "\r\n\n");
  REQUIRE(cuts.size() == 1);
  CHECK(cuts[0].audio.samples == 4000);
  write_bytes(folder / "t.tsv",
              "\xEF\xBB\xBF" + folder.path().string() + "\r\nGröße/日本 語.wav\t16000\r\n\r\n");
  CHECK(entries_of(folder / "t.tsv")[0].broken.empty());
  if (!have("gzip")) return;
  for (const std::string& text : {nemo, cut_line("c", 0.5, 0.25)}) {
    const auto plain = entries_of(folder, text);
    run("gzip -f '" + (folder / "manifest").string() + "'");
    auto packed = entries_of(folder / "manifest.gz");
    for (CorpusEntry& entry : packed) entry.group = "manifest";
    CHECK(packed == plain);
  }
}

TEST_CASE("an id that is made of a path is unique") {
  const TemporaryFolder folder;
  write_wav(folder / "a.wav", 16'000);
  write_wav(folder / "a.wav#2", 16'000);
  const std::string whole = R"({"audio_filepath": "a.wav"})"
                            "\n";
  const std::string part = R"({"audio_filepath": "a.wav", "offset": 0.5, "duration": 0.1})"
                           "\n";
  const auto entries = entries_of(folder, whole + part +
                                              R"({"audio_filepath": "a.wav#2"})"
                                              "\n" +
                                              whole + part + whole);
  std::vector<std::string> ids;
  for (const auto& entry : entries) {
    ids.push_back(entry.id);
    CHECK(entry.broken.empty());
  }
  CHECK(ids == std::vector<std::string>{"a.wav", "a.wav@0.5", "a.wav#2", "a.wav#3", "a.wav@0.5#2",
                                        "a.wav#4"});
}

TEST_CASE("recordings are watched where decoding a segment would not notice another one") {
  const TemporaryFolder folder;
  write_wav(folder / "x" / "whole.wav", 16'000);
  const auto parts = write_wav(folder / "x" / "parts.wav", 16'000);
  write_bytes(folder / "m", R"({"audio_filepath": "x/whole.wav"})"
                            "\n"
                            R"({"audio_filepath": "x/parts.wav", "offset": 0, "duration": 0.5})"
                            "\n"
                            R"({"audio_filepath": "x/parts.wav", "offset": 0.5, "duration": 0.5})"
                            "\n"
                            R"({"audio_filepath": "y/z/no.wav"})");
  const auto watched = scan_manifest(folder / "m", {}, 1).watched;
  CHECK(std::set(watched.begin(), watched.end()) ==
        std::set{folder / "m", folder.path(), folder / "x", parts});
  CHECK(watched.size() == 4);
}

TEST_CASE("the index cache notices a changed manifest, new transcripts and audio that was added") {
  const TemporaryFolder folder;
  const auto audio = folder / "audio";
  write_wav(audio / "a.wav", 1000);
  const auto manifest = folder / "m.tsv";
  write_bytes(manifest, "audio\na.wav\t1000\nlate/b.wav\t1000\n");
  int scans = 0;
  const auto entries = [&] {
    return cached_entries(folder / "cache" / "index", "m", [&] {
      ++scans;
      return scan_manifest(manifest, {}, 2);
    });
  };
  // What changed within the second before a scan is not kept.
  const auto settle = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1100)); };
  std::filesystem::create_directories(folder / "cache" / "index");
  settle();
  CHECK_THAT(entries()[1].broken, ContainsSubstring("No such file"));
  CHECK(entries().size() == 2);
  CHECK(scans == 1);
  write_wav(audio / "late" / "b.wav", 1000);
  settle();
  CHECK(entries()[1].broken.empty());
  CHECK(scans == 2);
  write_bytes(folder / "m.wrd", "ONE\nTWO\n");
  settle();
  CHECK(entries()[1].transcript == "TWO");
  CHECK(scans == 3);
  write_bytes(folder / "m.wrd", "ONE\n");
  write_bytes(manifest, "audio\na.wav\t1000\n");
  settle();
  CHECK(entries().size() == 1);
  CHECK(entries().size() == 1);
  CHECK(scans == 4);
}

TEST_CASE("a manifest of real recordings gives the real samples") {
  const auto root = test_data("librispeech/LibriSpeech");
  if (root.empty()) return;
  const TemporaryFolder folder;
  std::string text;
  std::vector<std::vector<float>> whole;
  for (const auto& file : std::filesystem::recursive_directory_iterator(root)) {
    if (file.path().extension() != ".flac" || whole.size() == 8) continue;
    whole.push_back(decode(file.path()));
    const nlohmann::json line{{"audio_filepath", std::filesystem::absolute(file.path()).string()},
                              {"offset", 0.75},
                              {"duration", 1.1}};
    text += line.dump() + "\n";
  }
  const auto entries = entries_of(folder, text);
  REQUIRE(entries.size() == 8);
  for (size_t i = 0; i < entries.size(); ++i) CHECK(is_part(entries[i], whole[i], 12'000, 17'600));
}
