// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

double number(const Evidence& evidence, std::string_view id, std::string_view subject = "node") {
  const auto* o = find(evidence, id, subject);
  return o == nullptr || o->number() == nullptr ? -1 : *o->number();
}

std::string gpu(int n) { return "gpu:0000:0" + std::to_string(n + 1) + ":00.0"; }

/// `n` GPUs, and what else `more` says.
Evidence server(int n, const std::function<void(Recorder&)>& more) {
  return derived(from("facts", [&](Recorder& out) {
    for (int i = 0; i < n; ++i) out.number("gpu.index"_id, gpu(i), i);
    more(out);
  }));
}

TEST(HostTest, CoresAndMemoryForEachGpu) {
  const auto e = server(4, [](Recorder& out) {
    out.number("node.cpu.cores"_id, "node", 96);
    out.number("node.gpu.memory"_id, "node", 320e9);
    out.number("node.memory.total"_id, "node", 640e9);
    out.number("node.memory.installed"_id, "node", 960e9);
  });
  EXPECT_EQ(number(e, "node.cpu.cores_per_gpu"), 24);
  EXPECT_EQ(number(e, "node.memory.over_gpu"),
            2);  // what the system has, and not what is plugged in
}

TEST(HostTest, InstalledMemoryWhereTheSystemsIsUnknown) {
  const auto e = server(4, [](Recorder& out) {
    out.number("node.gpu.memory"_id, "node", 320e9);
    out.number("node.memory.installed"_id, "node", 960e9);
  });
  EXPECT_EQ(number(e, "node.memory.over_gpu"), 3);
  EXPECT_EQ(find(e, "node.cpu.cores_per_gpu"), nullptr);
}

TEST(HostTest, NothingIsDividedByZero) {
  const auto e = server(0, [](Recorder& out) {
    out.number("node.cpu.cores"_id, "node", 96);
    out.number("node.gpu.memory"_id, "node", 0);
    out.number("node.memory.total"_id, "node", 640e9);
  });
  EXPECT_EQ(find(e, "node.cpu.cores_per_gpu"), nullptr);
  EXPECT_EQ(find(e, "node.memory.over_gpu"), nullptr);
}

TEST(HostTest, WaysToTheProcessor) {
  const auto e = server(4, [](Recorder& out) {
    for (int i = 0; i < 4; ++i) {
      out.text("gpu.pci.root"_id, gpu(i), i < 2 ? "0000:00" : "0000:80");
      out.text("gpu.pci.upstream"_id, gpu(i), i < 3 ? "0000:00:01.1" : "0000:80:01.1");
    }
  });
  EXPECT_EQ(number(e, "topology.root_complexes"), 2);
  EXPECT_EQ(number(e, "topology.gpus_per_uplink"), 3);
  EXPECT_EQ(shown(e, "topology.uplinks"), "3, 1");
}

TEST(HostTest, GpuWithoutASwitchSharesItsWayWithNobody) {
  const auto e = server(3, [](Recorder& out) {
    out.text("gpu.pci.upstream"_id, gpu(0), "0000:00:01.1");
    out.text("gpu.pci.upstream"_id, gpu(1), "0000:00:01.1");
    out.number("gpu.pci.switches"_id, gpu(2), 0);
  });
  EXPECT_EQ(shown(e, "topology.uplinks"), "2, 1");
  // Unknown for one GPU, and so for the server.
  const auto unknown = server(3, [](Recorder& out) {
    for (int i = 0; i < 2; ++i) {
      out.text("gpu.pci.upstream"_id, gpu(i), "0000:00:01.1");
      out.text("gpu.pci.root"_id, gpu(i), "0000:00");
    }
    out.number("gpu.pci.switches"_id, gpu(2), 2);
  });
  EXPECT_EQ(find(unknown, "topology.gpus_per_uplink"), nullptr);
  EXPECT_EQ(find(unknown, "topology.uplinks"), nullptr);
  EXPECT_EQ(find(unknown, "topology.root_complexes"), nullptr);
}

TEST(HostTest, AdaptersBehindTheOtherSocket) {
  const auto e = server(2, [](Recorder& out) {
    out.text("gpu.nic.path"_id, gpu(0), "pxb");
    out.text("gpu.nic.path"_id, gpu(1), "sys");
  });
  EXPECT_EQ(shown(e, "topology.nic.remote"), gpu(1));
  EXPECT_EQ(find(server(2, [](Recorder&) {}), "topology.nic.remote"), nullptr);
}

