// SPDX-License-Identifier: Apache-2.0
// The management controller over Redfish: all resources that tell about the server, kept as they
// came and read by the importer for them. The controller is not trusted: it says which resource
// comes next, and only paths inside its service are asked for, so many and so large at most.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <set>

#include "collect/collector.hpp"
#include "collect/redfish.hpp"
#include "core/text.hpp"
#include "evidence/json.hpp"
#include "platform/http.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::collect {

bool is_redfish_path(std::string_view path) {
  constexpr std::size_t longest = 256;
  constexpr std::array<std::string_view, 4> roots = {"Systems", "Chassis", "Managers",
                                                     "UpdateService"};
  constexpr std::array<std::string_view, 10> aside = {
      "Accounts",   "Roles",       "Sessions", "VirtualMedia", "Certificates",
      "SecureBoot", "BootOptions", "Actions",  "Jobs",         "HostInterfaces"};
  if (path.size() > longest || !path.starts_with("/redfish/v1/")) return false;
  for (const char c : path) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && std::string_view("/-_.~:$?=()+,").find(c) == std::string_view::npos)
      return false;  // no blanks, quotes, percent signs: nothing that could mean something else
  }
  const auto parts = split(path.substr(0, path.find('?')).substr(1), '/');
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (parts[i] == "." || parts[i] == ".." || (parts[i].empty() && i + 1 < parts.size()))
      return false;
  if (std::find(roots.begin(), roots.end(), parts[2]) == roots.end()) return false;
  return std::none_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return std::find(aside.begin(), aside.end(), part) != aside.end();
  });
}

bool is_shallow_json(std::string_view text) {
  constexpr int deepest = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else
        quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

namespace {

constexpr std::size_t most_resources = 2000, most_bytes = std::size_t{64} << 20;
constexpr double whole_limit = 180;  // seconds for all of it: controllers are slow

/// "https://bmc", from what the user wrote: a name or an address, or a URL of it.
Result<std::string> service_of(const Machine& machine) {
  std::string_view host = machine.bmc;
  std::string scheme = "https";
  if (host.starts_with("https://")) host.remove_prefix(8);
  if (host.starts_with("http://")) {
    if (!machine.bmc_insecure)
      return fail(Errc::usage, "--bmc: without encryption only with --insecure");
    host.remove_prefix(7);
    scheme = "http";
  }
  while (host.ends_with('/')) host.remove_suffix(1);
  const bool sound =
      !host.empty() && host.size() < 256 && std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("-._:[]").find(c) != std::string_view::npos;
      });
  if (!sound) return fail(Errc::usage, "--bmc: write a host name or address, and a port");
  return scheme + "://" + std::string(host);
}

class Client {
 public:
  Client(const Machine& machine, platform::Http http, std::string service)
      : machine_{machine}, http_{std::move(http)}, service_{std::move(service)} {}

  /// A session where the controller offers them, else the password with each request.
  Result<void> sign_in() {
    if (machine_.bmc_user.empty()) return {};
    platform::HttpRequest request;
    request.method = "POST";
    request.url = service_ + "/redfish/v1/SessionService/Sessions";
    request.headers = {"Content-Type: application/json", "Accept: application/json"};
    request.body = Json{{"UserName", machine_.bmc_user}, {"Password", machine_.bmc_password}}.dump(
        -1, ' ', false, Json::error_handler_t::replace);
    GPUVET_TRY(const auto answer, http_.ask(request));
    if (answer.status == 401 || answer.status == 403)
      return fail(Errc::permission, service_ + " refuses this user and password");
    const auto token = answer.headers.find("x-auth-token");
    if (answer.status / 100 != 2 || token == answer.headers.end()) {
      basic_ = true;
      return {};
    }
    token_ = token->second;
    if (const auto at = answer.headers.find("location"); at != answer.headers.end()) {
      std::string_view path = at->second;
      if (path.starts_with(service_)) path.remove_prefix(service_.size());
      if (path.starts_with("/redfish/v1/SessionService/Sessions/") && path.size() < 256)
        session_ = path;
    }
    return {};
  }

  void sign_out() {
    if (session_.empty()) return;
    platform::HttpRequest request = prepared(session_);
    request.method = "DELETE";
    static_cast<void>(http_.ask(request));  // it would end by itself later
  }

