/// The network's side of a download: requests, one after another, until all bytes are there.
#pragma once
#include <atomic>
#include <string>

#include "io/fetch/download.h"
#include "io/fetch/http_client.h"

namespace flowqat::io {

class Transfer {
 public:
  /// `given_up` ends it with Stopped.
  Transfer(const RemoteFile& file, PartialFile& partial, FetchMonitor& monitor,
           const std::atomic<bool>& given_up)
      : file_(file), partial_(partial), monitor_(monitor), given_up_(given_up) {}

  /// Appends to the partial file until it has all bytes. Throws Error, Stopped.
  void run();
  /// Whether a request went on with what an earlier one had left.
  bool resumed() const { return resumed_; }

 private:
  /// Why it did not come to the end, and how long the server wants to be left alone (0: it did not
  /// say).
  struct Trouble {
    std::string what;
    double retry_after_s = 0;
  };
  Trouble attempt();
  void begin(const HttpResponse& response, int64_t had);
  void start_over(const std::string& why);
  void wait(double duration_s) const;

  const RemoteFile& file_;
  PartialFile& partial_;
  FetchMonitor& monitor_;
  const std::atomic<bool>& given_up_;
  bool resumed_ = false;
};

/// Repeats `attempt` while it throws a HttpFailure that may pass or a status says the same.
HttpResponse request_with_retries(const HttpRequest& request, FetchMonitor& monitor,
                                  std::string* body);

}  // namespace flowqat::io