TEST(HostTest, SettingsThatCrippleNcclAreNamedOnce) {
  const auto e = server(1, [](Recorder& out) {
    out.texts("nccl.environment"_id, "node",
              {"NCCL_P2P_DISABLE=1", "NCCL_ALGO=Ring", "NCCL_DEBUG=INFO", "NCCL_IB_DISABLE=0"});
    out.texts("nccl.environment"_id, "node", {"NCCL_P2P_DISABLE=1"});
  });
  EXPECT_EQ(shown(e, "nccl.environment.crippling"), "NCCL_P2P_DISABLE=1, NCCL_ALGO=Ring");
  EXPECT_EQ(shown(server(1,
                         [](Recorder& out) {
                           out.texts("nccl.environment"_id, "node", {"NCCL_DEBUG=INFO"});
                         }),
                  "nccl.environment.crippling"),
            "none");
  EXPECT_EQ(find(server(1, [](Recorder&) {}), "nccl.environment.crippling"), nullptr);
}

TEST(HostTest, FabricManagerIsOfTheDriversVersion) {
  const auto versions = [](const std::string& manager) {
    return server(1, [&](Recorder& out) {
      out.text("node.fabric_manager.version"_id, "node", manager);
      out.text("node.driver.version"_id, "node", "570.124.06");
    });
  };
  EXPECT_EQ(*find(versions("570.124.06"), "node.fabric_manager.matches")->flag(), true);
  EXPECT_EQ(*find(versions("570.124.6"), "node.fabric_manager.matches")->flag(), true);
  EXPECT_EQ(*find(versions("570.86.10"), "node.fabric_manager.matches")->flag(), false);
  EXPECT_EQ(find(server(1,
                        [](Recorder& out) {
                          out.text("node.fabric_manager.version"_id, "node", "570.124.06");
                        }),
                 "node.fabric_manager.matches"),
            nullptr);
}

TEST(HostTest, DistanceToTheBestGpuUnderLikeConditions) {
  const auto e = server(3, [](Recorder& out) {
    const Where large{{"size", 8192.0}}, small{{"size", 1024.0}};
    out.number("compute.bf16"_id, gpu(0), 200e12, large);
    out.number("compute.bf16"_id, gpu(1), 150e12, large);
    out.number("compute.tf32"_id, gpu(0), 90e12, large);
    out.number("compute.tf32"_id, gpu(1), 100e12, large);
    out.number("compute.bf16"_id, gpu(2), 20e12, small);  // nothing to compare it with
  });
  EXPECT_NEAR(number(e, "compute.below_best", gpu(0)), 0.1, 1e-9);
  EXPECT_NEAR(number(e, "compute.below_best", gpu(1)), 0.25, 1e-9);
  EXPECT_EQ(find(e, "compute.below_best", gpu(2)), nullptr);
}

/// As gpuvet probe compute records them: alone and all at once, by either engine.
TEST(HostTest, DistanceToTheBestGpuFromTheProbesFigures) {
  const auto e = server(3, [](Recorder& out) {
    const Where library{{"size", 8192.0}, {"backend", "cublas"}},
        own{{"size", 8192.0}, {"backend", "own"}};
    auto together = library;
    together["gpus"] = 3.0;
    for (int i = 0; i < 3; ++i) {
      out.number("compute.bf16"_id, gpu(i), i == 1 ? 248e12 : 250e12, library);
      out.number("compute.bf16"_id, gpu(i), 150e12, own);  // never against the library's
      out.number("compute.bf16"_id, gpu(i), i == 2 ? 180e12 : 240e12, together);
      out.absent("compute.fp8"_id, gpu(i), Absence::not_supported, "", {{"backend", "own"}});
    }
  });
  EXPECT_EQ(number(e, "compute.below_best", gpu(0)), 0);
  EXPECT_NEAR(number(e, "compute.below_best", gpu(1)), 0.008, 1e-9);
  EXPECT_NEAR(number(e, "compute.below_best", gpu(2)), 0.25, 1e-9);  // when all are at work
}

TEST(HostTest, ScalingIsOverTheSmallestRun) {
  const auto e = server(1, [](Recorder& out) {
    out.number("workload.throughput"_id, "workload:resnet", 800, {{"gpus", 2.0}});
    out.number("workload.throughput"_id, "workload:resnet", 2400, {{"gpus", 8.0}});
    out.number("workload.throughput"_id, "workload:bert", 100, {{"gpus", 8.0}});
  });
  EXPECT_EQ(number(e, "workload.scaling", "workload:resnet"), 0.75);
  EXPECT_EQ(find(e, "workload.scaling", "workload:bert"), nullptr);
}

}  // namespace
}  // namespace gpuvet::derive::testing
