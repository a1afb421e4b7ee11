// SPDX-License-Identifier: GPL-2.0-or-later
#include "analysis/store/run_writer.h"

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "analysis/store/database_file.h"
#include "analysis/store/error.h"
#include "analysis/store/output_path.h"
#include "analysis/store/schema.h"
#include "analysis/store/statements.h"

namespace dyetrace::store {
namespace {

using Clock = std::chrono::steady_clock;

// Seldom enough that a commit's cost vanishes (some milliseconds), often enough that a killed run loses
// little.
constexpr auto commit_interval = std::chrono::milliseconds(400);
// A reader blocks the writer only for the moment in which a finished run leaves its write-ahead log.
constexpr int busy_timeout_ms = 2000;
constexpr int sqlite_busy = 5;  // SQLITE_BUSY

/// Another process that adds to the run holds its write lock nearly all the time.
bool is_being_written(const std::filesystem::path& path) {
    try {
        SQLite::Database db(path.string(), SQLite::OPEN_READWRITE);
        db.exec("BEGIN IMMEDIATE; ROLLBACK");
        return false;
    } catch (const SQLite::Exception& error) {
        return error.getErrorCode() == sqlite_busy;
    }
}

void remove_run(const std::filesystem::path& path) {
    std::error_code error;
    if (!std::filesystem::is_empty(path, error) && is_being_written(path)) {
        throw NotReplaced(path.string() + " is being written by another process: not replaced");
    }
    for (const auto& file : {path, journal_of(path), wal_of(path), shared_memory_of(path)}) {
        std::filesystem::remove(file, error);
        if (error) throw CannotWrite(file.string() + " cannot be replaced: " + error.message());
    }
}

/// Makes the empty file that SQLite then fills. Of two processes with the same idea only one succeeds.
void claim(const std::filesystem::path& path) {
    std::FILE* file = std::fopen(path.c_str(), "wxb");
    if (file == nullptr) {
        if (errno == EEXIST) throw OutputExists(path.string() + " exists already");
        throw CannotWrite(path.string() + " cannot be created: " + std::strerror(errno));
    }
    std::fclose(file);
}

void create_schema(SQLite::Database& db) {
    // All or nothing, the header's numbers too: a file either is a run, or says that it is not.
    SQLite::Transaction transaction(db);
    db.exec("PRAGMA application_id = " + std::to_string(application_id));
    db.exec("PRAGMA user_version = " + std::to_string(schema_version));
    for (const Table& table : tables())
        db.exec(create_table_sql(table));
    db.exec("INSERT INTO provenance (key, value) VALUES ('complete', '0')");
    transaction.commit();
}

void tune(SQLite::Database& db) {
    // With a write-ahead log, readers (a viewer that follows the run) never block the writer, and a process
    // that dies leaves every commit readable. It is merged into the one file when the writer closes.
    db.exec("PRAGMA journal_mode = WAL");
    // No waiting for the disk: that would guard against a crash of the machine only, after which a run is
    // repeated.
    db.exec("PRAGMA synchronous = OFF");
    db.exec("PRAGMA foreign_keys = ON");
    db.exec("PRAGMA temp_store = MEMORY");
    db.exec("PRAGMA cache_size = -32768");  // 32 MiB
}

}  // namespace

struct RunWriter::Impl {
    explicit Impl(std::filesystem::path path_)
        : path(std::move(path_)),
          db(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, busy_timeout_ms) {
        create_schema(db);
        tune(db);
        transaction.emplace(db);
    }

    ~Impl() {
        if (closed) return;
        try {
            close(/*complete=*/false);
        } catch (const std::exception&) {
            // Nobody is left to tell. What was committed is on the disk, the rest is rolled back on opening.
        }
    }

    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    /// Does something with SQLite, and says what failed in words of this folder.
    template <class Action>
    auto guarded(Action action) -> decltype(action()) {
        if (!transaction) throw Error(path.string() + ": nothing can be added to a run that is finished");
        try {
            return action();
        } catch (const SQLite::Exception& error) {
            throw CannotWrite(path.string() + " cannot be written: " + error.what());
        }
    }

    SQLite::Statement& prepared(const std::string& sql) {
        auto found = statements.find(sql);
        if (found == statements.end()) found = statements.emplace(sql, SQLite::Statement(db, sql)).first;
        return found->second;
    }

    template <class Row>
    void insert(const Row& row) {
        guarded([&] {
            static const std::string sql = insert_sql(table(table_of<Row>));
            SQLite::Statement& statement = prepared(sql);
            bind_row(statement, row);
            statement.exec();
            statement.reset();
            if constexpr (std::is_same_v<Row, PathRow>) insert_hops(row.id, row.hops);
        });
        commit_if_due();
    }

