#include "io/fetch/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string_view>

#include "io/fetch/fetch.h"

namespace flowqat::io {
namespace {

constexpr int kMaxRedirects = 10;
constexpr size_t kErrorTextBytes = 4096;

/// libcurl is set up once, before any thread uses it.
struct Library {
  Library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~Library() { curl_global_cleanup(); }
};

struct Free {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(char* text) const { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  return std::unique_ptr<char, Free>(text).get();
}

std::unique_ptr<CURLU, Free> parsed(const std::string& text) {
  std::unique_ptr<CURLU, Free> url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    throw HttpFailure("\"" + text + "\" is no URL: expected https://HOST/PATH", false);
  }
  return url;
}

/// Scheme, host and port: within them a token may be sent.
std::string origin_of(const std::string& text) {
  const auto url = parsed(text);
  return part_of(url.get(), CURLUPART_SCHEME) + "://" + part_of(url.get(), CURLUPART_HOST) + ":" +
         part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

/// Whether another try may help; TLS that is not trusted, say, stays so.
bool may_pass(CURLcode code) {
  constexpr std::array kLasting{
      CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT,         CURLE_PEER_FAILED_VERIFICATION,
      CURLE_SSL_CACERT_BADFILE,   CURLE_SSL_ISSUER_ERROR,      CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_ENGINE_NOTFOUND,  CURLE_SSL_ENGINE_INITFAILED, CURLE_OUT_OF_MEMORY};
  return std::ranges::find(kLasting, code) == kLasting.end();
}

/// One request without redirects.
class Hop {
 public:
  Hop(const HttpRequest& request, const std::string& url, bool with_token,
      const HttpReceiver& receiver)
      : receiver_(receiver), url_(url), handle_(curl_easy_init()) {
    if (!handle_) throw HttpFailure("libcurl cannot be used: there is no memory", false);
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_USERAGENT, "flowqat");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOBODY, request.head ? 1L : 0L);
    // A redirect is followed only to where http_request() lets it go.
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    for (const char* name : {"CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
      const char* file = std::getenv(name);
      if (!file || !*file) continue;
      set(CURLOPT_CAINFO, file);
      break;
    }
    set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(std::ceil(request.silence_s)));
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(std::ceil(request.silence_s)));
    if (with_token) add_header("Authorization: Bearer " + request.token);
    add_header("Accept-Encoding: identity");  // sizes and places are the file's own
    if (request.first_byte > 0) {
      add_header("Range: bytes=" + std::to_string(request.first_byte) + "-");
      if (!request.if_range.empty()) add_header("If-Range: " + request.if_range);
    }
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_HEADERFUNCTION, &Hop::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Hop::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_XFERINFOFUNCTION, &Hop::on_progress);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
  }

  HttpResponse perform() {
    const CURLcode code = curl_easy_perform(handle_.get());
    if (failure_) std::rethrow_exception(failure_);
    if (code == CURLE_ABORTED_BY_CALLBACK) throw Stopped();
    if (code != CURLE_OK) {
      const std::string text = error_[0] ? error_.data() : curl_easy_strerror(code);
      const bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION;
      throw HttpFailure(shown_url(url_) + ": " + text +
                            (untrusted ? "; nothing was fetched from a server that cannot prove "
                                         "who it is (SSL_CERT_FILE names other authorities)"
                                       : ""),
                        may_pass(code));
    }
    begin();  // a body may be empty
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &retry_after_s);
    response_.retry_after_s = static_cast<double>(retry_after_s);
    return std::move(response_);
  }

  /// Where a redirect leads, or nothing.
  std::string target() const {
    const char* url = nullptr;
    curl_easy_getinfo(handle_.get(), CURLINFO_REDIRECT_URL, &url);
    return url ? url : "";
  }

 private:
  template <typename Value>
  void set(CURLoption option, Value value) {
    if (curl_easy_setopt(handle_.get(), option, value) != CURLE_OK) {
      throw HttpFailure("libcurl refuses an option; version 7.85 or newer is needed", false);
    }
  }
  void add_header(const std::string& line) {
    headers_.reset(curl_slist_append(headers_.release(), line.c_str()));
  }

  void begin() {
    if (begun_) return;
    begun_ = true;
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (response_.ok() && receiver_.begin) receiver_.begin(response_);
  }

  /// Runs `action`; what it throws leaves libcurl's C code as a failure.
  template <typename Action>
  bool guarded(const Action& action) {
    try {
      action();
      return true;
    } catch (...) {
      failure_ = std::current_exception();
      return false;
    }
  }

  static size_t on_header(char* data, size_t, size_t bytes, void* self) {
    auto& hop = *static_cast<Hop*>(self);
    std::string_view line(data, bytes);
    if (line.starts_with("HTTP/")) hop.response_.headers.clear();  // behind a 100 Continue
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return bytes;
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
      value.remove_prefix(1);
    }
    while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back()))) {
      value.remove_suffix(1);
    }
    hop.response_.headers[name] = value;
    return bytes;
  }

  static size_t on_body(char* data, size_t, size_t bytes, void* self) {
    auto& hop = *static_cast<Hop*>(self);
    const bool went = hop.guarded([&] {
      hop.begin();
      if (!hop.response_.ok()) {
        const size_t room = kErrorTextBytes - hop.response_.body.size();
        hop.response_.body.append(data, std::min(bytes, room));
      } else if (hop.receiver_.body) {
        hop.receiver_.body(std::as_bytes(std::span(data, bytes)));
      }
    });
    return went ? bytes : CURL_WRITEFUNC_ERROR;
  }

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& hop = *static_cast<Hop*>(self);
    return hop.receiver_.stop && hop.receiver_.stop() ? 1 : 0;
  }

  const HttpReceiver& receiver_;
  std::string url_;
  std::unique_ptr<CURL, Free> handle_;
  std::unique_ptr<curl_slist, Free> headers_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  HttpResponse response_;
  bool begun_ = false;
  std::exception_ptr failure_;
};

}  // namespace

std::string HttpResponse::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

std::string shown_url(const std::string& url) {
  std::string text = url.substr(0, url.find_first_of("?#"));
  const size_t host = text.find("://");
  if (host == std::string::npos) return text;
  const size_t at = text.find('@', host + 3);
  if (at < text.find('/', host + 3)) text.erase(host + 3, at - host - 2);
  return text;
}

HttpResponse http_request(const HttpRequest& request, const HttpReceiver& receiver) {
  static const Library library;
  const std::string origin = origin_of(request.url);
  std::string url = request.url;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    const bool at_home = origin_of(url) == origin;
    Hop hop(request, url, at_home && !request.token.empty(), receiver);
    HttpResponse response = hop.perform();
    const std::string target = hop.target();
    if (target.empty()) return response;
    if (!request.leaves_host && origin_of(target) != origin) return response;
    if (url.starts_with("https:") && !target.starts_with("https:")) {
      throw HttpFailure(shown_url(url) + ": leads to " + shown_url(target) +
                            ", which is not encrypted; it was not followed",
                        false);
    }
    url = target;
  }
  throw HttpFailure(shown_url(request.url) + ": leads from one address to the next, more than " +
                        std::to_string(kMaxRedirects) + " times",
                    false);
}

}  // namespace flowqat::io
