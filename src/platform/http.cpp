// SPDX-License-Identifier: Apache-2.0
#define CURL_DISABLE_TYPECHECK 1  // its macros would name functions that are not linked
#include "platform/http.hpp"

#include <curl/curl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "platform/library.hpp"

// Its header makes macros of these names; here they are fields.
#undef curl_easy_setopt
#undef curl_easy_getinfo

namespace gpuvet::platform {

struct Http::Curl {
  Library library;
  HttpSettings settings;
  CURL* handle = nullptr;
  decltype(&::curl_easy_init) init;
  decltype(&::curl_easy_cleanup) cleanup;
  decltype(&::curl_easy_reset) reset;
  decltype(&::curl_easy_setopt) set;
  decltype(&::curl_easy_perform) perform;
  decltype(&::curl_easy_getinfo) info;
  decltype(&::curl_easy_strerror) words;
  decltype(&::curl_slist_append) append;
  decltype(&::curl_slist_free_all) free_all;

  Curl(Library opened, HttpSettings asked)
      : library{std::move(opened)},
        settings{std::move(asked)},
        init{find<decltype(::curl_easy_init)>("curl_easy_init")},
        cleanup{find<decltype(::curl_easy_cleanup)>("curl_easy_cleanup")},
        reset{find<decltype(::curl_easy_reset)>("curl_easy_reset")},
        set{find<decltype(::curl_easy_setopt)>("curl_easy_setopt")},
        perform{find<decltype(::curl_easy_perform)>("curl_easy_perform")},
        info{find<decltype(::curl_easy_getinfo)>("curl_easy_getinfo")},
        words{find<decltype(::curl_easy_strerror)>("curl_easy_strerror")},
        append{find<decltype(::curl_slist_append)>("curl_slist_append")},
        free_all{find<decltype(::curl_slist_free_all)>("curl_slist_free_all")} {}

  [[nodiscard]] bool whole() const {
    return init != nullptr && cleanup != nullptr && reset != nullptr && set != nullptr &&
           perform != nullptr && info != nullptr && words != nullptr && append != nullptr &&
           free_all != nullptr;
  }

 private:
  template <class Function>
  Function* find(const char* name) const {
    return library.symbol<Function>(name);
  }
};

namespace {

constexpr std::size_t most_headers = 100;
/// CURLOPT_PROTOCOLS: deprecated in today's header, the only one that older libraries know.
constexpr auto protocols_before_7_85 = static_cast<CURLoption>(CURLOPTTYPE_LONG + 181);

struct Receiving {
  HttpAnswer answer;
  std::size_t most = 0;
  bool too_large = false;
};

std::size_t take_body(char* bytes, std::size_t, std::size_t count, void* to) {
  auto& receiving = *static_cast<Receiving*>(to);
  if (receiving.answer.body.size() + count > receiving.most) {
    receiving.too_large = true;
    return 0;  // ends the transfer
  }
  receiving.answer.body.append(bytes, count);
  return count;
}

std::size_t take_header(char* bytes, std::size_t, std::size_t count, void* to) {
  auto& receiving = *static_cast<Receiving*>(to);
  const std::string_view line(bytes, count);
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && receiving.answer.headers.size() < most_headers)
    receiving.answer.headers[lower(trim(line.substr(0, colon)))] =
        std::string(trim(line.substr(colon + 1)));
  return count;
}

Errc code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return Errc::timeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return Errc::permission;
    default:
      return Errc::not_found;
  }
}

long milliseconds(double seconds) { return std::lround(seconds * 1e3); }

}  // namespace

Http::Http(std::unique_ptr<Curl> curl) : curl_{std::move(curl)} {}
Http::Http(Http&&) noexcept = default;
Http::~Http() {
  if (curl_ != nullptr && curl_->handle != nullptr) curl_->cleanup(curl_->handle);
}

Result<Http> Http::open(HttpSettings settings) {
  auto library = Library::open({"libcurl.so.4", "libcurl-gnutls.so.4"});
  if (!library)
    return fail(Errc::not_found,
                "libcurl is not installed (package libcurl4): " + library.error().what);
  auto curl = std::make_unique<Curl>(std::move(*library), std::move(settings));
  if (!curl->whole())
    return fail(Errc::not_supported, "libcurl lacks functions that are asked of it");
  curl->handle = curl->init();
  if (curl->handle == nullptr) return fail(Errc::vendor_failure, "libcurl did not start");
  return Http(std::move(curl));
}

Result<HttpAnswer> Http::ask(const HttpRequest& request) const {
  const auto& c = *curl_;
  Receiving receiving;
  receiving.most = c.settings.most;
  c.reset(c.handle);  // keeps the connection
  const auto set = [&](CURLoption option, auto value) { c.set(c.handle, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https,http");
  set(protocols_before_7_85, static_cast<long>(CURLPROTO_HTTPS | CURLPROTO_HTTP));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(c.settings.connecting));
  set(CURLOPT_TIMEOUT_MS, milliseconds(c.settings.limit));
  set(CURLOPT_SSL_VERIFYPEER, c.settings.insecure ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, c.settings.insecure ? 0L : 2L);
  if (!c.settings.ca.empty()) {
    set(CURLOPT_CAINFO, c.settings.ca.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!request.user.empty()) {
    set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    set(CURLOPT_USERNAME, request.user.c_str());
    set(CURLOPT_PASSWORD, request.password.c_str());
  }
  if (!request.body.empty()) {
    set(CURLOPT_POSTFIELDS, request.body.c_str());
    set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
  }
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_slist* headers = nullptr;
  for (const auto& header : request.headers) headers = c.append(headers, header.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, &receiving);
  set(CURLOPT_HEADERFUNCTION, take_header);
  set(CURLOPT_HEADERDATA, &receiving);
  const auto code = c.perform(c.handle);
  c.free_all(headers);
  if (receiving.too_large)
    return fail(Errc::too_large, request.url + ": the answer is larger than " +
                                     std::to_string(c.settings.most) + " bytes");
  if (code != CURLE_OK) return fail(code_of(code), request.url + ": " + std::string(c.words(code)));
  long status = 0;
  c.info(c.handle, CURLINFO_RESPONSE_CODE, &status);
  receiving.answer.status = static_cast<int>(status);
  return std::move(receiving.answer);
}

void keep_memory_private() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // Where the kernel hands dumps to a program (systemd-coredump), it asks for no limit.
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace gpuvet::platform
