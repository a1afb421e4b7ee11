// SPDX-License-Identifier: GPL-2.0-or-later
// Two engines that measure each other across a bad network. Leaves what a judge needs in a folder:
//
//   engine_captures FOLDER SEED [ipv4|ipv6|vxlan]
//
//   0.sent.pcap, 1.arrived.pcap     the way from host 0 to host 1, each by its own host's clock
//   1.sent.pcap, 0.arrived.pcap     the way back
//   records.json                    what the engines measured, in the end
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "core/base/random.h"
#include "tests/core/eppc/faulty_line.h"

namespace dyetrace::test {
namespace {

constexpr int kBursts = 3;
constexpr int kPacketsOfBurst = 1500;
constexpr Duration kPause = Duration::milliseconds(80);  ///< beyond path_idle: each burst is an interval

LineFaults faults() {
    LineFaults faults;
    faults.data_lost = 20'000;
    faults.control_lost = 50'000;
    faults.tracked_duplicated = 20'000;
    faults.data_delayed = 30'000;
    faults.ect_marked = 40'000;
    faults.not_ect_marked = 10'000;
    faults.data_corrupted = 10'000;
    faults.route_changed = 2'000;
    return faults;
}

HostClock random_clock(Random& random) {
    HostClock clock;
    clock.offset =
        Duration::seconds(1'700'000'000) + Duration{1000 * (random.below(2'000'000) - 1'000'000LL)};
    clock.drift_ppb = random.below(200'001) - 100'000LL;
    clock.step(Time{} + Duration::milliseconds(random.below(200)),
               Duration::microseconds(1 + random.below(100)));
    return clock;
}

void send_traffic(Network& net, Random& random) {
    for (int burst = 0; burst < kBursts; ++burst) {
        Time at = net.now();
        for (int i = 0; i < kPacketsOfBurst; ++i) {
            at = at + Duration::nanoseconds(3'000 + random.below(10'000));
            for (std::size_t from = 0; from < 2; ++from) {
                const auto flow = static_cast<std::uint16_t>(random.below(16));
                const std::size_t payload = 40 + random.below(900);
                const auto ecn = static_cast<wire::Ecn>(random.below(4));
                net.at(at, [&net, from, flow, payload, ecn] {
                    (void)net.send(from, 1 - from, flow, payload, ecn);
                });
            }
        }
        net.run_until(at + kPause);
    }
}

/// Addresses and session as the reference names them; the newest record of each path generation.
void write_records(Network& net, const std::string& path) {
    using Key = std::tuple<std::string, std::string, std::uint32_t, std::uint16_t, std::uint8_t>;
    std::map<Key, wire::PathRecord> records;
    for (std::size_t i = 0; i < 2; ++i) {
        for (const eppc::MetricsReported& report : net.host(i).metrics) {
            const wire::PathRecord& record = report.record;
            const Key key{net.host(i).config.address.to_string(), report.peer.to_string(),
                          report.session.value, record.path.value, record.generation.value};
            records[key] = record;
        }
    }
    std::FILE* file = std::fopen(path.c_str(), "w");
    DYETRACE_ASSERT(file != nullptr);
    const char* separator = "[";
    for (const auto& [key, record] : records) {
        const auto& [source, destination, session, path_index, generation] = key;
        std::fprintf(
            file,
            "%s\n{\"source\":\"%s\",\"destination\":\"%s\",\"session\":%u,\"path\":%u,\"generation\":%u",
            separator, source.c_str(), destination.c_str(), session, path_index, generation);
        const auto put = [file](const char* name, auto value) {
            std::fprintf(file, ",\"%s\":%lld", name, static_cast<long long>(value));
        };
        put("flags", record.flags);
        put("intervals", record.intervals);
        put("sent", record.sent);
        put("received", record.received);
        put("lost", record.sent - record.received);
        put("tracked_sent", record.tracked_sent);
        put("tracked_received", record.tracked_received);
        put("tracked_lost", record.tracked_sent - record.tracked_received);
        put("duplicates", record.duplicates);
        put("late", record.late);
        put("delay_count", record.delay_count);
        put("delay_min_ns", record.delay_ns_min);
        put("delay_max_ns", record.delay_ns_max);
        put("delay_sum_ns", record.delay_ns_sum);
        put("extent_max", record.reordering_extent_max);
        put("ce", record.ce);
        put("ecn_invalid", record.ecn_invalid);
        put("ttl_changes", record.ttl_changes);
        put("corrupted", record.corrupted);
        put("jitter_ns", record.jitter_ns);
        put("ipdv_sum_ns", record.ipdv_ns_sum);
        std::fputs("}", file);
        separator = ",";
    }
    std::fputs("]\n", file);
    std::fclose(file);
}

int run(const std::string& folder, std::uint64_t seed, std::string_view underlay) {
    Random random(mix64(seed));
    Network net(seed);
    if (underlay == "vxlan") net.peer_options.encapsulation = wire::Encapsulation::Vxlan;
    for (std::size_t i = 0; i < 2; ++i) {
        const auto configure = [&](eppc::EppcConfig& config) {
            if (underlay == "ipv6") config.address = ipv6_of(i);
        };
        net.add_host(configure, random_clock(random));
    }
    for (std::size_t from = 0; from < 2; ++from) {
        net.line(from, 1 - from).delay = Duration::microseconds(10 + random.below(200));
        net.line(from, 1 - from).hook = faulty_line(faults(), random.next());
    }
    send_traffic(net, random);
    if (!net.close_all()) {
        std::fprintf(stderr, "seed %llu: sessions did not close\n", static_cast<unsigned long long>(seed));
        return 1;
    }
    for (std::size_t i = 0; i < 2; ++i) {
        const std::string name = folder + "/" + std::to_string(i);
        net.write_sent_pcap(name + ".sent.pcap", i);
        net.write_arrived_pcap(name + ".arrived.pcap", i);
    }
    write_records(net, folder + "/records.json");
    return 0;
}

}  // namespace
}  // namespace dyetrace::test

int main(int argc, char** argv) {
    const std::string_view underlay = argc == 4 ? argv[3] : "ipv4";
    const bool is_known = underlay == "ipv4" || underlay == "ipv6" || underlay == "vxlan";
    if (argc < 3 || argc > 4 || !is_known) {
        std::fprintf(stderr, "usage: engine_captures FOLDER SEED [ipv4|ipv6|vxlan]\n");
        return 2;
    }
    return dyetrace::test::run(argv[1], std::strtoull(argv[2], nullptr, 10), underlay);
}
