// SPDX-License-Identifier: Apache-2.0
// HTTP and HTTPS, through libcurl where it is installed: opened at run time, so that the program
// starts without it. Certificates are verified unless the caller says otherwise, redirects are not
// followed, proxies and ~/.netrc are not asked: what a management controller gets to see must be
// what the caller meant for it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

struct HttpSettings {
  std::string ca;                           ///< file of certificates to trust; empty: the system's
  bool insecure = false;                    ///< any certificate will do
  double connecting = 5;                    ///< seconds
  double limit = 20;                        ///< seconds for one answer
  std::size_t most = std::size_t{4} << 20;  ///< bytes of one answer
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::string> headers;  ///< "X-Auth-Token: …"
  std::string body;
  std::string user, password;  ///< basic authentication; no user: none
};

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::map<std::string, std::string, std::less<>> headers;  ///< names in lower case
};

/// One connection, kept between requests.
class Http {
 public:
  static Result<Http> open(HttpSettings settings);
  Http(Http&&) noexcept;
  Http& operator=(Http&&) = delete;
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;
  ~Http();

  /// Any status is an answer; an error is none. Errors never hold headers, user or password.
  Result<HttpAnswer> ask(const HttpRequest& request) const;

 private:
  struct Curl;
  explicit Http(std::unique_ptr<Curl> curl);
  std::unique_ptr<Curl> curl_;
};

/// From here on a crash of this process leaves no image of its memory, which holds a password.
void keep_memory_private();

}  // namespace gpuvet::platform
