// SPDX-License-Identifier: GPL-2.0-or-later
// The whole engine on arbitrary packets and time. The input is a script: each step sends a guest's frame,
// lets time pass, or puts a frame into the engine: noise, a genuine one with some bytes changed, an ICMP
// answer, or a control message with any body and a right tag, so that what stands behind the authentication
// is reached too.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/auth/seal.h"
#include "core/base/bytes.h"
#include "core/eppc/packet_builder.h"
#include "core/wire/ethernet.h"
#include "core/wire/icmp.h"
#include "tests/core/eppc/fake_nhms.h"
#include "tests/core/eppc/two_engines.h"
#include "tests/fuzz/script.h"

namespace {

using namespace dyetrace;
using namespace dyetrace::test;
using Frame = std::vector<std::uint8_t>;

/// Up to 255 bytes, and no more than `most`.
Frame some(Script& script, std::size_t most) {
    return script.take(std::min<std::size_t>(script.u8(), most));
}

class World {
  public:
    explicit World(Script& script) : script_(script), nhms_(net_) {
        for (int i = 0; i < 2; ++i) {
            net_.add_host([](eppc::EppcConfig& config) {
                config.nhms = FakeNhms::kEndpoint;
                config.trace_paths = true;
                config.sampling = wire::SamplingSpec::every_nth(1);
                config.path_count = 2;
                config.bounds.outputs = 256;
                config.bounds.update_entries = 64;
            });
        }
        net_.line(0, 1).routers = {{Ipv4Address{0x0a010001}}, {Ipv4Address{0x0a010002}}};
        net_.line(1, 0).routers = {{Ipv4Address{0x0a010002}}};
    }

    void step() {
        const std::size_t host = script_.u8() & 1;
        switch (script_.u8() % 9) {
            case 0: net_.run_for(Duration::microseconds(script_.u16())); break;
            case 1: net_.run_for(Duration::milliseconds(script_.u16() % 8192)); break;
            case 2: (void)net_.send(host, 1 - host, script_.u8(), script_.u8()); break;
            case 3: (void)net_.send_frame(host, GuestPort{script_.u8() & 1U}, guest_frame(host)); break;
            case 4: (void)net_.inject(host, some(script_, 255)); break;
            case 5: (void)net_.inject(host, changed_frame()); break;
            case 6: (void)net_.inject(host, authentic(host)); break;
            case 7: (void)net_.inject(host, time_exceeded(host)); break;
            case 8: close_or_restart(host); break;
        }
    }

  private:
    Frame guest_frame(std::size_t host) {
        GuestPacket guest{net_.host(host).guest_mac, net_.host(1 - host).guest_mac,
                          net_.host(host).guest_address, net_.host(1 - host).guest_address};
        Frame frame = guest.frame();
        const Frame changes = some(script_, 64);
        std::copy_n(changes.begin(), std::min(changes.size(), frame.size()), frame.begin());
        return frame;
    }

    /// A frame that once went out, with some bytes changed and the headers' sums perhaps mended.
    Frame changed_frame() {
        const auto& captured = net_.captured();
        if (captured.empty()) return {};
        Frame frame = captured[script_.u16() % captured.size()].bytes;
        for (std::uint8_t n = script_.u8() & 7; n > 0; --n)
            frame[script_.u16() % frame.size()] ^= script_.u8();
        if (script_.u8() & 1 && (frame[kOuterIp] & 0xf) == 5) mend_ip(frame);
        return frame;
    }

    /// Any control message with a right tag, over Geneve or as the health service sends it.
    Frame authentic(std::size_t host) {
        const eppc::EppcConfig& config = net_.host(host).config;
        const bool from_nhms = (script_.u8() & 1) != 0;
        const IpAddress source =
            from_nhms ? IpAddress{FakeNhms::kAddress} : net_.host(1 - host).config.address;
        wire::ControlHeader header;
        const auto& captured = net_.captured();
        if (!captured.empty()) {  // sessions and boots that exist
            const Captured& like = captured[script_.u16() % captured.size()];
            if (like.seen.control) header = *like.seen.control;
        }
        header.key_id = config.key_id;
        header.type = static_cast<wire::ControlType>(script_.u8());
        header.from_acceptor = (script_.u8() & 1) != 0;
        header.message_number = script_.u8();
        if (script_.u8() & 1) std::swap(header.sender_boot, header.receiver_boot);
        const Frame body = some(script_, 255);
        eppc::ControlRoute route;
        route.source = {source, static_cast<std::uint16_t>(config.source_port_base + (script_.u8() & 3))};
        route.destination = {config.address, from_nhms ? config.management_port : config.geneve_port};
        const auto key = from_nhms ? std::optional{auth::derive_pair_key(*config.key, source, config.address)}
                                   : net_.control_key(header, source, config.address);
        const Frame message =
            auth::seal(header, body, key.value_or(auth::ControlKey{}), route.source, route.destination);
        return from_nhms ? eppc::build_datagram(route, message) : eppc::build_control(route, message);
    }

    Frame time_exceeded(std::size_t host) {
        Frame died = changed_frame();
        if (died.size() < kOuterUdp) return died;
        died.erase(died.begin(), died.begin() + kOuterIp);
        Frame frame(kOuterUdp + 8 + 68);
        frame.resize(kOuterUdp +
                     wire::encode_icmp_time_exceeded(died, MutableBytes(frame).subspan(kOuterUdp)));
        wire::EthernetHeader{{}, {}, wire::kEtherTypeIpv4}.encode_into(frame);
        wire::Ipv4Header ip;
        ip.total_length = static_cast<std::uint16_t>(frame.size() - kOuterIp);
        ip.protocol = wire::kProtocolIcmp;
        ip.source = Ipv4Address{script_.u8()};
        ip.destination = net_.host(host).config.address.ipv4();
        ip.encode_into(MutableBytes(frame).subspan(kOuterIp));
        return frame;
    }

    void close_or_restart(std::size_t host) {
        if (script_.u8() & 1) return net_.restart(host);
        net_.engine(host).close_sessions(net_.clock_of(host));
        net_.settle(host);
    }

    Script& script_;
    Network net_;
    FakeNhms nhms_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script(Bytes(data, size));
    World world(script);
    for (int steps = 0; steps < 200 && !script.done(); ++steps)
        world.step();
    return 0;
}
