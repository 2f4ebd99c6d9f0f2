#include "io/fetch/hub_fetch.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <set>

#include "io/fetch/download.h"
#include "io/fetch/hub_listing.h"
#include "io/fetch/transfer.h"
#include "io/files/atomic_file.h"
#include "io/files/parallel.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhole = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";

/// "refs/pr/1" as one part of a URL's path.
std::string escaped(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || c == '-' || c == '_' || c == '.') {
      result += c;
    } else {
      result += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return result;
}

std::string shown(const HubModel& model) {
  return model.id + (model.revision == "main" ? "" : " at " + model.revision);
}

[[noreturn]] void refuse(const HubModel& model, const HttpResponse& response,
                         const std::string& url) {
  std::string text =
      shown(model) + ": " + shown_url(url) + ": " + status_text(response.status, response.body);
  if (const std::string said = response.header("x-error-message"); !said.empty()) {
    text += ": " + said.substr(0, 200);
  }
  if (response.status == 401) {
    text += hub_token().empty()
                ? "; check the id, or, if it is private or gated, give a token in HF_TOKEN or in "
                  "$HF_HOME/token"
                : "; check the id and the token in HF_TOKEN or $HF_HOME/token";
  } else if (response.status == 403) {
    text += "; its terms may have to be accepted at " + shown_hub_endpoint() + "/" + model.id;
  } else {
    text += "; check the id and the revision";
  }
  throw Error(text);
}

HubListing list_files(const HubModel& model, FetchMonitor& monitor) {
  const std::string url =
      hub_endpoint() + "/api/models/" + model.id + "/revision/" + escaped(model.revision);
  std::string body;
  const HttpResponse response = request_with_retries(
      {.url = url, .token = hub_token(), .silence_s = monitor.options().silence_s}, monitor, &body);
  if (!response.ok()) refuse(model, response, url);
  try {
    return parse_hub_listing(body);
  } catch (const Error& error) {
    throw Error(shown_url(url) + ": " + error.what());
  }
}

/// The weights' files among `names`.
std::vector<std::string> weight_names(const HubModel& model, const std::set<std::string>& names) {
  if (names.contains(kWhole)) return {kWhole};
  if (!names.contains(kIndex)) {
    const bool pickled = names.contains("pytorch_model.bin");
    throw Error(
        shown(model) + ": has no model.safetensors" +
        (pickled ? ", only pytorch_model.bin, which is a program that runs when it is opened. See "
                   "whether one of " +
                       shown_hub_endpoint() + "/" + model.id +
                       "/discussions adds safetensors, and name it (revision refs/pr/N); or "
                       "convert it once and use the folder: .venv/bin/python -c \"from "
                       "transformers import AutoModelForCTC as M, AutoProcessor as P; i = '" +
                       model.id +
                       "'; M.from_pretrained(i).save_pretrained('FOLDER'); "
                       "P.from_pretrained(i).save_pretrained('FOLDER')\""
                 : " and no other weights that can be read; is it a PyTorch model?"));
  }
  std::vector<std::string> weights{kIndex};
  for (const std::string& name : names) {
    // Of a name that is none, a path could be made that leads elsewhere.
    const bool is_plain = name.size() <= 200 && std::ranges::all_of(name, [](unsigned char c) {
                            return std::isalnum(c) || c == '-' || c == '_' || c == '.';
                          });
    if (name.starts_with("model-") && name.ends_with(".safetensors") && is_plain) {
      weights.push_back(name);
    }
  }
  return weights;
}

/// Size and hash, from the headers with which the Hub answers for a file, wherever it lies.
HubFile ask_for(const HubPlan& plan, const std::string& name, FetchMonitor& monitor) {
  const std::string url =
      hub_endpoint() + "/" + plan.model.id + "/resolve/" + plan.commit + "/" + escaped(name);
  std::string body;
  const HttpResponse response = request_with_retries({.url = url,
                                                      .head = true,
                                                      .token = hub_token(),
                                                      .leaves_host = false,
                                                      .silence_s = monitor.options().silence_s},
                                                     monitor, &body);
  if (response.status >= 400) refuse(plan.model, response, url);
  const bool linked = !response.header("x-linked-etag").empty();
  std::string etag = response.header(linked ? "x-linked-etag" : "etag");
  if (etag.starts_with("W/")) etag.erase(0, 2);
  std::erase(etag, '"');
  const std::string size = response.header(
      response.header("x-linked-size").empty() ? "content-length" : "x-linked-size");
  const ChecksumKind kind = etag.size() == 64 ? ChecksumKind::sha256 : ChecksumKind::git_blob;
  HubFile file{.name = name, .bytes = -1, .checksum = {kind, etag}};
  std::from_chars(size.data(), size.data() + size.size(), file.bytes);
  const std::string commit = response.header("x-repo-commit");
  if (!is_checksum(kind, etag) || file.bytes < 0 || (!commit.empty() && commit != plan.commit)) {
    throw Error(shown_url(url) +
                ": the answer lacks the file's size, hash or commit; is HF_ENDPOINT a Hub?");
  }
  return file;
}

