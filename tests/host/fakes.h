// SPDX-License-Identifier: GPL-2.0-or-later
// A clock and ports that a test drives.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "host/clock.h"
#include "host/port.h"

namespace dyetrace::host::test {

using Frame = std::vector<std::uint8_t>;

class FakeClock final : public Clock {
  public:
    Time now() override { return time; }
    Time time;
};

/// Hands out what was put in, `batch` frames at a time, and keeps what was sent.
class FakePort final : public Port {
  public:
    std::span<ReceivedFrame> receive() override {
        lent_.clear();
        memory_.clear();
        while (!waiting.empty() && lent_.size() < batch) {
            auto& [at, frame] = waiting.front();
            Frame& memory = memory_.emplace_back(kHeadroom + frame.size());
            std::copy(frame.begin(), frame.end(), memory.begin() + kHeadroom);
            lent_.push_back({{memory.data(), kHeadroom, memory.size(), 0}, at});
            waiting.pop_front();
        }
        return lent_;
    }
    void release() override {
        ++releases;
        // A frame that is used after it was given back shows as rubbish.
        for (Frame& memory : memory_)
            std::fill(memory.begin(), memory.end(), std::uint8_t{0xdd});
    }
    std::uint64_t send(std::span<const Bytes> frames) override {
        std::uint64_t failed = 0;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            if (fail_every != 0 && ++offered % fail_every == 0) {
                failed |= std::uint64_t{1} << i;
            } else {
                sent.emplace_back(frames[i].begin(), frames[i].end());
            }
        }
        return failed;
    }
    [[nodiscard]] int poll_fd() const override { return -1; }
    [[nodiscard]] PortCounters counters() override { return {}; }

    std::deque<std::pair<Time, Frame>> waiting;
    std::size_t batch = kBatch;
    std::vector<Frame> sent;
    std::uint64_t fail_every = 0;
    std::uint64_t offered = 0;
    int releases = 0;

  private:
    static constexpr std::size_t kHeadroom = 256;
    std::vector<ReceivedFrame> lent_;
    std::deque<Frame> memory_;
};

}  // namespace dyetrace::host::test
