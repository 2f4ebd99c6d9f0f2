#include "io/fetch/transfer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace flowqat::io {
namespace {

constexpr double kFirstDelay_s = 0.5, kMaxDelay_s = 60, kMaxPatience_s = 600;
/// Of an answer that is kept in memory: a list of files.
constexpr size_t kMaxBodyBytes = 16 << 20;

bool may_pass(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/// The whole number that `text` is; -1 if it is none.
int64_t number_of(std::string_view text) {
  int64_t number = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  return code == std::errc() && end == text.data() + text.size() ? number : -1;
}

/// "bytes FIRST-LAST/TOTAL"; -1 for what is not there.
struct ContentRange {
  int64_t first = -1, total = -1;
};
ContentRange content_range(const std::string& header) {
  std::string_view text = header;
  if (!text.starts_with("bytes ")) return {};
  text.remove_prefix(6);
  const size_t dash = text.find('-'), slash = text.find('/');
  if (dash == text.npos || slash == text.npos) return {};
  return {number_of(text.substr(0, dash)), number_of(text.substr(slash + 1))};
}

/// What If-Range may carry: a strong ETag, or else the time.
std::string validator_of(const HttpResponse& response) {
  const std::string etag = response.header("etag");
  return etag.starts_with('"') ? etag : response.header("last-modified");
}

std::string seconds_text(double duration_s) {
  return std::to_string(static_cast<long long>(std::ceil(duration_s))) + " s";
}

/// Waits before another try, or throws: after FetchOptions::retries in a row, and where the server
/// asks for more patience than a running program should have.
class Patience {
 public:
  Patience(std::string name, FetchMonitor& monitor) : name_(std::move(name)), monitor_(monitor) {}
  void encourage() { failures_ = 0; }

  /// Returns how long to wait. `kept` says what became of the bytes that came.
  double after(const std::string& what, double retry_after_s, const std::string& kept) {
    const int retries = monitor_.options().retries;
    if (++failures_ > retries) {
      throw Error(what + " (tried " + std::to_string(failures_) + " times)" + kept);
    }
    if (retry_after_s > kMaxPatience_s) {
      throw Error(what + "; the server asks to be left alone for " + seconds_text(retry_after_s) +
                  kept);
    }
    const double delay_s = retry_after_s > 0
                               ? retry_after_s
                               : std::min(kMaxDelay_s, kFirstDelay_s * std::pow(2, failures_ - 1));
    monitor_.say(name_ + ": " + what + "; trying again in " + seconds_text(delay_s) + " (" +
                 std::to_string(failures_) + " of " + std::to_string(retries) + ")");
    return delay_s;
  }

 private:
  std::string name_;
  FetchMonitor& monitor_;
  int failures_ = 0;
};

}  // namespace

std::string status_text(int status, const std::string& body) {
  const std::string code = "status " + std::to_string(status);
  switch (status) {
    case 401:
      return "the server wants to know who asks (" + code + ")";
    case 403:
      return "the server does not allow it (" + code + ")";
    case 404:
    case 410:
      return "the server has no such file (" + code + ")";
    case 429:
      return "the server was asked too often (" + code + ")";
    default:
      break;
  }
  std::string text = "the server answered with " + code;
  const size_t end = std::min(body.find_first_of("\r\n"), size_t{200});
  if (!body.empty() && body.front() != '<') text += ": " + body.substr(0, end);
  return text;
}

void Transfer::run() {
  Patience patience(file_.name, monitor_);
  int64_t farthest = partial_.bytes();
  while (partial_.bytes() < file_.bytes) {
    const Trouble trouble = attempt();
    const int64_t bytes = partial_.bytes();
    if (bytes >= file_.bytes) break;
    // Bytes that only came again are no progress, or a server that breaks off would be asked for
    // ever.
    if (bytes > farthest) patience.encourage();
    farthest = std::max(farthest, bytes);
    wait(patience.after(trouble.what, trouble.retry_after_s,
                        bytes > 0 ? "; " + bytes_text(bytes) + " of it are kept in " +
                                        partial_.path().string() +
                                        ": run the same again to go on from there"
                                  : "; run the same again later"));
  }
}

Transfer::Trouble Transfer::attempt() {
  const int64_t had = partial_.bytes();
  const PartialOrigin& origin = partial_.origin();
  const HttpRequest request{
      .url = file_.url,
      .first_byte = had,
      // Of another mirror no validator is known; the checksum tells whether it is the same file.
      .if_range = origin.url == file_.url ? origin.validator : "",
      .token = file_.token,
      .silence_s = monitor_.options().silence_s};
  const HttpReceiver receiver{.begin = [&](const HttpResponse& response) { begin(response, had); },
                              .body =
                                  [&](std::span<const std::byte> bytes) {
                                    if (partial_.bytes() + std::ssize(bytes) > file_.bytes) {
                                      throw Error(shown_url(file_.url) + ": is longer than the " +
                                                  std::to_string(file_.bytes) +
                                                  " bytes expected; " + file_.advice);
                                    }
                                    partial_.append(bytes);
                                    monitor_.came(std::ssize(bytes));
                                  },
                              .stop = [&] { return monitor_.stopped() || given_up_; }};
  const std::string where = shown_url(file_.url) + ": ";
  HttpResponse response;
  try {
    response = http_request(request, receiver);
  } catch (const HttpFailure& failure) {
    if (!failure.may_pass) throw;
    return {failure.what()};
  }
  if (response.ok()) return {where + "the connection ended before the file did"};
  if (response.status == 416) {
    start_over("the server has fewer bytes than are here");
    return {where + status_text(response.status, "")};
  }
  const std::string what = where + status_text(response.status, response.body);
  if (may_pass(response.status)) return {what, response.retry_after_s};
  throw Error(what + "; " + file_.advice);
}

void Transfer::begin(const HttpResponse& response, int64_t had) {
  const ContentRange range = content_range(response.header("content-range"));
  const bool continues = response.status == 206;
  const int64_t total = continues ? range.total : number_of(response.header("content-length"));
  if (total >= 0 && total != file_.bytes) {
    throw Error(shown_url(file_.url) + ": expected " + std::to_string(file_.bytes) +
                " bytes, the server has " + std::to_string(total) + "; " + file_.advice);
  }
  const std::string validator = validator_of(response);
  if (continues && range.first != had) {
    throw HttpFailure(shown_url(file_.url) + ": the server sent bytes from " +
                          std::to_string(range.first) + " on, not from " + std::to_string(had),
                      true);
  }
  if (continues) resumed_ = true;
  if (!continues && had > 0) {
    const PartialOrigin& origin = partial_.origin();
    const bool changed = origin.url == file_.url && origin.validator != validator;
    start_over(changed ? "the file has changed on the server since"
                       : "the server cannot send a file from its middle on");
  }
  partial_.set_origin({file_.url, validator});
}

void Transfer::start_over(const std::string& why) {
  monitor_.say(file_.name + ": " + why + "; fetching it from its start");
  monitor_.lost(partial_.bytes());
  partial_.restart();
}

void Transfer::wait(double duration_s) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(duration_s);
  while (std::chrono::steady_clock::now() < end) {
    if (given_up_) throw Stopped();
    monitor_.sleep(0.02);
  }
}

HttpResponse request_with_retries(const HttpRequest& request, FetchMonitor& monitor,
                                  std::string* body) {
  const std::string shown = shown_url(request.url);
  Patience patience(shown, monitor);
  while (true) {
    std::string what;
    double retry_after_s = 0;
    try {
      const HttpReceiver receiver{
          .begin = [&](const HttpResponse&) { body->clear(); },
          .body =
              [&](std::span<const std::byte> bytes) {
                if (body->size() + bytes.size() > kMaxBodyBytes) {
                  throw Error(shown + ": answered with more than " + bytes_text(kMaxBodyBytes) +
                              ", which is no list of files");
                }
                body->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
              },
          .stop = [&] { return monitor.stopped(); }};
      HttpResponse response = http_request(request, receiver);
      if (!may_pass(response.status)) return response;
      what = shown + ": " + status_text(response.status, response.body);
      retry_after_s = response.retry_after_s;
    } catch (const HttpFailure& failure) {
      if (!failure.may_pass) throw;
      what = failure.what();
    }
    monitor.sleep(patience.after(what, retry_after_s, "; run the same again later"));
  }
}

}  // namespace flowqat::io
