// SPDX-License-Identifier: GPL-2.0-or-later
// The health service's counters by name, once for all who show them: ns-3, a run's database.
#pragma once

#include <array>
#include <cstdint>

#include "core/base/named_counter.h"
#include "core/health/nhms.h"

namespace dyetrace::health {

/// In the order of the fields, as those below.
inline constexpr std::array kCounters{
    NamedCounter<NhmsCounters>{"updates", &NhmsCounters::updates},
    NamedCounter<NhmsCounters>{"updates-repeated", &NhmsCounters::updates_repeated},
    NamedCounter<NhmsCounters>{"hellos", &NhmsCounters::hellos},
    NamedCounter<NhmsCounters>{"records", &NhmsCounters::records},
    NamedCounter<NhmsCounters>{"impossible-records", &NhmsCounters::impossible_records},
    NamedCounter<NhmsCounters>{"paths", &NhmsCounters::paths},
    NamedCounter<NhmsCounters>{"paths-unusable", &NhmsCounters::paths_unusable},
    NamedCounter<NhmsCounters>{"paths-completed", &NhmsCounters::paths_completed},
    NamedCounter<NhmsCounters>{"paths-partial", &NhmsCounters::paths_partial},
    NamedCounter<NhmsCounters>{"paths-remembered", &NhmsCounters::paths_remembered},
    NamedCounter<NhmsCounters>{"timings", &NhmsCounters::timings},
    NamedCounter<NhmsCounters>{"traffic", &NhmsCounters::traffic},
    NamedCounter<NhmsCounters>{"timings-forgotten", &NhmsCounters::timings_forgotten},
    NamedCounter<NhmsCounters>{"eppcs-forgotten", &NhmsCounters::eppcs_forgotten},
    NamedCounter<NhmsCounters>{"evaluations", &NhmsCounters::evaluations},
    NamedCounter<NhmsCounters>{"directives-unanswered", &NhmsCounters::directives_unanswered},
    NamedCounter<NhmsCounters>{"directives-unknown-eppc", &NhmsCounters::directives_unknown_eppc},
    NamedCounter<NhmsCounters>{"directives-no-room", &NhmsCounters::directives_no_room},
    NamedCounter<NhmsCounters>{"incidents-over-limit", &NhmsCounters::incidents_over_limit},
    NamedCounter<NhmsCounters>{"readings", &NhmsCounters::readings},
    NamedCounter<NhmsCounters>{"readings-unknown-link", &NhmsCounters::readings_unknown_link},
    NamedCounter<NhmsCounters>{"readings-impossible", &NhmsCounters::readings_impossible},
    NamedCounter<NhmsCounters>{"readings-late", &NhmsCounters::readings_late},
    NamedCounter<NhmsCounters>{"readings-ran-back", &NhmsCounters::readings_ran_back},
    NamedCounter<NhmsCounters>{"conclusions", &NhmsCounters::conclusions},
    NamedCounter<NhmsCounters>{"conclusions-unknown", &NhmsCounters::conclusions_unknown},
    NamedCounter<NhmsCounters>{"conclusions-refused", &NhmsCounters::conclusions_refused},
    NamedCounter<NhmsCounters>{"cover-pairs", &NhmsCounters::cover_pairs},
    NamedCounter<NhmsCounters>{"cover-links", &NhmsCounters::cover_links},
    NamedCounter<NhmsCounters>{"cover-links-crossed", &NhmsCounters::cover_links_crossed},
};

inline constexpr std::array kRecordCounters{
    NamedCounter<RecordCounters>{"records-repeated", &RecordCounters::repeated},
    NamedCounter<RecordCounters>{"records-late", &RecordCounters::late},
    NamedCounter<RecordCounters>{"records-conflicting", &RecordCounters::conflicting},
    NamedCounter<RecordCounters>{"records-ran-back", &RecordCounters::ran_back},
    NamedCounter<RecordCounters>{"records-excess", &RecordCounters::excess},
    NamedCounter<RecordCounters>{"records-absurd", &RecordCounters::absurd},
    NamedCounter<RecordCounters>{"records-unknown-host", &RecordCounters::unknown_host},
    NamedCounter<RecordCounters>{"records-old-generation", &RecordCounters::old_generation},
    NamedCounter<RecordCounters>{"records-over-limit", &RecordCounters::over_limit},
    NamedCounter<RecordCounters>{"records-whole-past", &RecordCounters::whole_past},
    NamedCounter<RecordCounters>{"sessions-rebooted", &RecordCounters::reboots},
    NamedCounter<RecordCounters>{"sessions-forgotten", &RecordCounters::sessions_forgotten},
};

inline constexpr std::array kEvidenceCounters{
    NamedCounter<localise::RollingCounters>{"windows-too-old", &localise::RollingCounters::windows_too_old},
    NamedCounter<localise::RollingCounters>{"windows-ahead", &localise::RollingCounters::windows_ahead},
    NamedCounter<localise::RollingCounters>{"windows-over-limit",
                                            &localise::RollingCounters::windows_over_limit},
    NamedCounter<localise::RollingCounters>{"windows-across-change",
                                            &localise::RollingCounters::windows_across_change},
    NamedCounter<localise::RollingCounters>{"routes-changed", &localise::RollingCounters::routes_changed},
    NamedCounter<localise::RollingCounters>{"routes-late", &localise::RollingCounters::routes_late},
    NamedCounter<localise::RollingCounters>{"routes-over-limit",
                                            &localise::RollingCounters::routes_over_limit},
    NamedCounter<localise::RollingCounters>{"routes-narrowed", &localise::RollingCounters::routes_narrowed},
};
static_assert(sizeof(NhmsCounters) == (kCounters.size() + kRecordCounters.size() + kEvidenceCounters.size()) *
                                          sizeof(std::uint64_t),
              "a counter has no name");

/// Visits all of them, by name and value.
template <class Visit>
void for_each_counter(const NhmsCounters& counters, Visit visit) {
    for (const auto& counter : kCounters)
        visit(counter.name, counters.*counter.field);
    for (const auto& counter : kRecordCounters)
        visit(counter.name, counters.by_reason.*counter.field);
    for (const auto& counter : kEvidenceCounters)
        visit(counter.name, counters.evidence.*counter.field);
}

}  // namespace dyetrace::health
