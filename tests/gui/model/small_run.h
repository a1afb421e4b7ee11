// SPDX-License-Identifier: GPL-2.0-or-later
// A run of two pods by hand, so that a test sees every number it expects.
#pragma once

#include <QString>
#include <memory>

#include "analysis/store/run_writer.h"
#include "gui/model/run_snapshot.h"
#include "gui/model/snapshot_builder.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::viewer::testing {

constexpr std::int64_t ms = 1'000'000;

/// The sample run of `k` as a snapshot; read once for all tests of a program.
inline SnapshotPtr sample() {
    static const SnapshotPtr run = [] {
        const dyetrace::testing::TestFolder folder;
        dyetrace::testing::write_sample_run(folder.file("sample.db"));
        return load_snapshot(folder.file("sample.db"));
    }();
    return run;
}

/// host-a - s1 - s2 - host-b, links both ways; one session from a to b. The test adds records and incidents.
class SmallRun {
  public:
    SmallRun() : writer_(store::RunWriter::create(folder_.file("small.db"), store::Overwrite::Refuse)) {
        const char* const kinds[] = {"host", "switch", "switch", "host"};
        const char* const names[] = {"host-a", "s1", "s2", "host-b"};
        for (int i = 0; i < 4; ++i)
            writer_.add_node({0, names[i], kinds[i], "", {}, {}});
        for (int i = 0; i < 3; ++i) {
            writer_.add_link({0, i, i + 1, 1'000'000'000, 1000});
            writer_.add_link({0, i + 1, i, 1'000'000'000, 1000});
        }
        store::SessionRow session;
        session.requester_node = 0;
        session.acceptor_node = 3;
        session.session_id = 7;
        session.state = "active";
        session.requested_ns = 5 * ms;
        session.active_ns = 10 * ms;
        session.sampling_kind = "every-nth";
        session.sampling_rate = 0.01;
        session_ = writer_.add_session(session);
        writer_.set_provenance("simulated_ns", std::to_string(1000 * ms));
    }

    store::RunWriter& writer() { return writer_; }
    [[nodiscard]] store::RowId session() const { return session_; }

    SmallRun& path(std::uint16_t index, std::vector<store::RowId> hops = {0, 1, 2, 3}) {
        store::PathRow row;
        row.session = session_;
        row.path_index = index;
        row.learned_ns = 12 * ms;
        row.complete = true;
        row.hops = std::move(hops);
        writer_.add_path(row);
        return *this;
    }
    SmallRun& record(std::uint16_t index, std::int64_t t_ns, std::uint64_t sent, std::uint64_t received) {
        store::PathRecordRow row;
        row.session = session_;
        row.path_index = index;
        row.t_ns = t_ns;
        row.sent = sent;
        row.received = received;
        row.excess = received > sent;
        writer_.add_path_record(row);
        return *this;
    }
    /// About the link s1 > s2.
    store::RowId incident(std::int64_t opened_ns) {
        store::IncidentRow row;
        row.opened_ns = opened_ns;
        row.state = "investigating";
        row.subject = "s1 > s2";
        const auto id = writer_.add_incident(row);
        writer_.add_incident_event({0, id, opened_ns, "opened", ""});
        return id;
    }
    SmallRun& step(store::RowId incident, std::int64_t t_ns, const std::string& kind) {
        writer_.add_incident_event({0, incident, t_ns, kind, "because"});
        return *this;
    }
    SmallRun& suspect(store::RowId incident, std::int64_t t_ns, double log_odds, store::RowId from = 1,
                      store::RowId to = 2) {
        store::SuspectRow row;
        row.incident = incident;
        row.t_ns = t_ns;
        row.rank = 1;
        row.kind = "link";
        row.from_node = from;
        row.to_node = to;
        row.log_odds = log_odds;
        row.loss_rate = 0.01;
        writer_.add_suspect(row);
        return *this;
    }
    SmallRun& fault(std::int64_t t_ns, std::optional<std::int64_t> until_ns = {}) {
        writer_.add_truth_fault({0, t_ns, until_ns, "silent-drop", 1, 2, 0.01});
        return *this;
    }

    SnapshotPtr load() {
        writer_.finish();
        return load_snapshot(folder_.file("small.db"));
    }

  private:
    dyetrace::testing::TestFolder folder_;
    store::RunWriter writer_;
    store::RowId session_ = 0;
};

/// The link from one node to the other, by name.
inline int link_named(const RunSnapshot& run, const QString& name) {
    for (int link = 0; link < static_cast<int>(run.links.size()); ++link) {
        if (run.link_name(link) == name) return link;
    }
    return -1;
}

}  // namespace dyetrace::viewer::testing