fs::path blob_path(const HubPlan& plan, const HubFile& file) {
  return hub_model_folder(plan.model.id) / "blobs" / file.checksum.hex;
}
fs::path incomplete_path(const HubPlan& plan, const HubFile& file) {
  return blob_path(plan, file).string() + ".incomplete";
}

void fetch_blob(const HubPlan& plan, const HubFile& file, FetchMonitor& monitor) {
  const fs::path blob = blob_path(plan, file);
  if (fs::exists(blob)) return;
  PartialFile partial(incomplete_path(plan, file));
  if (fs::exists(blob)) return partial.remove();  // another process came to its end meanwhile
  const RemoteFile remote{
      .name = file.name,
      .url = hub_endpoint() + "/" + plan.model.id + "/resolve/" + plan.commit + "/" +
             escaped(file.name),
      .token = hub_token(),
      .bytes = file.bytes,
      .checksum = file.checksum,
      .advice = "try again; HF_ENDPOINT and HF_TOKEN say which Hub is asked, and as whom"};
  fetch_file(remote, partial, monitor, nullptr);
  partial.put_in_place(blob);
}

/// snapshots/COMMIT/NAME -> ../../blobs/HASH, in one step.
void link(const HubPlan& plan, const HubFile& file) {
  const fs::path target = fs::path("../../blobs") / file.checksum.hex;
  const fs::path pointer = plan.snapshot / file.name;
  const fs::path temporary = pointer.string() + ".tmp-" + std::to_string(::getpid());
  std::error_code code;
  fs::remove(temporary, code);
  fs::create_symlink(target, temporary);
  fs::rename(temporary, pointer);
}

void write_snapshot(const HubPlan& plan) {
  const fs::path folder = hub_model_folder(plan.model.id);
  fs::create_directories(plan.snapshot);
  // The configuration last: without it nobody takes the folder for a model.
  for (auto file = plan.files.rbegin(); file != plan.files.rend(); ++file) {
    if (!fs::exists(plan.snapshot / file->name)) link(plan, *file);
  }
  for (const std::string& name : plan.absent) {
    fs::create_directories(folder / ".no_exist" / plan.commit);
    std::ofstream(folder / ".no_exist" / plan.commit / name);
  }
  sync_folder_of(plan.snapshot / "config.json");
  if (plan.model.revision == plan.commit) return;
  const fs::path ref = folder / "refs" / plan.model.revision;
  fs::create_directories(ref.parent_path());
  write_file_atomically(ref, plan.commit);
}

}  // namespace

HubPlan plan_hub_model(const HubModel& model, const FetchOptions& options) {
  if (hub_offline()) {
    throw Error(shown(model) + ": is not whole in " + hub_model_folder(model.id).string() +
                ", and HF_HUB_OFFLINE says not to fetch it; unset that, or name a folder");
  }
  FetchMonitor monitor(options, model.id, 0, 0);
  const HubListing listing = list_files(model, monitor);
  HubPlan plan{.model = model, .commit = listing.commit};
  plan.snapshot = hub_model_folder(model.id) / "snapshots" / plan.commit;
  if (!listing.names.contains("config.json")) {
    throw Error(shown(model) + ": has no config.json; expected a model that transformers loads");
  }
  std::vector<std::string> names;
  for (const std::string& name : hub_file_names()) {
    (listing.names.contains(name) ? names : plan.absent).push_back(name);
  }
  for (std::string& name : weight_names(model, listing.names)) names.push_back(std::move(name));
  plan.files.resize(names.size());
  parallel_for(names.size(), std::max(options.jobs, 1),
               [&](size_t i) { plan.files[i] = ask_for(plan, names[i], monitor); });
  for (const HubFile& file : plan.files) {
    if (fs::exists(plan.snapshot / file.name) || fs::exists(blob_path(plan, file))) continue;
    ++plan.missing;
    plan.bytes += file.bytes;
    plan.kept_bytes += std::min(file.bytes, PartialFile::bytes_at(incomplete_path(plan, file)));
  }
  return plan;
}

std::string shown_hub_endpoint() { return shown_url(hub_endpoint()); }

std::string describe(const HubPlan& plan) {
  return fetching_text(plan.bytes, plan.kept_bytes) + " of " + shown(plan.model) + " (" +
         std::to_string(plan.missing) + (plan.missing == 1 ? " file" : " files") + ", commit " +
         plan.commit.substr(0, 8) + ") to " + hub_model_folder(plan.model.id).string();
}

void fetch_hub_model(const HubPlan& plan, const FetchOptions& options) {
  check_free_space(plan.snapshot, plan.bytes - plan.kept_bytes, "the files of " + plan.model.id);
  FetchMonitor monitor(options, plan.model.id, plan.bytes, plan.kept_bytes);
  parallel_for(plan.files.size(), std::max(options.jobs, 1), [&](size_t i) {
    monitor.check();
    const HubFile& file = plan.files[i];
    if (!fs::exists(plan.snapshot / file.name)) fetch_blob(plan, file, monitor);
  });
  write_snapshot(plan);
}

}  // namespace flowqat::io