    /// Inserts under the next id of the table.
    template <class Row>
    RowId insert_numbered(Row row, RowId& next_id) {
        row.id = next_id;
        insert(row);
        return next_id++;
    }

    template <class Row>
    void update(const Row& row) {
        guarded([&] {
            SQLite::Statement& statement = prepared(update_sql(table(table_of<Row>)));
            bind_row(statement, row);
            const int changed = statement.exec();
            statement.reset();
            if (changed != 1) {
                throw Error(path.string() + ": " + std::string(table_of<Row>) + " has no row " +
                            std::to_string(row.id) + " to update");
            }
            if constexpr (std::is_same_v<Row, PathRow>) {
                remove_hops(row.id);
                insert_hops(row.id, row.hops);
            }
        });
        commit_if_due();
    }

    void insert_hops(RowId path_id, const std::vector<RowId>& hops) {
        SQLite::Statement& statement = prepared(insert_sql(table("path_hops")));
        std::int64_t hop = 0;
        for (const RowId node : hops) {
            statement.bind(1, path_id);
            statement.bind(2, hop++);
            statement.bind(3, node);
            statement.exec();
            statement.reset();
        }
    }

    void remove_hops(RowId path_id) {
        SQLite::Statement& statement = prepared("DELETE FROM path_hops WHERE path = ?");
        statement.bind(1, path_id);
        statement.exec();
        statement.reset();
    }

