// SPDX-License-Identifier: GPL-2.0-or-later
// How many records a second the health service takes from updates, from the datagram to evidence and
// detectors, on one core. Beside it, in the same run, what of that is authentication and what is the codec.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/auth/seal.h"
#include "core/health/nhms.h"
#include "core/wire/update.h"
#include "tests/bench/core/limits.h"

namespace dyetrace {
namespace {

constexpr Endpoint kService{Ipv4Address{0x0a00ff01}, health::NhmsConfig::kPortDefault};
constexpr std::uint32_t kHosts = 32;
constexpr std::uint32_t kSessions = 4;  ///< of each host
constexpr std::uint16_t kPaths = 64;    ///< of each session
constexpr std::size_t kBodyMost = 1300;

auth::SharedKey shared_key() {
    auth::SharedKey key{};
    key.fill(0x5a);
    return key;
}

/// Hosts that tell the totals of all their paths, round after round.
class Senders {
  public:
    explicit Senders(std::uint64_t loss_one_in) : loss_one_in_(loss_one_in), hosts_(kHosts) {
        for (std::uint32_t i = 0; i < kHosts; ++i) {
            hosts_[i].endpoint = {Ipv4Address{0x0a000001 + i}, 46082};
            hosts_[i].key = auth::derive_pair_key(shared_key(), hosts_[i].endpoint.address, kService.address);
        }
    }

    struct Update {
        Endpoint from;
        std::vector<std::uint8_t> datagram;
    };

    /// Lets every host learn whom it speaks to.
    void greet(health::Nhms& nhms) {
        for (Host& host : hosts_) {
            std::vector<std::uint8_t> body(wire::UpdateBody::kHeaderSize);
            const Update update = seal(host, body);
            nhms.handle(update.from, update.datagram, Time{});
            while (const auto output = nhms.poll()) {
                if (const auto* datagram = std::get_if<health::Datagram>(&*output))
                    host.service_boot = wire::ControlMessage::parse(datagram->bytes)->header.sender_boot;
            }
        }
    }

    /// The updates of one round; `records` counts what is in them.
    std::vector<Update> round(std::int64_t now_ns, std::size_t& records) {
        ++rounds_;
        std::vector<Update> updates;
        for (Host& host : hosts_) {
            std::vector<wire::UpdateEntry> entries;
            std::size_t size = wire::UpdateBody::kHeaderSize;
            const auto flush = [&] {
                std::vector<std::uint8_t> body(wire::UpdateBody::encoded_size(entries));
                wire::UpdateBody::encode_into(body, entries);
                updates.push_back(seal(host, body));
                entries.clear();
                size = wire::UpdateBody::kHeaderSize;
            };
            for (std::uint32_t session = 0; session < kSessions; ++session) {
                for (std::uint16_t path = 0; path < kPaths; ++path) {
                    entries.emplace_back(metrics(session, path, now_ns));
                    ++records;
                    size += wire::encoded_size(entries.back());
                    if (size + wire::encoded_size(entries.back()) > kBodyMost) flush();
                }
            }
            if (!entries.empty()) flush();
        }
        return updates;
    }

  private:
    struct Host {
        Endpoint endpoint;
        auth::PairKey key{};
        BootId service_boot;
        std::uint32_t next_number = 1;
    };

    Update seal(Host& host, Bytes body) {
        wire::ControlHeader header;
        header.type = wire::ControlType::Update;
        header.key_id = KeyId{1};
        header.message_number = host.service_boot.value == 0 ? host.next_number : host.next_number++;
        header.sender_boot = BootId{7};
        header.receiver_boot = host.service_boot;
        return {host.endpoint, auth::seal(header, body, host.key, host.endpoint, kService)};
    }

    [[nodiscard]] wire::MetricsEntry metrics(std::uint32_t session, std::uint16_t path,
                                             std::int64_t now_ns) const {
        wire::MetricsEntry entry;
        entry.peer = Ipv4Address{0x0a010000 + session};
        entry.session = SessionId{session};
        wire::PathRecord& record = entry.record;
        record.path = PathIndex{path};
        record.intervals = 1;
        record.sent = rounds_ * 1000;
        record.received = record.sent - (loss_one_in_ == 0 ? 0 : record.sent / loss_one_in_);
        record.tracked_sent = record.tracked_received = static_cast<std::uint32_t>(rounds_ * 10);
        record.delay_count = record.tracked_received;
        record.delay_ns_min = 10'000;
        record.delay_ns_sum = static_cast<std::int64_t>(rounds_) * 200'000;
        record.measured_ns = now_ns;
        return entry;
    }

