// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/analysis/sample_run.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "analysis/store/rows.h"

namespace dyetrace::testing {
namespace {

using store::RowId;

constexpr std::int64_t report_interval_ns = 20'000'000;

class SampleWriter {
  public:
    SampleWriter(const std::filesystem::path& path, const SampleRun& sample)
        : sample_(sample),
          half_(sample.k / 2),
          run_(store::RunWriter::create(path, store::Overwrite::Replace)) {}

    void write() {
        add_provenance();
        add_fabric();
        add_sessions();
        for (std::int64_t t = report_interval_ns; t <= sample_.duration_ns; t += report_interval_ns)
            add_reports(t);
        if (sample_.fault) add_incident();
        add_counters();
        add_truth();
        if (sample_.finish) run_.finish();
    }

  private:
    struct SamplePath {
        RowId session = 0;
        RowId requester = 0;
        RowId acceptor = 0;
        std::uint32_t session_id = 0;
        std::uint16_t index = 0;
        bool through_fault = false;
        store::PathRecordRow totals = {};
    };

    void add_provenance() {
        run_.set_provenance("scenario_path", "scenarios/sample <&>.toml");
        run_.set_provenance("scenario_text", "[fabric]\nkind = \"fat-tree\" # <b>not markup</b>\n");
        run_.set_provenance("seed", "1");
        run_.set_provenance("run", "1");
        run_.set_provenance("ns3_version", "3.37");
        run_.set_provenance("simulated_ns", std::to_string(sample_.duration_ns));
    }

    void add_node(const std::string& name, const std::string& kind, int pod, int position) {
        store::NodeRow row{.name = name, .kind = kind};
        row.address = "10." + std::to_string(pod < 0 ? sample_.k : pod) + "." +
                      std::to_string(nodes_.size() / 200) + "." + std::to_string(nodes_.size() % 200 + 1);
        if (pod >= 0) row.pod = pod;
        row.position = position;
        nodes_[name] = run_.add_node(row);
    }

    void add_cable(const std::string& a, const std::string& b) {
        for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
            run_.add_link({.from_node = nodes_.at(from),
                           .to_node = nodes_.at(to),
                           .rate_bps = 1'000'000'000,
                           .delay_ns = 1000});
        }
    }

    static std::string name(const std::string& kind, int a, int b) {
        return kind + "-" + std::to_string(a) + "-" + std::to_string(b);
    }

    void add_fabric() {
        for (int pod = 0; pod < sample_.k; ++pod) {
            for (int edge = 0; edge < half_; ++edge) {
                for (int i = 0; i < half_; ++i) {
                    hosts_.push_back(name("host", pod, edge) + "-" + std::to_string(i));
                    add_node(hosts_.back(), "host", pod, edge * half_ + i);
                }
            }
        }
        for (int pod = 0; pod < sample_.k; ++pod) {
            for (int i = 0; i < half_; ++i)
                add_node(name("edge", pod, i), "edge", pod, i);
            for (int i = 0; i < half_; ++i)
                add_node(name("agg", pod, i), "agg", pod, i);
        }
        for (int i = 0; i < half_ * half_; ++i)
            add_node("core-" + std::to_string(i), "core", -1, i);
        for (int pod = 0; pod < sample_.k; ++pod) {
            for (int i = 0; i < half_; ++i) {
                for (int j = 0; j < half_; ++j) {
                    add_cable(name("host", pod, i) + "-" + std::to_string(j), name("edge", pod, i));
                    add_cable(name("edge", pod, i), name("agg", pod, j));
                    add_cable(name("agg", pod, i), "core-" + std::to_string(i * half_ + j));
                }
            }
        }
    }

    /// The nodes of a path whose core switch is `core`; inside a pod or a rack it turns back earlier.
    std::vector<RowId> route(int from, int to, int core) const {
        const int per_pod = half_ * half_;
        const int pod_a = from / per_pod, edge_a = from % per_pod / half_;
        const int pod_b = to / per_pod, edge_b = to % per_pod / half_;
        std::vector<std::string> names{hosts_[static_cast<std::size_t>(from)], name("edge", pod_a, edge_a)};
        if (pod_a != pod_b || edge_a != edge_b) names.push_back(name("agg", pod_a, core / half_));
        if (pod_a != pod_b) {
            names.push_back("core-" + std::to_string(core));
            names.push_back(name("agg", pod_b, core / half_));
        }
        if (pod_a != pod_b || edge_a != edge_b) names.push_back(name("edge", pod_b, edge_b));
        names.push_back(hosts_[static_cast<std::size_t>(to)]);
        std::vector<RowId> hops;
        for (const auto& n : names)
            hops.push_back(nodes_.at(n));
        return hops;
    }