    void set_provenance(std::string_view key, std::string_view value) {
        guarded([&] {
            SQLite::Statement& statement = prepared(
                "INSERT INTO provenance (key, value) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
            statement.bind(1, std::string(key));
            statement.bind(2, std::string(value));
            statement.exec();
            statement.reset();
        });
    }

    void commit_if_due() {
        const auto now = Clock::now();
        if (now - last_commit < commit_interval) return;
        commit();
        last_commit = now;
    }

    void commit() {
        guarded([&] {
            transaction->commit();
            transaction.emplace(db);
        });
    }

    void close(bool complete) {
        closed = true;  // there is no second try
        if (complete) set_provenance("complete", "1");
        guarded([&] {
            for (const std::string_view sql : create_index_sql())
                db.exec(std::string(sql));
            transaction->commit();
            transaction.reset();
            statements.clear();
            db.exec("PRAGMA optimize");
        });
        // Fails while somebody reads: then the log stays beside the database, and both are read together.
        db.tryExec("PRAGMA journal_mode = DELETE");
    }

    std::filesystem::path path;
    SQLite::Database db;
    std::map<std::string, SQLite::Statement> statements;  ///< by their SQL
    std::optional<SQLite::Transaction> transaction;
    Clock::time_point last_commit = Clock::now();
    bool closed = false;

    // A fabric's nodes and links have dense indices from 0 in memory, and the same ones here.
    RowId next_node = 0, next_link = 0;
    RowId next_session = 1, next_session_event = 1, next_path = 1, next_path_record = 1, next_update = 1;
    RowId next_evidence = 1, next_detection = 1, next_incident = 1, next_incident_event = 1,
          next_directive = 1;
    RowId next_suspect = 1, next_fault = 1;
    RowId next_tenant = 1, next_tenant_guest = 1, next_tenant_state = 1, next_tenant_pair = 1,
          next_tenant_pair_state = 1, next_tenant_share = 1, next_tenant_notification = 1,
          next_service_score = 1, next_probe_result = 1, next_flow_trace = 1, next_flow_trace_stretch = 1,
          next_flow_trace_packet = 1, next_flow_trace_hop = 1;
};

RunWriter RunWriter::create(const std::filesystem::path& path, Overwrite overwrite) {
    refuse_existing(path, overwrite == Overwrite::Replace, {"a run of dyetrace", is_run_database});
    std::error_code error;
    if (std::filesystem::exists(path, error)) remove_run(path);
    claim(path);
    try {
        return RunWriter(std::make_unique<Impl>(path));
    } catch (const SQLite::Exception& failure) {
        std::filesystem::remove(path, error);
        throw CannotWrite(path.string() + " cannot be created: " + failure.what());
    }
}

RunWriter::RunWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunWriter::RunWriter(RunWriter&&) noexcept = default;
RunWriter& RunWriter::operator=(RunWriter&&) noexcept = default;
RunWriter::~RunWriter() = default;

void RunWriter::set_provenance(std::string_view key, std::string_view value) {
    if (key == "complete") throw Error("provenance 'complete' is set by finish() only");
    impl_->set_provenance(key, value);
    impl_->commit_if_due();
}

RowId RunWriter::add_node(const NodeRow& row) {
    return impl_->insert_numbered(row, impl_->next_node);
}
RowId RunWriter::add_link(const LinkRow& row) {
    return impl_->insert_numbered(row, impl_->next_link);
}
RowId RunWriter::add_session(const SessionRow& row) {
    return impl_->insert_numbered(row, impl_->next_session);
}
RowId RunWriter::add_session_event(const SessionEventRow& row) {
    return impl_->insert_numbered(row, impl_->next_session_event);
}
RowId RunWriter::add_path(const PathRow& row) {
    return impl_->insert_numbered(row, impl_->next_path);
}
RowId RunWriter::add_path_record(const PathRecordRow& row) {
    return impl_->insert_numbered(row, impl_->next_path_record);
}
RowId RunWriter::add_update(const UpdateRow& row) {
    return impl_->insert_numbered(row, impl_->next_update);
}
RowId RunWriter::add_evidence(const EvidenceRow& row) {
    return impl_->insert_numbered(row, impl_->next_evidence);
}
RowId RunWriter::add_detection(const DetectionRow& row) {
    return impl_->insert_numbered(row, impl_->next_detection);
}
RowId RunWriter::add_incident(const IncidentRow& row) {
    return impl_->insert_numbered(row, impl_->next_incident);
}
RowId RunWriter::add_incident_event(const IncidentEventRow& row) {
    return impl_->insert_numbered(row, impl_->next_incident_event);
}
RowId RunWriter::add_directive(const DirectiveRow& row) {
    return impl_->insert_numbered(row, impl_->next_directive);
}
RowId RunWriter::add_suspect(const SuspectRow& row) {
    return impl_->insert_numbered(row, impl_->next_suspect);
}
void RunWriter::add_counter(const CounterRow& row) {
    impl_->insert(row);
}

void RunWriter::update_session(const SessionRow& row) {
    impl_->update(row);
}
void RunWriter::update_path(const PathRow& row) {
    impl_->update(row);
}
void RunWriter::update_incident(const IncidentRow& row) {
    impl_->update(row);
}
void RunWriter::update_directive(const DirectiveRow& row) {
    impl_->update(row);
}

RowId RunWriter::add_tenant(const TenantRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant);
}
RowId RunWriter::add_tenant_guest(const TenantGuestRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_guest);
}
RowId RunWriter::add_tenant_state(const TenantStateRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_state);
}
RowId RunWriter::add_tenant_pair(const TenantPairRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_pair);
}
RowId RunWriter::add_tenant_pair_state(const TenantPairStateRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_pair_state);
}
RowId RunWriter::add_tenant_share(const TenantShareRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_share);
}
RowId RunWriter::add_tenant_notification(const TenantNotificationRow& row) {
    return impl_->insert_numbered(row, impl_->next_tenant_notification);
}
RowId RunWriter::add_service_score(const ServiceScoreRow& row) {
    return impl_->insert_numbered(row, impl_->next_service_score);
}
RowId RunWriter::add_probe_result(const ProbeResultRow& row) {
    return impl_->insert_numbered(row, impl_->next_probe_result);
}
RowId RunWriter::add_flow_trace(const FlowTraceRow& row) {
    return impl_->insert_numbered(row, impl_->next_flow_trace);
}
RowId RunWriter::add_flow_trace_stretch(const FlowTraceStretchRow& row) {
    return impl_->insert_numbered(row, impl_->next_flow_trace_stretch);
}
RowId RunWriter::add_flow_trace_packet(const FlowTracePacketRow& row) {
    return impl_->insert_numbered(row, impl_->next_flow_trace_packet);
}
RowId RunWriter::add_flow_trace_hop(const FlowTraceHopRow& row) {
    return impl_->insert_numbered(row, impl_->next_flow_trace_hop);
}
void RunWriter::update_flow_trace(const FlowTraceRow& row) {
    impl_->update(row);
}

RowId RunWriter::add_truth_fault(const TruthFaultRow& row) {
    return impl_->insert_numbered(row, impl_->next_fault);
}
void RunWriter::add_truth_drop(const TruthDropRow& row) {
    impl_->insert(row);
}
void RunWriter::add_truth_path(const TruthPathRow& row) {
    impl_->insert(row);
}

void RunWriter::commit_if_due() {
    impl_->commit_if_due();
}
void RunWriter::commit() {
    impl_->commit();
}
void RunWriter::finish() {
    impl_->close(/*complete=*/true);
}

}  // namespace dyetrace::store
