// SPDX-License-Identifier: GPL-2.0-or-later
// What a health service asks EPPCs to do, for incidents, traces and probes, and what they answer.
#include <algorithm>

#include "core/health/nhms_engine.h"

namespace dyetrace::health {

using wire::ControlMessage;
using wire::ControlType;
using wire::DropReason;

void Nhms::Engine::put(IncidentOutputs outputs, Time now) {
    for (IncidentChanged& change : outputs.changes)
        emit(std::move(change));
    for (const WantedDirective& wanted : outputs.directives)
        issue(wanted, now);
    for (SuspectsNamed& named : outputs.named)
        emit(std::move(named));
    for (const DrainRequested& drain : outputs.drains)
        emit(drain);
    for (const MigrationRequested& migration : outputs.migrations)
        emit(migration);
    for (OperatorNotified& notice : outputs.notices)
        emit(std::move(notice));
}

void Nhms::Engine::refuse(const WantedDirective& wanted, const std::string& why, bool for_good, Time now) {
    if (const Incident* incident = investigation_.find(wanted.incident)) {
        emit(IncidentChanged{
            now, incident->id, incident->state, IncidentStep::DirectiveRefused, incident->subject,
            std::string(wire::to_string(wanted.body.kind)) + " to " + wanted.eppc.to_string() + ": " + why});
    }
    on_no_answer(wanted, for_good, now);
}

void Nhms::Engine::on_no_answer(const WantedDirective& wanted, bool for_good, Time now) {
    if (wanted.body.kind != wire::DirectiveKind::TraceFlow)
        return investigation_.on_no_answer(wanted, for_good, now);
    if (!desk_) return;
    if (for_good) {
        desk_->on_answer(wanted.eppc, wanted.body.flow.trace, false, now);
    } else {
        desk_->on_not_asked(wanted.eppc, wanted.body.flow.trace, now);
    }
}

void Nhms::Engine::issue(const WantedDirective& wanted, Time now) {
    KnownEppc* eppc = eppcs_.find(wanted.eppc);
    if (eppc == nullptr) {
        // A pair that nobody has measured may begin at a host that says nothing, or runs no EPPC at all.
        ++counters.directives_unknown_eppc;
        return refuse(wanted, "no such EPPC has sent an update", true, now);
    }
    const auto in_reach = [&](const PendingDirective& directive) {
        return directive.wanted.eppc != wanted.eppc ||
               eppc->next_directive - directive.number < ReplayWindow::kWidth;
    };
    if (directives_.size() >= config.bounds.directives ||
        !std::all_of(directives_.begin(), directives_.end(), in_reach)) {
        ++counters.directives_no_room;
        return refuse(wanted, "too many wait for an answer", false, now);
    }
    PendingDirective& directive = directives_.emplace_back();
    directive.id = DirectiveId{next_directive_++};
    directive.number = eppc->next_directive++;
    directive.wanted = wanted;
    emit(DirectiveSent{now, directive.id, wanted.incident, wanted.eppc, wanted.body});
    send_directive(directive, now);
}

void Nhms::Engine::send_directive(PendingDirective& directive, Time now) {
    ++directive.attempts;
    directive.retry_at = now + config.directive_retry;
    const KnownEppc* eppc = eppcs_.find(directive.wanted.eppc);
    DYETRACE_ASSERT(eppc != nullptr);
    wire::ControlHeader header;
    header.type = ControlType::Directive;
    header.message_number = directive.number;
    header.sender_boot = eppc->shown_boot;
    header.receiver_boot = eppc->boot;
    std::vector<std::uint8_t> body(directive.wanted.body.encoded_size());
    directive.wanted.body.encode_into(body);
    send(eppc->endpoint, header, body, {eppc->key_id, eppc->key});
}

Result<FlowTraceId, std::string> Nhms::Engine::trace_flow(const FlowTraceRequest& request, Time now) {
    for (const IpAddress host : {request.source_host, request.destination_host}) {
        if (eppcs_.find(host) == nullptr) return Failure{"nothing was heard of " + host.to_string()};
    }
    const auto id = flow_traces_.start(request, now);
    if (!id) return Failure{id.error()};
    for (const auto& [eppc, body] : flow_traces_.directives(*id))
        issue({IncidentId{}, eppc, body}, now);
    return *id;
}

std::optional<FlowTraceResult> Nhms::Engine::flow_trace(FlowTraceId id, Time now) const {
    auto result = flow_traces_.result(id, graph, now);
    if (!result) return result;
    for (FlowTraceResult::Path& path : result->paths) {
        for (FlowTraceResult::Link& link : path.links) {
            const auto crossing = evidence_.crossing(link.link, now - config.memory);
            link.sent = crossing.sent;
            link.lost = crossing.lost;
        }
    }
    return result;
}

Result<Done, std::string> Nhms::Engine::serve(const ClientConfig& clients, Time now) {
    auto made = ClientDesk::create(clients, desk_ ? desk_->numbers() : probe_numbers_, now);
    if (!made) return Failure{made.error()};
    desk_.emplace(std::move(made).value());
    for (std::uint32_t i = 0; i < detectors_.size(); ++i)
        tell_desk_of_health(PairIndex{i}, now);
    ask_all_for_probes(now);
    return Done{};
}

void Nhms::Engine::tell_desk_of_health(PairIndex pair, Time now) {
    const auto [requester, acceptor] = table_.pair(pair);
    const SessionDetector& detector = detectors_[pair.value];
    desk_->set_health(requester, acceptor, detector.health(), detector.confidence(), now);
}

void Nhms::Engine::ask_for_probes(const KnownEppc& eppc, Time now) {
    for (wire::DirectiveBody& body : desk_->ask(eppc.endpoint.address, eppc.boot, now))
        issue({IncidentId{}, eppc.endpoint.address, std::move(body)}, now);
}

void Nhms::Engine::ask_all_for_probes(Time now) {
    for (const auto& [address, eppc] : eppcs_.all())
        ask_for_probes(eppc, now);
}

bool Nhms::Engine::move_guest(std::string_view tenant, std::string_view guest, IpAddress host, Time now) {
    if (!desk_ || !desk_->move_guest(tenant, guest, host, now)) return false;
    // The view keeps nothing of pairs that nobody had guests at.
    for (std::uint32_t i = 0; i < detectors_.size(); ++i) {
        const auto [requester, acceptor] = table_.pair(PairIndex{i});
        const bool is_there = requester == host || acceptor == host;
        if (is_there && detectors_[i].health() != Health::NotMeasured) tell_desk_of_health(PairIndex{i}, now);
    }
    ask_all_for_probes(now);
    return true;
}

bool Nhms::Engine::guests_moved(const GuestsMoved& report, Time now) {
    auto outputs = investigation_.on_guests_moved(report, now);
    if (outputs) put(std::move(*outputs), now);
    return outputs.has_value();
}

void Nhms::Engine::emit_told() {
    for (ClientOutput& told : desk_->take())
        std::visit([this](auto& one) { emit(std::move(one)); }, told);
}

void Nhms::Engine::settle_clients(Time now) {
    while (const auto id = flow_traces_.take_any())
        tell_traced(*id, now);
    if (!desk_) return;
    desk_->settle(now);
    emit_told();
}

void Nhms::Engine::tell_traced(FlowTraceId id, Time now) {
    if (auto result = flow_trace(id, now))
        emit(FlowTraced{now, id, std::make_shared<const FlowTraceResult>(std::move(*result))});
}

void Nhms::Engine::retry_directives(Time now) {
    std::erase_if(directives_, [&](PendingDirective& directive) {
        if (now < directive.retry_at) return false;
        const bool is_gone = eppcs_.find(directive.wanted.eppc) == nullptr;  // has given way to another
        if (is_gone || directive.attempts >= config.directive_attempts) {
            ++counters.directives_unanswered;
            on_no_answer(directive.wanted, true, now);
            return true;
        }
        send_directive(directive, now);
        return false;
    });
}

void Nhms::Engine::take_directive_result(const ControlMessage& message, IpAddress from, Time now) {
    const KnownEppc* eppc = eppcs_.find(from);
    if (eppc == nullptr || message.header.sender_boot != eppc->boot ||
        message.header.receiver_boot != eppc->shown_boot) {
        return drops.add(DropReason::ControlWrongBoot);
    }
    const auto result = wire::DirectiveResultBody::parse(message.body);
    if (!result) return drops.add(result.error());
    const auto it = std::find_if(directives_.begin(), directives_.end(), [&](const PendingDirective& d) {
        return d.number == message.header.message_number && d.wanted.eppc == from;
    });
    if (it == directives_.end()) return drops.add(DropReason::ControlUnexpected);
    if (it->wanted.body.kind == wire::DirectiveKind::TraceFlow) {
        const std::uint32_t trace = it->wanted.body.flow.trace;
        if (!TraceNumbers::is_of_probe(trace)) {
            flow_traces_.on_answer(from, trace, result->status);
        } else if (desk_) {
            desk_->on_answer(from, trace, result->status == wire::DirectiveStatus::Done, now);
        }
    } else {
        investigation_.on_answer(it->wanted, *result, now);
    }
    emit(DirectiveAnswered{now, it->id, it->wanted.incident, *result});
    directives_.erase(it);
}

}  // namespace dyetrace::health
