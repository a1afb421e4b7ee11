// SPDX-License-Identifier: GPL-2.0-or-later
// Two engines on a hostile network. The input is a script: what the guests send, what the network loses,
// doubles, delays, changes or makes up. Changed control messages are sealed anew with the key that they were
// under, so that what is behind the tag is reached as well: a peer may hold the key and still lie. Whatever
// happens, no engine may crash, hang, or read past a frame's end.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tests/core/eppc/two_engines.h"

namespace {

using namespace dyetrace;
using namespace dyetrace::test;

constexpr std::size_t kControlOffset = kGenevePayload;
constexpr int kStepsMax = 200;

/// The input, byte by byte; zeros when it is used up.
class Script {
  public:
    Script(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    std::uint8_t next() {
        if (bytes_.empty()) return 0;
        const std::uint8_t byte = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return byte;
    }
    std::vector<std::uint8_t> take(std::size_t n) {
        std::vector<std::uint8_t> taken(n);
        for (auto& byte : taken)
            byte = next();
        return taken;
    }

  private:
    Bytes bytes_;
};

void change(Script& script, const Network& network, std::vector<std::uint8_t>& frame,
            const SeenPacket& seen) {
    if (frame.empty()) return;
    const std::size_t from = seen.control ? kControlOffset : 0;
    const std::size_t room = frame.size() > from ? frame.size() - from : 1;
    frame[(from + script.next() % room) % frame.size()] ^= script.next();
    network.seal_anew(frame);
}

/// Most packets pass, so that sessions get somewhere.
Fate fate_of(Script& script, const Network& network, Transit& transit) {
    const std::uint8_t choice = script.next();
    if (choice < 200) return {};
    if (choice < 210) return {.copies = 0};
    if (choice < 220) return {.copies = 2};
    if (choice < 230) return {.copies = 1, .extra_delay = Duration::microseconds(script.next() * 100)};
    change(script, network, transit.bytes, transit.seen);
    return {};
}

void replay(Script& script, Network& network) {
    if (network.captured().empty()) return;
    const auto captured = network.captured()[script.next() % network.captured().size()];
    auto bytes = captured.bytes;
    change(script, network, bytes, captured.seen);
    network.inject(script.next() % 2, bytes);
}

void step(Script& script, Network& network) {
    switch (const std::uint8_t op = script.next(); op % 8) {
        case 0:
        case 1:
        case 2: {
            const std::size_t from = op / 8 % 2;
            network.send(from, 1 - from, script.next(), script.next() * 5U, static_cast<wire::Ecn>(op >> 6));
            return;
        }
        case 3: return network.run_for(Duration::microseconds(script.next() * 200));
        case 4: return (void)network.inject(op / 8 % 2, script.take(script.next()));
        case 5: return replay(script, network);
        case 6: return (void)network.send_frame(op / 8 % 2, kGuestPort, script.take(script.next()));
        default:
            if (op > 240) return network.restart(op % 2);
            return network.engine(op / 8 % 2).close_sessions(network.clock_of(op / 8 % 2));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script(data, size);
    Network network;
    const auto insecure = [](eppc::EppcConfig& config) {
        config.key.reset();
        config.insecure = true;
    };
    network.add_host(insecure);
    network.add_host(insecure);
    for (const std::size_t from : {0, 1}) {
        network.line(from, 1 - from).hook = [&](Transit& transit) {
            return fate_of(script, network, transit);
        };
    }
    for (int i = 0; i < kStepsMax && !script.empty(); ++i) {
        step(script, network);
        network.settle(0);
        network.settle(1);
    }
    network.run_for(Duration::milliseconds(200));
    return 0;
}
