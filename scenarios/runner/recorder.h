// SPDX-License-Identifier: GPL-2.0-or-later
// The measuring side of a run: writes down what the health service received, learned and decided. It sees the
// engines' outputs and the operator's graph, and nothing else.
#pragma once

#include <map>
#include <optional>
#include <tuple>

#include "analysis/store/run_writer.h"
#include "core/eppc/eppc.h"
#include "core/health/nhms.h"
#include "core/localise/fabric_graph.h"
#include "ns3-module/model/dyetrace-engines.h"
#include "scenarios/runner/client_recorder.h"

namespace dyetrace::runner {

class Recorder : public ns3::DyetraceEngineListener {
  public:
    /// All must outlive it.
    Recorder(store::RunWriter& writer, const localise::FabricGraph& graph, ClientRecorder& clients)
        : writer_(writer), graph_(graph), clients_(clients) {}

    void EppcOutput(std::uint32_t host, const eppc::Output& output) override;
    void NhmsOutput(std::uint32_t host, const health::Output& output) override;

    /// Writes an EPPC's or the health service's counters that are not zero.
    void add_counters(std::uint32_t host, const eppc::Eppc& eppc);
    void add_counters(const health::Nhms& nhms, std::uint32_t host);

  private:
    using SessionKey = std::tuple<IpAddress, IpAddress, SessionId>;

    void record(const health::Datagram&) {}
    void record(const health::Concluded&) {}  // for another service; a run has one
    void record(const health::UpdateReceived& update);
    void record(const health::SessionReported& session);
    void record(const health::RecordReceived& received);
    void record(const health::PathReported& path);
    void record(const health::LossSeen& loss);
    void record(const health::HealthChanged& change);
    void record(const health::IncidentChanged& change);
    void record(const health::TenantNotified& told) { clients_.record(told); }
    void record(const health::PairsTold& told) { clients_.record(told); }
    void record(const health::ShareTold& told) { clients_.record(told); }
    void record(const health::InstanceScored& told) { clients_.record(told); }
    void record(const health::ProbeTold& told) { clients_.record(told); }
    void record(const health::FlowTraced& traced) { clients_.record(traced, graph_); }
    static void record(const health::DrainRequested& drain);
    static void record(const health::MigrationRequested& migration);
    static void record(const health::OperatorNotified& notice);
    void record(const health::DirectiveSent& directive);
    void record(const health::DirectiveAnswered& answer);
    void record(const health::SuspectsNamed& named);

    [[nodiscard]] store::RowId node_of(IpAddress address) const;
    [[nodiscard]] std::string name_of(IpAddress address) const;
    /// The row of a session; a first word of it makes one, whatever kind of word it is.
    store::SessionRow& session_of(IpAddress requester, IpAddress acceptor, SessionId id);
    /// The row of a path, likewise; `learned_ns` stays empty until it was traced.
    store::PathRow& path_of(store::RowId session, PathIndex path, PathGeneration generation);

    store::RunWriter& writer_;
    const localise::FabricGraph& graph_;
    ClientRecorder& clients_;
    std::map<SessionKey, store::SessionRow> sessions_;
    std::map<std::tuple<store::RowId, std::uint16_t, std::uint8_t>, store::PathRow> paths_;
    std::map<health::IncidentId, store::IncidentRow> incidents_;
    std::map<health::DirectiveId, store::DirectiveRow> directives_;
};

}  // namespace dyetrace::runner
