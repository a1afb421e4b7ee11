// SPDX-License-Identifier: GPL-2.0-or-later
// Records a run into its database, so that whatever happens to the process, what was recorded is there.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "analysis/store/rows.h"

namespace dyetrace::store {

enum class Overwrite {
    Refuse,   ///< a file at the path is an error
    Replace,  ///< a run database at the path is removed first; anything else there is still an error
};

/// Writes one run. Rows go into transactions that are committed about twice a second of wall time. A database
/// says complete = '0' until `finish()`; when the writer is destroyed without it, or its process dies, the
/// file opens and holds what was recorded until then (a killed process loses what came after its last
/// commit).
///
/// Not thread-safe. Every member throws `CannotWrite` when the disk does not take it.
class RunWriter {
  public:
    /// Creates the database. A replaced run is gone from this moment: a run that is interrupted leaves its
    /// own part at `path`, never the old one under the new run's name.
    static RunWriter create(const std::filesystem::path& path, Overwrite overwrite);

    RunWriter(RunWriter&&) noexcept;
    RunWriter& operator=(RunWriter&&) noexcept;
    ~RunWriter();

    /// Sets or replaces one entry of provenance. `complete` is the writer's own.
    void set_provenance(std::string_view key, std::string_view value);

    // Each returns the id of the new row. Rows that refer to others come after them.
    RowId add_node(const NodeRow& row);
    RowId add_link(const LinkRow& row);
    RowId add_session(const SessionRow& row);
    RowId add_session_event(const SessionEventRow& row);
    RowId add_path(const PathRow& row);
    RowId add_path_record(const PathRecordRow& row);
    RowId add_update(const UpdateRow& row);
    RowId add_evidence(const EvidenceRow& row);
    RowId add_detection(const DetectionRow& row);
    RowId add_incident(const IncidentRow& row);
    RowId add_incident_event(const IncidentEventRow& row);
    RowId add_directive(const DirectiveRow& row);
    RowId add_suspect(const SuspectRow& row);
    void add_counter(const CounterRow& row);

    // Replace all of the row with `row.id` (`update_path`: its hops too).
    void update_session(const SessionRow& row);
    void update_path(const PathRow& row);
    void update_incident(const IncidentRow& row);
    void update_directive(const DirectiveRow& row);

    // What tenants have and are shown, and flows that were followed.
    RowId add_tenant(const TenantRow& row);
    RowId add_tenant_guest(const TenantGuestRow& row);
    RowId add_tenant_state(const TenantStateRow& row);
    RowId add_tenant_pair(const TenantPairRow& row);
    RowId add_tenant_pair_state(const TenantPairStateRow& row);
    RowId add_tenant_share(const TenantShareRow& row);
    RowId add_tenant_notification(const TenantNotificationRow& row);
    RowId add_service_score(const ServiceScoreRow& row);
    RowId add_probe_result(const ProbeResultRow& row);
    RowId add_flow_trace(const FlowTraceRow& row);
    RowId add_flow_trace_stretch(const FlowTraceStretchRow& row);
    RowId add_flow_trace_packet(const FlowTracePacketRow& row);
    RowId add_flow_trace_hop(const FlowTraceHopRow& row);
    void update_flow_trace(const FlowTraceRow& row);

    RowId add_truth_fault(const TruthFaultRow& row);
    void add_truth_drop(const TruthDropRow& row);
    void add_truth_path(const TruthPathRow& row);

    /// Commits if the last commit is long enough ago. Adding does so by itself; call it from a progress
    /// display too, so that a run that records little is on the disk as well.
    void commit_if_due();
    /// Commits now.
    void commit();

    /// The run came to its end: builds the indices, marks the database complete and closes it. Nothing may be
    /// added after it.
    void finish();

  private:
    struct Impl;
    explicit RunWriter(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace dyetrace::store
