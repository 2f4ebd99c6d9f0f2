#include "tests/fuzz/support.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/message.h"
#include "graph/error.h"
#include "io/files/error.h"
#include "model/model.h"

namespace flowqat::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSeparator = "\n=====\n";

bool check_message(const std::exception& error) {
  const size_t bytes = std::strlen(error.what());
  require(bytes > 0 && bytes <= 2 * most_message_bytes, "a message of bounded length");
  return false;
}

}  // namespace

std::vector<std::string_view> parts_of(std::string_view input) {
  std::vector<std::string_view> parts;
  for (size_t end; (end = input.find(kSeparator)) != std::string_view::npos;) {
    parts.push_back(input.substr(0, end));
    input.remove_prefix(end + kSeparator.size());
  }
  parts.push_back(input);
  return parts;
}

fs::path file_of(std::string_view bytes) {
  static const int file = ::memfd_create("input", MFD_CLOEXEC);
  require(file >= 0 && ::ftruncate(file, 0) == 0 &&
              ::pwrite(file, bytes.data(), bytes.size(), 0) == std::ssize(bytes),
          "a file in memory");
  return "/proc/self/fd/" + std::to_string(file);
}

fs::path empty_folder() {
  static const fs::path folder = [] {
    const fs::path memory = "/dev/shm";
    std::string name =
        ((fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "flowqat-fuzz-XXXXXX")
            .string();
    require(::mkdtemp(name.data()) != nullptr, "a folder of its own");
    static std::string made;
    made = name;
    std::atexit([] {
      std::error_code ignored;
      fs::remove_all(made, ignored);
    });
    return fs::path(name);
  }();
  for (const auto& entry : fs::directory_iterator(folder)) fs::remove_all(entry.path());
  return folder;
}

void write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

bool refuses_or(const std::function<void()>& read) {
  try {
    read();
    return true;
  } catch (const io::Error& error) {
    return check_message(error);
  } catch (const graph::GraphError& error) {
    return check_message(error);
  } catch (const graph::RunError& error) {
    return check_message(error);
  } catch (const model::Error& error) {
    return check_message(error);
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "required: %s\n", what);
  std::abort();
}

}  // namespace flowqat::fuzz
