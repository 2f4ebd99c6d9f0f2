/// One channel of recordings that have several, as manifests ask for it.
#include "io/corpus/index_cache.h"
#include "tests/catch.h"
#include "tests/io/corpus/manifest_support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::vector<float> channel_of(const std::filesystem::path& path, int channel) {
  AudioPlace place(path);
  const AudioInfo info = read_audio_info(place);
  place.channel = channel;
  std::vector<float> mono(static_cast<size_t>(info.samples));
  decode_audio(place, info, mono);
  return mono;
}

}  // namespace

TEST_CASE("a NeMo manifest chooses channels, of whole recordings and of segments") {
  const TemporaryFolder folder;
  const auto path = write_wav(folder / "two.wav", 32'000, 2);
  const std::string head = R"({"audio_filepath": "two.wav", "duration": 2)";
  const auto entries =
      entries_of(folder, head + R"(, "channel": 1})" + "\n" + head +
                             R"(, "channel_selector": 0, "offset": 0})" + "\n" +
                             R"({"audio_filepath": "two.wav", "duration": 1, )" +
                             R"("offset": 0.5, "channel": [1]})" + "\n" + head +
                             R"(, "channel_selector": "average"})" + "\n" + head +
                             R"(, "channel": null})" + "\n" + head + R"(, "channel": 2})" + "\n");
  REQUIRE(entries.size() == 6);
  const auto first = channel_of(path, 0), second = channel_of(path, 1), all = decode(path);
  REQUIRE(first != second);
  CHECK(is_part(entries[0], second, 0, 32'000));
  CHECK(is_part(entries[1], first, 0, 32'000));
  CHECK(is_part(entries[2], second, 8'000, 16'000));
  CHECK(is_part(entries[3], all, 0, 32'000));
  CHECK(is_part(entries[4], all, 0, 32'000));
  CHECK_THAT(entries[5].broken,
             ContainsSubstring("asks for channel 2, counted from 0, and the recording has 2"));
  // The index that is kept knows them too.
  const Corpus corpus{.entries = entries, .watched = {}};
  for (int time = 0; time < 2; ++time) {
    CHECK(cached_entries(folder / "cache", "this", [&] { return corpus; }) == entries);
  }
}

TEST_CASE("a channel of a NeMo manifest that is no number is told") {
  const TemporaryFolder folder;
  write_wav(folder / "two.wav", 32'000, 2);
  for (const std::string channel : {"-1", "1.5", "\"left\"", "[0, 1]", "70000", "{}"}) {
    INFO(channel);
    const std::string line =
        R"({"audio_filepath": "two.wav", "duration": 2, "channel": )" + channel + "}\n";
    std::string text;
    try {
      text = entries_of(folder, line).front().broken;
    } catch (const Error& error) {
      text = error.what();
    }
    CHECK_THAT(text, ContainsSubstring("\"channel\": expected the number of a channel") &&
                         ContainsSubstring("line 1"));
  }
}

TEST_CASE("a lhotse cut's channel is that of the file which has it") {
  const TemporaryFolder folder;
  const auto two = write_wav(folder / "two.wav", 16'000, 2);
  const auto one = write_wav(folder / "one.wav", 16'000, 1);
  const std::string both = R"([{"type": "file", "channels": [0, 1], "source": "two.wav"}])";
  const std::string apart = R"([{"type": "file", "channels": [0], "source": "one.wav"}, )"
                            R"({"type": "file", "channels": [2, 1], "source": "two.wav"}])";
  std::string text;
  auto add = [&, id = 0](int channel, const std::string& sources) mutable {
    text += R"({"id": ")" + std::to_string(id++) +
            R"(", "start": 0.25, "duration": 0.5, "type": "MonoCut", "channel": )" +
            std::to_string(channel) +
            R"(, "recording": {"sampling_rate": 16000, "duration": 1, "sources": )" + sources +
            "}}\n";
  };
  for (const int channel : {0, 1}) add(channel, both);
  for (const int channel : {0, 1, 2, 3}) add(channel, apart);
  const auto entries = entries_of(folder, text);
  REQUIRE(entries.size() == 6);
  const auto left = channel_of(two, 0), right = channel_of(two, 1);
  CHECK(is_part(entries[0], left, 4000, 8000));
  CHECK(is_part(entries[1], right, 4000, 8000));
  CHECK(is_part(entries[2], decode(one), 4000, 8000));
  CHECK(is_part(entries[3], right, 4000, 8000));
  CHECK(is_part(entries[4], left, 4000, 8000));
  CHECK_THAT(entries[5].broken, ContainsSubstring("sources has its channel, 3"));
}
