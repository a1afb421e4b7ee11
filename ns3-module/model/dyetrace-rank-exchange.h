// SPDX-License-Identifier: GPL-2.0-or-later
// Messages from one rank of a parallel simulation to another, each read at a time that its sender names. Not
// installed.
//
// ns-3's own parallel engine carries them and keeps the ranks in step: every rank has a node here, with a
// port to each other rank whose channel's Delay is the look-ahead, which is what that engine looks for. It
// takes packets of up to 2000 bytes, and does not keep their order; so a message goes in parts that say where
// they belong.
#ifndef DYETRACE_RANK_EXCHANGE_H
#define DYETRACE_RANK_EXCHANGE_H

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/base/bytes.h"

namespace ns3 {

class DyetraceRanks;

class DyetraceRankExchange {
  public:
    using Listener = std::function<void(dyetrace::Bytes message)>;

    /// Bytes of a message's parts: as long as ns-3 takes with its own header, a packet's lists of tags, and
    /// its metadata where that is on; or shorter than most frames. ns3::Buffer keeps only buffers for reuse
    /// that are as large as the largest that there ever was, so where frames are ns-3's, parts that are
    /// longer would have each frame's bytes allocated anew.
    enum PartBytes : uint32_t { Longest = 1800, ShorterThanFrames = 900 };

    /// \param lookaheadNs no message is ever read sooner after it is sent: at least 1 where there are several
    /// ranks
    DyetraceRankExchange(const DyetraceRanks& ranks, int64_t lookaheadNs, Listener listener,
                         PartBytes partBytes = Longest);
    ~DyetraceRankExchange();
    DyetraceRankExchange(const DyetraceRankExchange&) = delete;
    DyetraceRankExchange& operator=(const DyetraceRankExchange&) = delete;

    /// Has `rank`'s listener called with the message at `atNs`.
    void Send(uint32_t rank, int64_t atNs, dyetrace::Bytes message);

  private:
    class Ports;

    std::unique_ptr<Ports> m_ports;  ///< null on one rank
};

/// What all ranks say, one after the other: every rank calls it, and waits for all others. Not during a run.
std::vector<uint8_t> DyetraceGatherAll(dyetrace::Bytes own);

}  // namespace ns3

#endif  // DYETRACE_RANK_EXCHANGE_H
