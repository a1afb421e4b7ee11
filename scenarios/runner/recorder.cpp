// SPDX-License-Identifier: GPL-2.0-or-later
#include "scenarios/runner/recorder.h"

#include <cstdio>
#include <string>
#include <variant>

#include "core/eppc/counter_names.h"
#include "core/health/counter_names.h"
#include "core/session/machine.h"

namespace dyetrace::runner {
namespace {

std::string text(std::string_view view) {
    return std::string(view);
}

std::string describe(const wire::SamplingSpec& sampling) {
    using Kind = wire::SamplingSpec::Kind;
    char buffer[64];
    switch (sampling.kind) {
        case Kind::EveryNth: std::snprintf(buffer, sizeof buffer, "every %u", sampling.value); break;
        case Kind::Probability:
        case Kind::HashConsistent:
            std::snprintf(buffer, sizeof buffer, "%s %.4g", text(wire::to_string(sampling.kind)).c_str(),
                          sampling.share().value_or(0));
            break;
        case Kind::RateBudget:
            std::snprintf(buffer, sizeof buffer, "up to %u a second", sampling.value);
            break;
    }
    return std::string(buffer) + (sampling.filtered ? " of filtered flows" : "");
}

/// What the directive asks for.
std::string describe(const wire::DirectiveBody& directive, const std::string& peer) {
    switch (directive.kind) {
        case wire::DirectiveKind::Investigate:
            return "sample " + describe(directive.sampling) + " and trace the paths to " + peer;
        case wire::DirectiveKind::OpenSession:
            return "measure " + peer + ", sample " + describe(directive.sampling);
        case wire::DirectiveKind::Trace: return "trace the paths to " + peer;
        case wire::DirectiveKind::Repath: {
            std::string text = directive.paths.size() == 1 ? "move path" : "move paths";
            for (const wire::DirectivePath& path : directive.paths)
                text += " " + std::to_string(path.path.value);
            return text + " to " + peer;
        }
        case wire::DirectiveKind::TraceFlow: return "follow a flow to " + peer;
    }
    return {};
}

/// What was asked for; of a budget, which asks for no share, what was attained.
double share_of(const wire::SessionEntry& entry) {
    const double offered = static_cast<double>(std::max<std::uint64_t>(entry.offered, 1));
    return entry.sampling.share().value_or(static_cast<double>(entry.tagged) / offered);
}

}  // namespace

store::RowId Recorder::node_of(IpAddress address) const {
    const auto node = graph_.find(address);
    DYETRACE_ASSERT(node);  // EPPCs and routers of the run are all in the graph
    return node->value;
}

std::string Recorder::name_of(IpAddress address) const {
    const auto node = graph_.find(address);
    return node ? graph_.name(*node) : address.to_string();
}

store::SessionRow& Recorder::session_of(IpAddress requester, IpAddress acceptor, SessionId id) {
    const auto [it, fresh] = sessions_.try_emplace({requester, acceptor, id});
    store::SessionRow& row = it->second;
    if (fresh) {
        row.requester_node = node_of(requester);
        row.acceptor_node = node_of(acceptor);
        row.session_id = id.value;
        row.state = "idle";
        row.id = writer_.add_session(row);
    }
    return row;
}

store::PathRow& Recorder::path_of(store::RowId session, PathIndex path, PathGeneration generation) {
    const auto [it, fresh] = paths_.try_emplace({session, path.value, generation.value});
    store::PathRow& row = it->second;
    if (fresh) {
        row.session = session;
        row.path_index = path.value;
        row.generation = generation.value;
        row.id = writer_.add_path(row);
    }
    return row;
}

void Recorder::EppcOutput(std::uint32_t /*host*/, const eppc::Output& /*output*/) {
    // An EPPC's view reaches the record by way of the health service, as it would in a real network.
}

void Recorder::NhmsOutput(std::uint32_t /*host*/, const health::Output& output) {
    std::visit([this](const auto& event) { record(event); }, output);
}

void Recorder::record(const health::UpdateReceived& update) {
    if (update.repeated) return;
    writer_.add_update(
        {0, update.at.ns, node_of(update.eppc), update.boot.value, update.sequence, update.entries});
}

void Recorder::record(const health::SessionReported& reported) {
    const wire::SessionEntry& entry = reported.entry;
    store::SessionRow& row = session_of(reported.requester, entry.peer, entry.session);
    const auto state = static_cast<session::State>(entry.state);
    if (entry.state > static_cast<std::uint8_t>(session::State::PeerLost)) return;  // of a later version
    const std::string before = row.state;
    row.state = text(session::to_string(state));
    row.sampling_kind = text(wire::to_string(entry.sampling.kind));
    row.sampling_rate = share_of(entry);
    switch (state) {
        case session::State::Requested: row.requested_ns = entry.changed_ns; break;
        case session::State::Active: row.active_ns = entry.changed_ns; break;
        case session::State::Closed:
        case session::State::Rejected:
        case session::State::Expired:
        case session::State::PeerLost: row.closed_ns = entry.changed_ns; break;
        case session::State::Idle:
        case session::State::Closing: break;
    }
    writer_.update_session(row);
    writer_.add_session_event({0, row.id, entry.changed_ns, before, row.state, ""});
}

void Recorder::record(const health::RecordReceived& received) {
    const wire::PathRecord& measured = received.entry.record;
    store::PathRecordRow row;
    row.session = session_of(received.requester, received.entry.peer, received.entry.session).id;
    row.path_index = measured.path.value;
    row.generation = measured.generation.value;
    row.t_ns = measured.measured_ns;
    row.sent = measured.sent;
    row.received = measured.received;
    row.tracked_sent = measured.tracked_sent;
    row.tracked_received = measured.tracked_received;
    row.duplicates = measured.duplicates;
    row.late = measured.late;
    row.delay_ns_min = measured.delay_ns_min;
    row.delay_ns_sum = measured.delay_ns_sum;
    row.delay_ns_max = measured.delay_ns_max;
    row.delay_count = measured.delay_count;
    row.open = (measured.flags & wire::PathRecord::kFlagOpen) != 0;
    row.excess = (measured.flags & wire::PathRecord::kFlagExcess) != 0;
    writer_.add_path_record(row);
    path_of(row.session, measured.path, measured.generation);
}

void Recorder::record(const health::PathReported& reported) {
    const wire::PathEntry& entry = reported.entry;
    const store::RowId session = session_of(reported.requester, entry.peer, entry.session).id;
    store::PathRow& row = path_of(session, entry.path, entry.generation);
    const bool known = !reported.nodes.empty();
    if (row.learned_ns && !known) return;  // what was learned before stands
    row.udp_source_port = entry.source_port;
    row.learned_ns = entry.traced_ns;
    row.complete = known;
    row.hops.clear();
    for (const localise::NodeId node : reported.nodes)
        row.hops.push_back(node.value);
    writer_.update_path(row);
}

void Recorder::record(const health::LossSeen& loss) {
    const store::RowId session = session_of(loss.requester, loss.acceptor, loss.session).id;
    writer_.add_evidence(
        {0, loss.at.ns, session, loss.path.value, loss.generation.value, loss.sent, loss.lost});
}

void Recorder::record(const health::HealthChanged& change) {
    store::DetectionRow row;
    row.t_ns = change.at.ns;
    row.subject = name_of(change.requester) + " > " + name_of(change.acceptor);
    row.kind = text(health::to_string(change.metric));
    row.state = text(health::to_string(change.health));
    row.statistic = change.statistic;
    row.sent = change.sent;
    row.lost = change.lost;
    row.reason = change.reason;
    // A first "healthy" is where a session began, not something that was detected.
    if (change.health == health::Health::Degraded || change.health == health::Health::Failed)
        writer_.add_detection(row);
}

void Recorder::record(const health::IncidentChanged& change) {
    const auto [it, fresh] = incidents_.try_emplace(change.incident);
    store::IncidentRow& row = it->second;
    row.state = text(health::to_string(change.state));
    row.reason = change.detail;
    const bool is_over = change.state == health::IncidentState::Refuted ||
                         change.state == health::IncidentState::Closed ||
                         change.state == health::IncidentState::Merged;
    if (is_over && !row.closed_ns) row.closed_ns = change.at.ns;
    if (fresh) {
        row.opened_ns = change.at.ns;
        row.subject = health::describe(change.subject, graph_);
        row.id = writer_.add_incident(row);
    } else {
        writer_.update_incident(row);
    }
    writer_.add_incident_event(
        {0, row.id, change.at.ns, text(health::to_string(change.step)), change.detail});
}

void Recorder::record(const health::DirectiveSent& sent) {
    if (sent.incident == health::IncidentId{}) return;  // of none
    store::DirectiveRow& row = directives_[sent.directive];
    row.incident = incidents_.at(sent.incident).id;
    row.t_ns = sent.at.ns;
    row.node = node_of(sent.eppc);
    row.kind = text(wire::to_string(sent.body.kind));
    row.detail = describe(sent.body, name_of(sent.body.peer));
    row.id = writer_.add_directive(row);
    writer_.add_incident_event({0, row.incident, sent.at.ns,
                                text(health::to_string(health::IncidentStep::DirectiveSent)),
                                name_of(sent.eppc) + ": " + row.detail});
}

void Recorder::record(const health::DirectiveAnswered& answer) {
    const auto asked = directives_.find(answer.directive);
    if (asked == directives_.end()) return;  // of no incident
    store::DirectiveRow& row = asked->second;
    row.acked_ns = answer.at.ns;
    writer_.update_directive(row);
    writer_.add_incident_event(
        {0, row.incident, answer.at.ns, text(health::to_string(health::IncidentStep::DirectiveAnswered)),
         graph_.name(localise::NodeId{static_cast<std::uint32_t>(row.node)}) + ": " +
             text(wire::to_string(answer.result.status)) + ", " + std::to_string(answer.result.paths) +
             (row.kind == "repath" ? " paths moved" : " paths traced again")});
}

void Recorder::record(const health::DrainRequested& /*drain*/) {
    // The incident's step says so, and this and the next two are how somebody else hears of it.
}
void Recorder::record(const health::MigrationRequested& /*migration*/) {}
void Recorder::record(const health::OperatorNotified& /*notice*/) {}

void Recorder::record(const health::SuspectsNamed& named) {
    std::int64_t rank = 0;
    for (const localise::Suspect& suspect : named.suspects) {
        store::SuspectRow row;
        row.incident = incidents_.at(named.incident).id;
        row.t_ns = named.at.ns;
        row.rank = ++rank;
        if (suspect.kind == localise::Suspect::Kind::Link) {
            row.kind = "link";
            row.from_node = suspect.from.value;
            row.to_node = suspect.to.value;
        } else {
            row.kind = "device";
            row.device_node = suspect.device.value;
        }
        row.log_odds = suspect.log_odds;
        if (suspect.group >= 0) row.group_id = suspect.group;
        row.loss_rate = suspect.loss_rate;
        writer_.add_suspect(row);
    }
}

namespace {

/// Adds one row for each number that is not zero.
class CounterRows {
  public:
    CounterRows(store::RunWriter& writer, std::uint32_t node, std::string engine)
        : writer_(writer), node_(node), engine_(std::move(engine)) {}
    void add(std::string_view name, std::uint64_t value) {
        if (value != 0) writer_.add_counter({node_, engine_, text(name), value});
    }
    void add(const wire::DropCounters& drops) {
        drops.for_each(
            [this](wire::DropReason reason, std::uint64_t count) { add(wire::to_string(reason), count); });
    }

  private:
    store::RunWriter& writer_;
    store::RowId node_;
    std::string engine_;
};

}  // namespace

void Recorder::add_counters(std::uint32_t host, const eppc::Eppc& eppc) {
    CounterRows rows(writer_, host, "eppc");
    for (const eppc::NamedCounter& counter : eppc::kCounters)
        rows.add(counter.name, eppc.counters().*counter.field);
    rows.add(eppc.drops());
}

void Recorder::add_counters(const health::Nhms& nhms, std::uint32_t host) {
    CounterRows rows(writer_, host, "nhms");
    health::for_each_counter(nhms.counters(),
                             [&](std::string_view name, std::uint64_t value) { rows.add(name, value); });
    if (const health::ClientView* const clients = nhms.clients()) {
        rows.add("client-pairs-over-limit", clients->counters().pairs_over_limit);
        rows.add("client-events-lost", clients->counters().events_lost);
    }
    rows.add(nhms.drops());
}

}  // namespace dyetrace::runner
