/// HTTP through libcurl: one request, and the redirects that it leads to.
///
/// TLS certificates are always verified: against the system's authorities, or those in the file
/// that CURL_CA_BUNDLE or SSL_CERT_FILE names. Proxies are libcurl's: https_proxy, no_proxy and the
/// like.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "io/files/error.h"

namespace flowqat::io {

struct HttpRequest {
  std::string url = {};
  bool head = false;          ///< the headers alone
  int64_t first_byte = 0;     ///< above 0: only what is from there on
  std::string if_range = {};  ///< ... provided that the file still has this ETag or time
  /// Sent to the scheme, host and port of `url`, never to where a redirect leads beside them.
  std::string token = {};
  bool leaves_host = true;  ///< else a redirect to another host is the answer
  double silence_s = 60;    ///< see FetchOptions
};

struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers = {};  ///< names in lower case
  double retry_after_s = 0;                         ///< 0: the server did not say
  std::string body = {};  ///< of a status that is no success: how it begins

  /// Empty where there is none.
  std::string header(const std::string& name) const;
  bool ok() const { return status >= 200 && status < 300; }
};

struct HttpReceiver {
  /// A success has begun; its body follows. What it throws ends the request.
  std::function<void(const HttpResponse&)> begin = {};
  /// The same.
  std::function<void(std::span<const std::byte>)> body = {};
  std::function<bool()> stop = {};  ///< asked now and then; true ends the request with Stopped
};

/// A connection that was refused, broke or was not trusted.
class HttpFailure : public Error {
 public:
  HttpFailure(const std::string& text, bool may_pass) : Error(text), may_pass(may_pass) {}
  bool may_pass;  ///< whether it may go better the next time
};

/// Throws HttpFailure, Stopped, and what the receiver throws. Every status is an answer.
HttpResponse http_request(const HttpRequest& request, const HttpReceiver& receiver);

/// Without what is not for everybody's eyes: user, password, and query, which may be a signature.
std::string shown_url(const std::string& url);

}  // namespace flowqat::io