    void add_sessions() {
        const int count = static_cast<int>(hosts_.size());
        for (int from = 0; from < count; ++from) {
            for (const int step : {count / 4 + 1, count / 2 + 1})
                add_session(from, (from + step) % count);
        }
        // And one that was refused.
        const RowId rejected = run_.add_session({.requester_node = 0,
                                                 .acceptor_node = 1,
                                                 .session_id = 1,
                                                 .state = "rejected",
                                                 .reason = "sessions-full",
                                                 .requested_ns = 500'000,
                                                 .sampling_kind = "every-nth",
                                                 .sampling_rate = 0.01});
        run_.add_session_event(
            {.session = rejected, .t_ns = 500'000, .from_state = "idle", .to_state = "requested"});
        run_.add_session_event({.session = rejected,
                                .t_ns = 700'000,
                                .from_state = "requested",
                                .to_state = "rejected",
                                .reason = "sessions-full"});
    }

    void add_session(int from, int to) {
        const auto id = static_cast<std::uint32_t>(++sessions_);
        store::SessionRow row{.requester_node = from,
                              .acceptor_node = to,
                              .session_id = id,
                              .state = "requested",
                              .requested_ns = 100'000 + from * 1000,
                              .sampling_kind = "every-nth",
                              .sampling_rate = 0.01};
        row.id = run_.add_session(row);
        row.state = "active";
        row.active_ns = 900'000 + from * 1000;
        run_.update_session(row);
        run_.add_session_event(
            {.session = row.id, .t_ns = *row.requested_ns, .from_state = "idle", .to_state = "requested"});
        run_.add_session_event(
            {.session = row.id, .t_ns = *row.active_ns, .from_state = "requested", .to_state = "active"});
        for (std::uint16_t index = 0; index < sample_.paths; ++index)
            add_path(row, from, to, index);
    }

    void add_path(const store::SessionRow& session, int from, int to, std::uint16_t index) {
        const int core = (from + to + index) % (half_ * half_);
        store::PathRow row{.session = session.id,
                           .path_index = index,
                           .generation = 1,
                           .udp_source_port = static_cast<std::uint16_t>(49152 + index),
                           .learned_ns = 5'000'000,
                           .complete = true,
                           .hops = route(from, to, core)};
        run_.add_path(row);
        SamplePath path{.session = session.id,
                        .requester = from,
                        .acceptor = to,
                        .session_id = session.session_id,
                        .index = index};
        for (std::size_t i = 1; i < row.hops.size(); ++i) {
            if (row.hops[i - 1] == fault_from() && row.hops[i] == fault_to()) path.through_fault = true;
        }
        path.totals = {.session = session.id, .path_index = index, .generation = 1, .delay_ns_min = 21'000};
        paths_.push_back(path);
    }

    RowId fault_from() const { return nodes_.at(sample_fault_from); }
    RowId fault_to() const { return nodes_.at(sample_fault_to); }

    /// Packets of a window that are lost on a path, by a rule that anybody can follow.
    std::uint64_t lost_in_window(const SamplePath& path, std::int64_t t, std::uint64_t sent_before,
                                 std::uint64_t sent) const {
        const bool congested = path.acceptor == 2 && t > 200'000'000 && t <= 250'000'000;
        const bool faulty = sample_.fault && path.through_fault && t > sample_fault_ns;
        if (congested) return sent / 10;
        return faulty ? (sent_before + sent) / 100 - sent_before / 100 : 0;
    }

    void add_reports(std::int64_t t) {
        for (SamplePath& path : paths_) {
            auto& totals = path.totals;
            const std::uint64_t sent = 37 + static_cast<std::uint64_t>(path.requester) % 7;
            const std::uint64_t lost = lost_in_window(path, t, totals.sent, sent);
            totals.t_ns = t + path.requester * 10'000;
            totals.sent += sent;
            totals.received += sent - lost;
            totals.tracked_sent = totals.sent / 20;
            totals.tracked_received = totals.received / 20;
            const auto tracked = static_cast<std::int64_t>(totals.tracked_received - totals.delay_count);
            totals.delay_count = totals.tracked_received;
            totals.delay_ns_sum += tracked * (24'000 + (t / report_interval_ns + path.index) % 5 * 1000);
            totals.delay_ns_max = 28'000;
            totals.open = !sample_.finish || t + report_interval_ns <= sample_.duration_ns;
            run_.add_path_record(totals);
            if (lost == 0) continue;
            run_.add_evidence({.t_ns = totals.t_ns,
                               .session = path.session,
                               .path_index = path.index,
                               .generation = 1,
                               .sent = sent,
                               .lost = lost});
        }
        for (RowId host = 0; host < static_cast<RowId>(hosts_.size()); ++host) {
            run_.add_update({.t_ns = t + host * 10'000,
                             .eppc_node = host,
                             .boot_id = 0xfedcba9876543210U,
                             .sequence = static_cast<std::uint64_t>(t / report_interval_ns),
                             .records = sample_.paths * 2U});
        }
    }

    void add_incident() {
        const SamplePath* sick = nullptr;
        for (const SamplePath& path : paths_) {
            if (path.through_fault && sick == nullptr) sick = &path;
        }
        if (sick == nullptr) return;  // too few paths for anybody to notice
        const std::string pair = hosts_[static_cast<std::size_t>(sick->requester)] + " > " +
                                 hosts_[static_cast<std::size_t>(sick->acceptor)];
        run_.add_detection({.t_ns = sample_detected_ns,
                            .subject = pair,
                            .session = sick->session,
                            .kind = "loss",
                            .state = "degraded",
                            .statistic = 5.3,
                            .sent = 118,
                            .lost = 2,
                            .reason = "sprt"});
        store::IncidentRow incident{
            .opened_ns = sample_detected_ns, .state = "investigating", .subject = pair, .reason = "loss"};
        incident.id = run_.add_incident(incident);
        run_.add_incident_event(
            {.incident = incident.id, .t_ns = sample_detected_ns, .kind = "opened", .detail = pair});
        add_suspect(incident.id, sample_detected_ns, 3.1);
        for (const RowId host : {RowId{0}, RowId{1}}) {
            store::DirectiveRow directive{.incident = incident.id,
                                          .t_ns = sample_detected_ns + 1000,
                                          .node = host,
                                          .kind = "raise-sampling",
                                          .detail = "rate 0.1"};
            directive.id = run_.add_directive(directive);
            directive.acked_ns = directive.t_ns + 60'000;
            run_.update_directive(directive);
        }
        run_.add_incident_event({.incident = incident.id,
                                 .t_ns = sample_confirmed_ns,
                                 .kind = "confirmed",
                                 .detail = "log-odds 15.2"});
        add_suspect(incident.id, sample_confirmed_ns, 15.2);
        incident.state = "confirmed";
        run_.update_incident(incident);
    }

    void add_suspect(RowId incident, std::int64_t t_ns, double log_odds) {
        run_.add_suspect({.incident = incident,
                          .t_ns = t_ns,
                          .rank = 1,
                          .kind = "link",
                          .from_node = fault_from(),
                          .to_node = fault_to(),
                          .log_odds = log_odds,
                          .loss_rate = 0.0101});
    }

    void add_counters() {
        run_.add_counter({.node = 0, .engine = "eppc", .name = "bad-tag", .value = 0});
        run_.add_counter({.node = 1, .engine = "eppc", .name = "bad-tag", .value = 3});
        run_.add_counter({.engine = "fabric", .name = "ttl-exceeded", .value = 7});
    }

    void add_truth() {
        std::uint64_t by_fault = 0, by_queue = 0;
        for (const SamplePath& path : paths_) {
            const std::uint64_t lost = path.totals.sent - path.totals.received;
            (path.through_fault ? by_fault : by_queue) += lost;
            run_.add_truth_path({.requester_node = path.requester,
                                 .acceptor_node = path.acceptor,
                                 .session_id = path.session_id,
                                 .path_index = path.index,
                                 .generation = 1,
                                 .interval = 0,
                                 .sent = path.totals.sent,
                                 .lost = lost});
        }
        run_.add_truth_drop({.from_node = nodes_.at("edge-0-1"),
                             .to_node = 2,
                             .cause = "queue",
                             .data_packets = by_queue,
                             .packets = by_queue});
        if (!sample_.fault) return;
        run_.add_truth_fault({.t_ns = sample_fault_ns,
                              .kind = "silent-drop",
                              .from_node = fault_from(),
                              .to_node = fault_to(),
                              .probability = 0.01});
        run_.add_truth_drop({.from_node = fault_from(),
                             .to_node = fault_to(),
                             .cause = "fault",
                             .data_packets = by_fault,
                             .packets = by_fault + 1});
    }

    SampleRun sample_;
    int half_;
    store::RunWriter run_;
    std::map<std::string, RowId> nodes_;
    std::vector<std::string> hosts_;
    std::vector<SamplePath> paths_;
    int sessions_ = 0;
};

}  // namespace

void write_sample_run(const std::filesystem::path& path, const SampleRun& sample) {
    SampleWriter(path, sample).write();
}

TestFolder::TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dyetrace-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for a test in " + pattern);
    path_ = pattern;
}

TestFolder::~TestFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
}

std::string file_bytes(const std::filesystem::path& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
}

void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace dyetrace::testing
