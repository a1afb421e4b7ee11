// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/run_reader.h"

#include <algorithm>
#include <utility>

#include "analysis/store/database_file.h"
#include "analysis/store/run_reader_impl.h"

namespace dyetrace::store {
namespace {

// A writer that leaves its write-ahead log behind locks readers out for a moment.
constexpr int busy_timeout_ms = 5000;
constexpr int sqlite_cantopen = 14;  // SQLITE_CANTOPEN

/// Rolls back what a dead process left half-written. Only where no write-ahead log was possible: such a file
/// system has an ordinary journal, and that is rolled back by whoever may write.
void recover(const std::filesystem::path& path) {
    SQLite::Database db(path.string(), SQLite::OPEN_READWRITE, busy_timeout_ms);
    SQLite::Statement(db, "SELECT count(*) FROM sqlite_schema").executeStep();
}

SQLite::Database open_checked(const std::filesystem::path& path) {
    if (const std::string problem = problem_of_file(path); !problem.empty()) {
        throw Error(path.string() + " " + problem);
    }
    try {
        std::error_code error;
        if (std::filesystem::exists(journal_of(path), error)) recover(path);
        SQLite::Database db(path.string(), SQLite::OPEN_READONLY, busy_timeout_ms);
        SQLite::Statement(db, "SELECT count(*) FROM sqlite_schema").executeStep();
        return db;
    } catch (const SQLite::Exception& failure) {
        std::string why = failure.what();
        if (failure.getErrorCode() == sqlite_cantopen && has_unfinished_write(path)) {
            why = "its writer was killed, and what that left in " + wal_of(path).filename().string() +
                  " can be read only where the folder can be written; copy both files to such a one";
        }
        throw Error(path.string() + " cannot be opened: " + why);
    }
}

/// The columns that the table of that name has; none where there is no such table.
std::vector<std::string> columns_of(const SQLite::Database& db, std::string_view table_name) {
    SQLite::Statement query(db, "SELECT name FROM pragma_table_info(?)");
    query.bind(1, std::string(table_name));
    std::vector<std::string> names;
    while (query.executeStep())
        names.push_back(query.getColumn(0).getString());
    return names;
}

void check_schema(const SQLite::Database& db, const std::filesystem::path& path, int version) {
    for (const Table& expected : tables()) {
        if (expected.since > version) continue;
        const auto names = columns_of(db, expected.name);
        if (names.empty()) throw Error(path.string() + " has no table " + std::string(expected.name));
        for (const Column& column : expected.columns) {
            if (std::find(names.begin(), names.end(), column.name) == names.end()) {
                throw Error(path.string() + ": table " + std::string(expected.name) + " has no column " +
                            std::string(column.name));
            }
        }
    }
}

}  // namespace

RunReader::Impl::Impl(const std::filesystem::path& path_) : path(path_), db(open_checked(path_)) {
    try {
        version = db.execAndGet("PRAGMA user_version").getInt();
        check_schema(db, path, version);
        // One moment of a run that is still being written: every list is of the same state. A log allows that
        // without holding up the writer; without a log nobody is writing, or may not be held up.
        if (db.execAndGet("PRAGMA journal_mode").getString() == "wal") {
            db.exec("BEGIN");
            SQLite::Statement(db, "SELECT count(*) FROM sqlite_schema")
                .executeStep();  // the moment begins here
        }
    } catch (const SQLite::Exception& failure) {
        throw Error(path.string() + " is damaged: " + failure.what());
    }
}

RunReader::RunReader(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
RunReader::RunReader(RunReader&&) noexcept = default;
RunReader& RunReader::operator=(RunReader&&) noexcept = default;
RunReader::~RunReader() = default;

const std::filesystem::path& RunReader::path() const {
    return impl_->path;
}

std::map<std::string, std::string> RunReader::provenance() const {
    return impl_->guarded("provenance", [&] {
        SQLite::Statement query(impl_->db, "SELECT key, value FROM provenance");
        std::map<std::string, std::string> entries;
        while (query.executeStep())
            entries[query.getColumn(0).getString()] = query.getColumn(1).getString();
        return entries;
    });
}

std::optional<std::string> RunReader::provenance(std::string_view key) const {
    return impl_->guarded("provenance", [&]() -> std::optional<std::string> {
        SQLite::Statement query(impl_->db, "SELECT value FROM provenance WHERE key = ?");
        query.bind(1, std::string(key));
        if (!query.executeStep()) return std::nullopt;
        return query.getColumn(0).getString();
    });
}

bool RunReader::complete() const {
    return provenance("complete") == "1";
}

std::vector<NodeRow> RunReader::nodes() const {
    return impl_->list<NodeRow>();
}
std::vector<LinkRow> RunReader::links() const {
    return impl_->list<LinkRow>();
}
std::vector<SessionRow> RunReader::sessions() const {
    return impl_->list<SessionRow>();
}
std::vector<SessionEventRow> RunReader::session_events() const {
    return impl_->list<SessionEventRow>();
}

std::vector<PathRow> RunReader::paths() const {
    auto paths = impl_->list<PathRow>();
    impl_->guarded("path_hops", [&] {
        SQLite::Statement query(impl_->db, "SELECT path, node FROM path_hops ORDER BY path, hop");
        auto path = paths.begin();  // both lists come in the order of path ids
        while (query.executeStep()) {
            const RowId id = query.getColumn(0).getInt64();
            while (path != paths.end() && path->id < id)
                ++path;
            if (path == paths.end() || path->id != id) {
                throw BadCell("hops of path " + std::to_string(id) + ", which does not exist");
            }
            path->hops.push_back(query.getColumn(1).getInt64());
        }
    });
    return paths;
}

std::vector<UpdateRow> RunReader::updates() const {
    return impl_->list<UpdateRow>();
}
std::vector<EvidenceRow> RunReader::evidence() const {
    return impl_->list<EvidenceRow>();
}
std::vector<DetectionRow> RunReader::detections() const {
    return impl_->list<DetectionRow>();
}
std::vector<IncidentRow> RunReader::incidents() const {
    return impl_->list<IncidentRow>();
}
std::vector<IncidentEventRow> RunReader::incident_events() const {
    return impl_->list<IncidentEventRow>();
}
std::vector<DirectiveRow> RunReader::directives() const {
    return impl_->list<DirectiveRow>();
}
std::vector<SuspectRow> RunReader::suspects() const {
    return impl_->list<SuspectRow>();
}

std::vector<SuspectRow> RunReader::final_suspects() const {
    return impl_->list_where<SuspectRow>(
        "AS s WHERE incident IN (SELECT id FROM incidents WHERE state NOT IN ('refuted', 'merged')) "
        "AND t_ns = (SELECT max(t_ns) FROM suspects WHERE incident = s.incident) ORDER BY incident, rank, "
        "id");
}

std::vector<CounterRow> RunReader::counters() const {
    return impl_->list<CounterRow>();
}

std::vector<TenantRow> RunReader::tenants() const {
    return impl_->list<TenantRow>();
}
std::vector<TenantGuestRow> RunReader::tenant_guests() const {
    return impl_->list<TenantGuestRow>();
}
std::vector<TenantStateRow> RunReader::tenant_states() const {
    return impl_->list<TenantStateRow>();
}
std::vector<TenantPairRow> RunReader::tenant_pairs() const {
    return impl_->list<TenantPairRow>();
}
std::vector<TenantPairStateRow> RunReader::tenant_pair_states() const {
    return impl_->list<TenantPairStateRow>();
}
std::vector<TenantShareRow> RunReader::tenant_shares() const {
    return impl_->list<TenantShareRow>();
}
std::vector<TenantNotificationRow> RunReader::tenant_notifications() const {
    return impl_->list<TenantNotificationRow>();
}
std::vector<ServiceScoreRow> RunReader::service_scores() const {
    return impl_->list<ServiceScoreRow>();
}
std::vector<ProbeResultRow> RunReader::probe_results() const {
    return impl_->list<ProbeResultRow>();
}
std::vector<FlowTraceRow> RunReader::flow_traces() const {
    return impl_->list<FlowTraceRow>();
}
std::vector<FlowTraceStretchRow> RunReader::flow_trace_stretches() const {
    return impl_->list<FlowTraceStretchRow>();
}
std::vector<FlowTracePacketRow> RunReader::flow_trace_packets() const {
    return impl_->list<FlowTracePacketRow>();
}
std::vector<FlowTraceHopRow> RunReader::flow_trace_hops() const {
    return impl_->list<FlowTraceHopRow>();
}

void RunReader::for_each_path_record(const std::function<void(const PathRecordRow&)>& visit) const {
    impl_->visit_where<PathRecordRow>("ORDER BY id", visit);
}

std::vector<PathRecordRow> RunReader::path_records(RowId session) const {
    return impl_->list_where<PathRecordRow>("WHERE session = ? ORDER BY id", session);
}

std::vector<PathRecordRow> RunReader::path_records_between(std::int64_t from_ns, std::int64_t to_ns) const {
    return impl_->list_where<PathRecordRow>("WHERE t_ns >= ? AND t_ns < ? ORDER BY id", from_ns, to_ns);
}

std::vector<PathRecordRow> RunReader::last_path_records() const {
    // Of a group, SQLite takes a bare column from the row that has the one maximum of the query.
    return impl_->list_where<PathRecordRow>(
        "WHERE id IN (SELECT id FROM path_records GROUP BY session, path_index, generation "
        "HAVING max(t_ns) IS NOT NULL) ORDER BY session, path_index, generation");
}

RunReader::UpdateSummary RunReader::update_summary() const {
    return impl_->guarded("updates", [&] {
        SQLite::Statement query(impl_->db, "SELECT count(*), min(t_ns), max(t_ns) FROM updates");
        query.executeStep();
        UpdateSummary summary;
        read_one(query.getColumn(0), summary.count);
        read_one(query.getColumn(1), summary.first_ns);
        read_one(query.getColumn(2), summary.last_ns);
        return summary;
    });
}

std::int64_t RunReader::last_time_ns() const {
    std::int64_t last = 0;
    for (const Table& source : tables()) {
        if (source.kind != TableKind::Measured || !impl_->has(source)) continue;
        for (const Column& column : source.columns) {
            // Delays are lengths of time; every other column in nanoseconds is a moment.
            if (!column.name.ends_with("_ns") || column.name == "delay_ns") continue;
            impl_->guarded(source.name, [&] {
                SQLite::Statement query(impl_->db, "SELECT max(" + std::string(column.name) + ") FROM " +
                                                       std::string(source.name));
                query.executeStep();
                std::optional<std::int64_t> greatest;
                read_one(query.getColumn(0), greatest);
                last = std::max(last, greatest.value_or(0));
            });
        }
    }
    return last;
}

}  // namespace dyetrace::store
