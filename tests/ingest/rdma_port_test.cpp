// SPDX-License-Identifier: Apache-2.0
// The tools around InfiniBand and RoCE: the same facts of a port, however they are written.
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer ibdev2netdev();
Importer ibstat();
Importer ibstatus();
Importer ibswinfo();
Importer ibv_devinfo();
Importer infiniband_sysfs();
Importer perfquery();
Importer rdma_link();

namespace testing {
namespace {

Evidence good(const Importer& importer, std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string ibstat_text =
    "user@host:~# ibstat\r\n"
    "CA 'mlx5_0'\r\n"
    "\tCA type: MT4129\r\n"
    "\tNumber of ports: 2\r\n"
    "\tFirmware version: 28.39.1002\r\n"
    "\tNode GUID: 0x0123456789ABCDEF\r\n"
    "\tPort 1:\r\n"
    "\t\tState: Active\r\n\t\tPhysical state: LinkUp\r\n\t\tRate: 400\r\n\t\tBase lid: 56\r\n"
    "\t\tLink layer: InfiniBand\r\n"
    "\tPort 2:\r\n"
    "\t\tState: Initializing\r\n\t\tPhysical state: Polling\r\n\t\tRate: 2.5\r\n"
    "\t\tBase lid: 65535\r\n\t\tLink layer: Ethernet\r\n";

TEST(RdmaPort, IbstatTellsEachPort) {
  const auto evidence = good(ibstat(), ibstat_text);
  EXPECT_EQ(number(evidence, "nic.rate", "nic:mlx5_0"), 50e9);
  EXPECT_EQ(number(evidence, "nic.rate", "nic:mlx5_0/2"), 2.5e9 / 8);
  EXPECT_EQ(text(evidence, "nic.state", "nic:mlx5_0"), "Active");
  EXPECT_EQ(text(evidence, "nic.state", "nic:mlx5_0/2"), "Init");
  EXPECT_EQ(text(evidence, "nic.physical_state", "nic:mlx5_0/2"), "Polling");
  EXPECT_EQ(text(evidence, "nic.link_layer", "nic:mlx5_0/2"), "Ethernet");
  EXPECT_EQ(text(evidence, "nic.model", "nic:mlx5_0"), "MT4129");
  EXPECT_EQ(text(evidence, "nic.firmware", "nic:mlx5_0"), "28.39.1002");
  EXPECT_EQ(text(evidence, "nic.guid", "nic:mlx5_0"), "0x0123456789abcdef");
  EXPECT_EQ(number(evidence, "nic.lid", "nic:mlx5_0"), 56);
  EXPECT_EQ(absence(evidence, "nic.lid", "nic:mlx5_0/2"), Absence::not_supported);
  EXPECT_EQ(only(evidence, "nic.rate", "nic:mlx5_0")->line, 10U);
}

TEST(RdmaPort, IbstatRefusesWhatMayMislead) {
  const auto with = [](std::string_view old, std::string_view fresh) {
    std::string text = ibstat_text;
    return text.replace(text.find(old), old.size(), fresh);
  };
  expect_error(ibstat(), ibstat_text.substr(0, ibstat_text.find("Rate: 400") + 7), 10, "cut off");
  expect_error(ibstat(), with("Rate: 400", "Rate: 2,5"), 10, "Rate cannot be");
  expect_error(ibstat(), with("Rate: 400", "Rate: -4"), 10, "Rate cannot be");
  expect_error(ibstat(), with("Rate: 400", "Rate: 1e300"), 10, "Rate cannot be");
  expect_error(ibstat(), with("Active", "Acti"), 8, "State cannot be");
  expect_error(ibstat(), with("Base lid: 56", "Base lid: 99999999999999999999"), 11, "lid");
  expect_error(ibstat(), with("'mlx5_0'", "'a/../b'"), 2, "no device name");
  expect_error(ibstat(), with("Port 1:", "Port 0x:"), 7, "no port");
  expect_error(ibstat(), "CA 'a'\n", 1, "no port");
}

TEST(RdmaPort, IbstatusTellsRateAndStateWithNumbers) {
  const std::string text =
      "Infiniband device 'mlx5_0' port 1 status:\n\tdefault gid:\t fe80::1\n\tbase lid:\t 0xf\n"
      "\tsm lid:\t\t 0x1\n\tstate:\t\t 4: ACTIVE\n\tphys state:\t 5: LinkUp\n"
      "\trate:\t\t 200 Gb/sec (4X HDR)\n\tlink_layer:\t InfiniBand\n\n"
      "Infiniband device 'mlx5_0' port 2 status:\n\tstate:\t\t 1: DOWN\n"
      "\tphys state:\t 3: Disabled\n\trate:\t\t 100 Gb/sec (4X EDR)\n\tlink_layer:\t Ethernet\n";
  const auto evidence = good(ibstatus(), text);
  EXPECT_EQ(number(evidence, "nic.rate", "nic:mlx5_0"), 25e9);
  EXPECT_EQ(number(evidence, "nic.lid", "nic:mlx5_0"), 15);
  EXPECT_EQ(testing::text(evidence, "nic.state", "nic:mlx5_0/2"), "Down");
  EXPECT_EQ(testing::text(evidence, "nic.physical_state", "nic:mlx5_0/2"), "Disabled");
  expect_error(ibstatus(), text.substr(0, text.find("Infini", 9) + 60), 11, "cut off");
  expect_error(ibstatus(), std::string_view(text).substr(0, text.find("link_layer") - 3), 7,
               "cut off");
  const std::string_view none = "Fatal error:  device '*': sys files not found (/sys/class)\n";
  EXPECT_TRUE(ibstatus().recognises(none));
  expect_error(ibstatus(), none, 1, "no RDMA device");
}

TEST(RdmaPort, IbvDevinfoKnowsTheRateOnlyWhenVerbose) {
  const std::string device =
      "hca_id:\tmlx5_3\n\ttransport:\t\t\tInfiniBand (0)\n\tfw_ver:\t28.41.1000\n"
      "\tnode_guid:\t9c63:c003:00d4:20f0\n\tvendor_id:\t0x02c9\n\tvendor_part_id:\t4129\n"
      "\tphys_port_cnt:\t1\n\t\tport:\t1\n\t\t\tstate:\tPORT_ACTIVE (4)\n"
      "\t\t\tmax_mtu:\t4096 (5)\n\t\t\tactive_mtu:\t1024 (3)\n\t\t\tport_lid:\t0\n"
      "\t\t\tlink_layer:\tEthernet\n";
  const auto plain = good(ibv_devinfo(), device);
  EXPECT_EQ(text(plain, "nic.state", "nic:mlx5_3"), "Active");
  EXPECT_EQ(number(plain, "nic.mtu", "nic:mlx5_3"), 1024);
  EXPECT_EQ(text(plain, "nic.model", "nic:mlx5_3"), "MT4129");
  EXPECT_EQ(text(plain, "nic.guid", "nic:mlx5_3"), "0x9c63c00300d420f0");
  EXPECT_EQ(only(plain, "nic.rate", "nic:mlx5_3"), nullptr);
  const auto verbose = good(
      ibv_devinfo(), device + "\t\t\tactive_width:\t4X (2)\n\t\t\tactive_speed:\t50.0 Gbps (64)\n");
  EXPECT_EQ(number(verbose, "nic.rate", "nic:mlx5_3"), 25e9);
  expect_error(ibv_devinfo(),
               device + "\t\t\tactive_width:\t4X (2)\n\t\t\tactive_speed:\t50,0 Gbps (64)\n", 15,
               "active_speed");
  EXPECT_TRUE(ibv_devinfo().recognises("No IB devices found\n"));
  expect_error(ibv_devinfo(), "No IB devices found\n", 1, "no RDMA device");
}

TEST(RdmaPort, RdmaLinkInBothItsForms) {
  const auto evidence = good(rdma_link(),
                             "$ rdma link\n"
                             "link roceP2p1s0f0/1 state ACTIVE physical_state LINK_UP netdev en0 \n"
                             "0/2: mlx5_0/2: lid 7 sm_lid 1 state DOWN physical_state DISABLED\n");
  EXPECT_EQ(text(evidence, "nic.state", "nic:roceP2p1s0f0"), "Active");
  EXPECT_EQ(text(evidence, "nic.netdev", "nic:roceP2p1s0f0"), "en0");
  EXPECT_EQ(text(evidence, "nic.physical_state", "nic:mlx5_0/2"), "Disabled");
  EXPECT_EQ(number(evidence, "nic.lid", "nic:mlx5_0/2"), 7);
  expect_error(rdma_link(), "link mlx5_0/1 state ACTIVE physical_st x\n", 1, "cut off");
  expect_error(rdma_link(), "link mlx5_0/1\n", 1, "lacks its state");
}

TEST(RdmaPort, NetdevsKeepTheirStateToThemselves) {
  const auto evidence =
      good(ibdev2netdev(),
           "mlx5_0 port 1 ==> ib0 (Down)\n"
           "0000:0C:00.0 mlx5_1 (MT4129 - MCX7) ConnectX-7 fw 28.1 port 1 (ACTIVE) ==> ib1 (Up)\n");
  EXPECT_EQ(text(evidence, "nic.netdev", "nic:mlx5_0"), "ib0");
  EXPECT_EQ(only(evidence, "nic.state", "nic:mlx5_0"), nullptr);
  EXPECT_EQ(text(evidence, "nic.state", "nic:mlx5_1"), "Active");
  EXPECT_EQ(text(evidence, "nic.pci.address", "nic:mlx5_1"), "0000:0c:00.0");
  expect_error(ibdev2netdev(), "mlx5_0 port 1 ==> ib0 (Up)\nmlx5_1 port 1 ==> ib\n", 2, "cut off");
}

TEST(RdmaPort, SysfsWithAndWithoutItsRoot) {
  const auto evidence = good(infiniband_sysfs(),
                             "mlx5_0/fw_ver: 28.41.1000\n"
                             "mlx5_0/hca_type: MT4129\n"
                             "mlx5_0/ports/1/counters/link_downed: 255\n"
                             "mlx5_0/ports/1/counters/port_rcv_errors: 14\n"
                             "mlx5_0/ports/1/phys_state: 5: LinkUp\n"
                             "mlx5_0/ports/1/rate: 400 Gb/sec (4X NDR)\n"
                             "/sys/class/infiniband/mlx5_1/ports/1/state:1: DOWN\n");
  EXPECT_EQ(number(evidence, "nic.rate", "nic:mlx5_0"), 50e9);
  EXPECT_EQ(number(evidence, "nic.port.receive_errors", "nic:mlx5_0"), 14);
  EXPECT_EQ(number(evidence, "nic.port.link_downed", "nic:mlx5_0"), 255);
  EXPECT_NE(only(evidence, "nic.port.link_downed", "nic:mlx5_0")->detail.find("at least"),
            std::string::npos);
  EXPECT_EQ(text(evidence, "nic.state", "nic:mlx5_1"), "Down");
  EXPECT_EQ(all_of(evidence, "nic.rdma").size(), 2U);
  expect_error(infiniband_sysfs(), "mlx5_0/ports/1/counters/link_downed: -1\n", 1, "cannot be");
  EXPECT_FALSE(infiniband_sysfs().recognises("class/net/eth0: up\nhttp://a/b: c\n"));
}

TEST(RdmaPort, PerfqueryNamesPortsByTheirLid) {
  const std::string port =
      "# Port extended counters: Lid 133 port 2 (CapMask: 0x5A00 CapMask2: 0x0000000)\n"
      "PortSelect:......................2\n"
      "LinkDownedCounter:...............3\n"
      "PortRcvErrors:...................0\n";
  const auto evidence = good(perfquery(), port + "PortXmitWait:....................22730501\n");
  EXPECT_EQ(number(evidence, "nic.port.link_downed", "nic:lid#133/2"), 3);
  EXPECT_EQ(number(evidence, "nic.port.transmit_wait", "nic:lid#133/2"), 22730501);
  EXPECT_TRUE(all_of(evidence, "nic.rdma").empty());  // an alias is no adapter
  expect_error(perfquery(), port, 4, "cut off");
  expect_error(perfquery(), "# PortRcvErrorDetails counters: Lid 2 port 1\nPortSelect:.....1\n", 1,
               "perfquery -x");
  expect_error(perfquery(), "PortSelect:.......1\n", 1, "whose counters");
}

TEST(RdmaPort, ASwitchIsNoServer) {
  const std::string_view inventory =
      "====\nQuantum Mellanox Technologies\n====\npart number        | A\n"
      "uptime (d-h:m:s)   | 1d-10:38:53\n";
  EXPECT_TRUE(ibswinfo().recognises(inventory));
  expect_error(ibswinfo(), inventory, 2, "not of a server");
}

TEST(RdmaPort, NoToolTakesAnothersOutput) {
  const std::string_view texts[] = {
      "",         "CA 'a'\nnothing\n", "link a state\n", "port 1 ==> x\n",
      "a/b: c\n", "# Lid 5 port 1\n",  "hca_id: x\n",    "Infiniband device\n",
  };
  for (const auto& importer : {ibdev2netdev(), ibstat(), ibstatus(), ibswinfo(), ibv_devinfo(),
                               infiniband_sysfs(), perfquery(), rdma_link()})
    for (const auto other : texts) EXPECT_FALSE(importer.recognises(other)) << other;
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
