#include <set>

#include "nodes/support/mask_policy.h"
#include "tests/catch.h"
#include "tests/nodes/support.h"

using namespace flowqat;
using nodes::testing::Single;

namespace {

/// Frame counts of wav2vec2-base: 320 samples a frame, 400 for the first.
std::vector<float> audio_of(int frames) {
  return std::vector<float>(static_cast<size_t>(400 + 320 * (frames - 1)));
}

std::set<int> masked(const std::vector<graph::MaskSpan>& spans) {
  std::set<int> places;
  for (const auto& span : spans) {
    for (int i = 0; i < span.length; ++i) places.insert(span.start + i);
  }
  return places;
}

/// Time masks and channel masks that `keys` draw for 1,000 frames.
graph::Row masks_of(const std::string& keys, uint64_t key = 7) {
  graph::Row row;
  Single("spec_augment", keys).apply(audio_of(1000), 16000, row, key);
  return row;
}

bool draw_alike(const std::string& one, const std::string& other) {
  for (uint64_t key = 0; key < 5; ++key) {
    const graph::Row a = masks_of(one, key), b = masks_of(other, key);
    if (a.time_masks != b.time_masks || a.channel_masks != b.channel_masks) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("spans of one frame at half the frames mask exactly half of them") {
  const Single augment("spec_augment", R"("time_prob": 0.5, "time_length": 1)");
  for (uint64_t key = 0; key < 20; ++key) {
    graph::Row row;
    augment.apply(audio_of(60), 16000, row, key);
    CHECK(masked(row.time_masks).size() == 30);
  }
}

TEST_CASE("overlapping spans mask at most their share, and never a frame behind the end") {
  const Single augment("spec_augment", R"("time_prob": 0.5, "time_length": 4)");
  for (uint64_t key = 0; key < 200; ++key) {
    graph::Row row;
    augment.apply(audio_of(80), 16000, row, key);
    const auto places = masked(row.time_masks);
    REQUIRE(places.size() <= 40);
    REQUIRE(places.size() >= 13);
    REQUIRE(*places.rbegin() < 80);
    REQUIRE(*places.begin() >= 0);
  }
}

TEST_CASE("the count of spans is rounded up or down at random, so its mean is exact") {
  const Single augment("spec_augment",
                       R"("time_prob": 0.05, "time_length": 10, "time_min_masks": 0)");
  size_t spans = 0;
  for (uint64_t key = 0; key < 4000; ++key) {
    graph::Row row;
    augment.apply(audio_of(250), 16000, row, key);  // 1.25 spans on average
    spans += row.time_masks.size();
  }
  CHECK(static_cast<double>(spans) / 4000 == Approx(1.25).margin(0.03));
}

TEST_CASE("a fewest number of masks is kept where they fit, and short utterances get fewer") {
  const Single augment("spec_augment",
                       R"("time_prob": 0.05, "time_length": 10, "time_min_masks": 2)");
  const auto spans = [&](int frames) {
    graph::Row row;
    augment.apply(audio_of(frames), 16000, row);
    return row.time_masks.size();
  };
  CHECK(spans(40) == 2);
  CHECK(spans(20) == 2);
  CHECK(spans(19) == 1);
  CHECK(spans(9) == 0);
}

TEST_CASE("starts are distinct and every start is as likely") {
  const Single augment("spec_augment",
                       R"("time_prob": 0.4, "time_length": 2, "time_min_masks": 0)");
  std::vector<int> counts(19);
  for (uint64_t key = 0; key < 19000; ++key) {
    graph::Row row;
    augment.apply(audio_of(20), 16000, row, key);
    std::set<int> starts;
    for (const auto& span : row.time_masks)
      ++counts[static_cast<size_t>(span.start)], starts.insert(span.start);
    REQUIRE(starts.size() == row.time_masks.size());
  }
  for (int count : counts) CHECK(count == Approx(4000).margin(300));
}

TEST_CASE(
    "channel masks are drawn over the model's hidden channels, and none where one would not fit") {
  const Single augment("spec_augment",
                       R"("time_prob": 0, "channel_prob": 0.5, "channel_length": 64)");
  graph::Row row;
  augment.apply(audio_of(50), 16000, row);
  CHECK(row.time_masks.empty());
  CHECK(row.channel_masks.size() == 6);
  CHECK(*masked(row.channel_masks).rbegin() < 768);
  graph::Row wide;
  Single("spec_augment", R"("channel_prob": 0.5, "channel_length": 1000)")
      .apply(audio_of(50), 16000, wide);
  CHECK(wide.channel_masks.empty());
}

TEST_CASE("a policy draws what its published values draw") {
  CHECK(draw_alike(R"("policy": "fairseq_100h")",
                   R"("time_prob": 0.65, "time_length": 10, "time_min_masks": 2,
                      "channel_prob": 0.5, "channel_length": 64, "channel_min_masks": 0)"));
  CHECK(draw_alike(R"("policy": "fairseq_960h")",
                   R"("time_prob": 0.5, "channel_prob": 0.1, "channel_length": 64)"));
  CHECK(draw_alike(R"("policy": "huggingface")", ""));
  CHECK(draw_alike("", R"("time_prob": 0.05, "time_length": 10, "time_min_masks": 2,
                          "channel_prob": 0, "channel_length": 10, "channel_min_masks": 0)"));
  CHECK(masks_of(R"("policy": "fairseq_100h")").time_masks.size() >= 65);
  CHECK(masks_of(R"("policy": "fairseq_100h")").channel_masks.size() >= 6);
}

TEST_CASE("SpecAugment's own policies draw as many masks as the paper says, none too long") {
  struct Paper {
    const char* name;
    size_t time_masks, channel_masks;
    int most_frames, most_channels;
  };
  for (const Paper& paper : {Paper{"specaugment_lb", 1, 1, 50, 27 * 768 / 80},
                             Paper{"specaugment_ld", 2, 2, 50, 27 * 768 / 80},
                             Paper{"specaugment_sm", 2, 2, 35, 15 * 768 / 80},
                             Paper{"specaugment_ss", 2, 2, 35, 27 * 768 / 80}}) {
    INFO(paper.name);
    int longest = 0, widest = 0;
    double frames = 0, masks = 0;
    for (uint64_t key = 0; key < 2000; ++key) {
      const graph::Row row = masks_of("\"policy\": \"" + std::string(paper.name) + "\"", key);
      REQUIRE(row.time_masks.size() <= paper.time_masks);
      REQUIRE(row.channel_masks.size() <= paper.channel_masks);
      for (const auto& span : row.time_masks) {
        longest = std::max(longest, span.length);
        frames += span.length;
        REQUIRE((span.start >= 0 && span.start + span.length <= 1000));
      }
      for (const auto& span : row.channel_masks) {
        widest = std::max(widest, span.length);
        REQUIRE((span.start >= 0 && span.start + span.length <= 768));
      }
      masks += static_cast<double>(paper.time_masks);  // one of length 0 is a mask too
    }
    CHECK(longest == paper.most_frames);
    CHECK(widest == paper.most_channels);
    CHECK(frames / masks == Approx(paper.most_frames / 2.0).epsilon(0.05));
  }
  // SM and SS mask at most a fifth of an utterance at once.
  for (uint64_t key = 0; key < 200; ++key) {
    graph::Row row;
    Single("spec_augment", R"("policy": "specaugment_ss")").apply(audio_of(20), 16000, row, key);
    for (const auto& span : row.time_masks) REQUIRE(span.length <= 4);
  }
}

TEST_CASE("the policy \"model\" is that of the model's config.json") {
  model::Config config;
  config.mask_time_prob = 0.3;
  config.mask_time_length = 7;
  config.mask_feature_prob = 0.2;
  config.mask_feature_length = 33;
  const auto draw = [&](uint64_t key) {
    graph::RandomStream random(key);
    const nodes::MaskPolicies policies = nodes::policy_named("model", config);
    return std::pair(nodes::draw_spans(policies.time, 1000, random),
                     nodes::draw_spans(policies.channel, 768, random));
  };
  const auto [time, channel] = draw(1);
  CHECK((time.size() == 42 || time.size() == 43));
  CHECK(time.front().length == 7);
  CHECK(channel.front().length == 33);
  config.apply_spec_augment = false;
  CHECK(draw(1).first.empty());
  CHECK(draw(1).second.empty());
  CHECK_THROWS_WITH(masks_of(R"("policy": "model")"), ContainsSubstring("name it with the key"));
}

TEST_CASE("a key that is given replaces the policy's, even by the value that it has by itself") {
  CHECK(draw_alike(R"("policy": "fairseq_100h", "time_prob": 0.05)",
                   R"("time_prob": 0.05, "channel_prob": 0.5, "channel_length": 64)"));
  CHECK(draw_alike(R"("policy": "fairseq_100h", "channel_prob": 0, "time_length": 5)",
                   R"("time_prob": 0.65, "time_length": 5)"));
  CHECK(draw_alike(R"("policy": "fairseq_960h", "time_prob": 0, "time_min_masks": 0)",
                   R"("time_prob": 0, "channel_prob": 0.1, "channel_length": 64)"));
  CHECK(masks_of(R"("policy": "huggingface", "time_min_masks": 50)").time_masks.size() == 50);
}

TEST_CASE("a share below 0 is refused, but for the -1 that stands for the policy's") {
  CHECK_THROWS_WITH(masks_of(R"("time_prob": -0.5)"),
                    ContainsSubstring("key \"time_prob\"") && ContainsSubstring("found -0.5"));
  CHECK_THROWS_WITH(masks_of(R"("policy": "fairseq")"), ContainsSubstring("\"fairseq_960h\""));
  CHECK(draw_alike(R"("channel_prob": -1, "time_length": 0)", ""));
}