  Result<std::string> get(const std::string& path) {
    GPUVET_TRY(auto answer, http_.ask(prepared(path)));
    if (answer.status == 200) return std::move(answer.body);
    const bool denied = answer.status == 401 || answer.status == 403;
    return fail(denied ? Errc::permission : Errc::vendor_failure,
                fmt::format("{}{}: status {}", service_, path, answer.status));
  }

 private:
  [[nodiscard]] platform::HttpRequest prepared(const std::string& path) const {
    platform::HttpRequest out;
    out.url = service_ + path;
    out.headers = {"Accept: application/json", "OData-Version: 4.0"};
    if (!token_.empty()) out.headers.push_back("X-Auth-Token: " + token_);
    if (basic_) {
      out.user = machine_.bmc_user;
      out.password = machine_.bmc_password;
    }
    return out;
  }

  const Machine& machine_;
  platform::Http http_;
  std::string service_, token_, session_;
  bool basic_ = false;
};

/// Paths that `body` leads to, in the order in which they stand there.
void links_in(const Json& body, std::vector<std::string>& out) {
  if (body.is_array()) {
    for (const auto& item : body) links_in(item, out);
  } else if (body.is_object()) {
    for (const auto& [key, value] : body.items()) {
      const bool link = key == "@odata.id" || key.ends_with("@odata.nextLink");
      if (link && value.is_string()) {
        const auto path = value.get<std::string>();
        out.push_back(path.substr(0, path.find('#')));  // a part of a resource
      } else if (key != "Links" && key != "Actions") {
        links_in(value, out);
      }
    }
  }
}

/// Walks the service from its root.
class Walk {
 public:
  explicit Walk(Client& client) : client_{client} {}

  Result<void> run() {
    GPUVET_TRY(const auto root, client_.get("/redfish/v1/"));
    if (!take("/redfish/v1", root))
      return fail(Errc::malformed, "what answers at /redfish/v1/ is no Redfish service");
    while (!waiting_.empty() && whole()) {
      const auto path = std::move(waiting_.front());
      waiting_.pop_front();
      if (const auto text = client_.get(path); !text || !take(path, *text)) ++failed_;
    }
    return {};
  }

  [[nodiscard]] std::string document() const { return dump(all_); }
  /// What is missing in it; empty when nothing is.
  [[nodiscard]] std::string remark() const {
    if (!waiting_.empty())
      return fmt::format("cut off after {} resources: {} more were due", all_.size(),
                         waiting_.size());
    return failed_ == 0 ? "" : fmt::format("{} resources could not be read", failed_);
  }

 private:
  [[nodiscard]] bool whole() const {
    return all_.size() < most_resources && bytes_ < most_bytes &&
           platform::monotonic_seconds() - began_ < whole_limit;
  }

  bool take(const std::string& path, const std::string& text) {
    bytes_ += text.size();
    if (!is_shallow_json(text)) return false;
    auto body = parse_json(text);
    if (!body || !body->is_object()) return false;
    std::vector<std::string> links;
    links_in(*body, links);
    for (auto& link : links) {
      while (link.ends_with('/')) link.pop_back();
      if (is_redfish_path(link) && seen_.size() < 2 * most_resources && seen_.insert(link).second)
        waiting_.push_back(std::move(link));
    }
    all_[path] = std::move(*body);
    return true;
  }

  Client& client_;
  Json all_ = Json::object();
  std::deque<std::string> waiting_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0, failed_ = 0;
  double began_ = platform::monotonic_seconds();
};

}  // namespace

Result<void> collect_redfish(const Machine& machine, Collected& out) {
  if (machine.bmc.empty()) return {};  // nobody named one
  GPUVET_TRY(auto service, service_of(machine));
  platform::HttpSettings settings;
  settings.ca = machine.bmc_ca;
  settings.insecure = machine.bmc_insecure;
  GPUVET_TRY(auto http, platform::Http::open(std::move(settings)));
  Client client(machine, std::move(http), std::move(service));
  GPUVET_CHECK(client.sign_in());
  Walk walk(client);
  const auto walked = walk.run();
  client.sign_out();
  if (!walked) return walked;
  out.sources.push_back({"redfish.json", "redfish", walk.document()});
  if (const auto remark = walk.remark(); !remark.empty()) return fail(Errc::vendor_failure, remark);
  return {};
}

}  // namespace gpuvet::collect
