// SPDX-License-Identifier: Apache-2.0
#include "collect/redfish.hpp"

#include <gtest/gtest.h>

#include <string>

namespace gpuvet::collect {
namespace {

TEST(Redfish, GoesOnlyWhereTheServiceIs) {
  EXPECT_TRUE(is_redfish_path("/redfish/v1/Systems/1"));
  EXPECT_TRUE(is_redfish_path("/redfish/v1/Chassis/System.Embedded.1/Thermal"));
  EXPECT_TRUE(is_redfish_path("/redfish/v1/Systems/1/LogServices/SEL/Entries?$skip=50"));
  for (const char* path :
       {"http://elsewhere/redfish/v1/Systems/1", "//elsewhere/redfish/v1/Systems", "/etc/passwd",
        "/redfish/v1/Systems/../../../admin", "/redfish/v1/Systems/./1", "/redfish/v1//Systems",
        "/redfish/v1/Systems/%2e%2e/x", "/redfish/v1/Systems/1 HTTP/1.1", "/redfish/v1/Systems/@x",
        "/redfish/v1/Systems/1\r\nX: y", "/redfish/v1/AccountService/Accounts",
        "/redfish/v1/Managers/1/Accounts/2", "/redfish/v1/SessionService/Sessions",
        "/redfish/v1/Managers/1/VirtualMedia/CD", "/redfish/v1/", ""})
    EXPECT_FALSE(is_redfish_path(path)) << path;
  EXPECT_FALSE(is_redfish_path("/redfish/v1/Systems/" + std::string(300, 'a')));
}

TEST(Redfish, RefusesWhatIsNestedTooDeep) {
  EXPECT_TRUE(is_shallow_json(R"({"a": [{"b": "]]]]{{{{"}], "c": "\"[[["})"));
  EXPECT_TRUE(is_shallow_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_FALSE(is_shallow_json(std::string(65, '[')));
  EXPECT_TRUE(is_shallow_json('"' + std::string(100, '[') + '"')) << "brackets of a text";
}

}  // namespace
}  // namespace gpuvet::collect
