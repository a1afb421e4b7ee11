// SPDX-License-Identifier: GPL-2.0-or-later
// How many metric records a second go through the codecs of reports and of updates, written and read again,
// on one core. Authentication is apart: core_ingest_bench says what that costs.
#include <algorithm>
#include <cstdint>
#include <variant>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/random.h"
#include "core/wire/report.h"
#include "core/wire/update.h"
#include "tests/bench/core/limits.h"

namespace dyetrace::bench {
namespace {

constexpr std::size_t kInReport = 12;  ///< records that one packet of 1,500 bytes takes
constexpr std::size_t kInUpdate = 10;
constexpr std::size_t kMessages = 1000;  ///< different ones, so that nothing is learned by heart

wire::PathRecord record(Random& random) {
    wire::PathRecord record;
    record.path = PathIndex{static_cast<std::uint16_t>(random.below(1024))};
    record.generation = PathGeneration{static_cast<std::uint8_t>(random.below(4))};
    record.flags = wire::PathRecord::kFlagOpen;
    record.intervals = static_cast<std::uint16_t>(random.below(1000));
    record.sent = random.next() >> 20;
    record.received = record.sent - random.below(100);
    record.tracked_sent = random.next_u32();
    record.tracked_received = record.tracked_sent - random.below(3);
    record.delay_ns_min = 10'000 + random.below(1000);
    record.delay_ns_max = 100'000 + random.below(100'000);
    record.delay_ns_sum = static_cast<std::int64_t>(random.next() >> 8);
    record.delay_count = record.tracked_received;
    record.ce = random.below(1000);
    record.jitter_ns = random.below(10'000);
    record.ipdv_ns_sum = static_cast<std::int64_t>(random.next() >> 16);
    record.measured_ns = static_cast<std::int64_t>(random.next() >> 4);
    return record;
}

void report_codec(benchmark::State& state) {
    Random random(1);
    std::vector<std::vector<wire::PathRecord>> messages(kMessages);
    for (auto& records : messages) {
        for (std::size_t i = 0; i < kInReport; ++i)
            records.push_back(record(random));
    }
    std::vector<std::uint8_t> body(wire::ReportBody::encoded_size(kInReport));
    std::vector<wire::PathRecord> read;
    read.reserve(kInReport);
    std::size_t next = 0;
    bool same = true;
    for (auto _ : state) {
        const auto& records = messages[next];
        next = (next + 1) % kMessages;
        wire::ReportBody::encode_into(body, {}, records);
        benchmark::ClobberMemory();
        read.clear();
        same = wire::ReportBody::parse(body, read).ok() && read.back().sent == records.back().sent && same;
        benchmark::ClobberMemory();
    }
    if (!same || read.size() != kInReport) state.SkipWithError("what was read is not what was written");
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kInReport));
}

void update_codec(benchmark::State& state) {
    Random random(1);
    std::vector<std::vector<wire::UpdateEntry>> messages(kMessages);
    for (auto& entries : messages) {
        for (std::size_t i = 0; i < kInUpdate; ++i) {
            wire::MetricsEntry entry;
            entry.peer = Ipv4Address{0x0a000000 + random.below(65536)};
            entry.session = SessionId{random.next_u32()};
            entry.record = record(random);
            entries.emplace_back(entry);
        }
    }
    std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(messages[0]));
    std::vector<wire::UpdateEntry> read;
    read.reserve(kInUpdate);
    std::size_t next = 0;
    bool same = true;
    for (auto _ : state) {
        const auto& entries = messages[next];
        next = (next + 1) % kMessages;
        wire::UpdateBody::encode_into(body, entries);
        benchmark::ClobberMemory();
        read.clear();
        same = wire::UpdateBody::parse(body, read).ok() &&
               std::get<wire::MetricsEntry>(read.back()).record.sent ==
                   std::get<wire::MetricsEntry>(entries.back()).record.sent &&
               same;
        benchmark::ClobberMemory();
    }
    if (!same || read.size() != kInUpdate) state.SkipWithError("what was read is not what was written");
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kInUpdate));
}

constexpr RateLimit kRates[] = {
    {"report codec, records written and read", "report_codec", 2e6},
    {"update codec, records written and read", "update_codec", 2e6},
};

}  // namespace
}  // namespace dyetrace::bench

int main(int argc, char** argv) {
    benchmark::RegisterBenchmark("report_codec", dyetrace::bench::report_codec);
    benchmark::RegisterBenchmark("update_codec", dyetrace::bench::update_codec);
    return dyetrace::bench::run(argc, argv, {}, dyetrace::bench::kRates);
}
