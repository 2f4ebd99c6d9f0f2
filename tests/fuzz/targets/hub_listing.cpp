/// What a server answers when it is asked for a model's files.
#include "io/fetch/hub_listing.h"

#include "io/fetch/hub_cache.h"
#include "tests/fuzz/support.h"

using namespace flowqat;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::refuses_or([&] {
    const auto listing = io::parse_hub_listing(std::string(fuzz::text_of(data, size)));
    fuzz::require(io::is_hub_commit(listing.commit), "a commit's name");
  });
  return 0;
}