    std::uint64_t loss_one_in_;
    std::uint64_t rounds_ = 0;
    std::vector<Host> hosts_;
};

health::Nhms make_service() {
    health::NhmsConfig config;
    config.endpoint = kService;
    config.key = shared_key();
    localise::FabricGraph graph;
    return health::Nhms::create(config, std::move(graph), 1, Time{}).value();
}

void report(benchmark::State& state, std::size_t records) {
    state.SetItemsProcessed(static_cast<std::int64_t>(records));
    state.SetLabel("items: records");
}

/// Argument: one packet in so many is lost; 0: none. Then each window raises an event and moves a detector.
void BM_Ingest(benchmark::State& state) {
    health::Nhms nhms = make_service();
    Senders senders(static_cast<std::uint64_t>(state.range(0)));
    senders.greet(nhms);
    std::size_t records = 0;
    std::int64_t now_ns = 0;
    for (auto _ : state) {
        state.PauseTiming();
        now_ns += 100'000'000;
        const auto updates = senders.round(now_ns, records);
        state.ResumeTiming();
        for (const Senders::Update& update : updates) {
            nhms.handle(update.from, update.datagram, Time{now_ns});
            while (const auto output = nhms.poll())
                benchmark::DoNotOptimize(output->index());
        }
        if (nhms.next_deadline() <= Time{now_ns}) nhms.advance(Time{now_ns});
        state.PauseTiming();
        if (nhms.counters().records != records || nhms.drops().total() != 0) state.SkipWithError("refused");
        state.ResumeTiming();
    }
    report(state, records);
}
BENCHMARK(BM_Ingest)->Arg(0)->Arg(100)->Unit(benchmark::kMillisecond);

/// The tag of each update alone: two passes of SHA-256 over its bytes.
void BM_AuthenticationAlone(benchmark::State& state) {
    health::Nhms nhms = make_service();
    Senders senders(0);
    senders.greet(nhms);
    std::size_t in_a_round = 0;
    const auto updates = senders.round(1, in_a_round);
    const auto key = auth::derive_pair_key(shared_key(), updates[0].from.address, kService.address);
    std::size_t records = 0;
    for (auto _ : state) {
        for (const Senders::Update& update : updates) {
            const auto message = wire::ControlMessage::parse(update.datagram);
            benchmark::DoNotOptimize(auth::control_tag_ok(key, update.from, kService, *message));
        }
        records += in_a_round;
    }
    report(state, records);
}
BENCHMARK(BM_AuthenticationAlone)->Unit(benchmark::kMillisecond);

/// The bodies of the updates alone.
void BM_CodecAlone(benchmark::State& state) {
    health::Nhms nhms = make_service();
    Senders senders(0);
    senders.greet(nhms);
    std::size_t in_a_round = 0;
    const auto updates = senders.round(1, in_a_round);
    std::vector<wire::UpdateEntry> entries;
    std::size_t records = 0;
    for (auto _ : state) {
        for (const Senders::Update& update : updates) {
            entries.clear();
            const auto message = wire::ControlMessage::parse(update.datagram);
            benchmark::DoNotOptimize(wire::UpdateBody::parse(message->body, entries).ok());
        }
        records += in_a_round;
    }
    report(state, records);
}
BENCHMARK(BM_CodecAlone)->Unit(benchmark::kMillisecond);

constexpr bench::RateLimit kRates[] = {
    {"records of updates taken, nothing lost", "BM_Ingest/0", 1e6},
    {"records of updates taken, 1% lost", "BM_Ingest/100", 1e6},
};

}  // namespace
}  // namespace dyetrace

int main(int argc, char** argv) {
    return dyetrace::bench::run(argc, argv, {}, dyetrace::kRates);
}
