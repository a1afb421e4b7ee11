// SPDX-License-Identifier: GPL-2.0-or-later
// The state machine, over every role, state and event, and against the tables of docs/sessions.md.
#include "core/session/machine.h"

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace dyetrace::test {
namespace {

using namespace dyetrace::session;

constexpr Role kRoles[] = {Role::Requester, Role::Acceptor};

template <class Visit>
void for_all(Visit visit) {
    for (const Role role : kRoles) {
        for (int state = 0; state < kStateCount; ++state) {
            for (int event = 0; event < kEventCount; ++event)
                visit(role, static_cast<State>(state), static_cast<Event>(event));
        }
    }
}

TEST(SessionMachine, AnswersEveryEventInEveryState) {
    for_all([](Role role, State from, Event event) {
        const Transition next = transition(role, from, event);
        EXPECT_LT(static_cast<int>(next.to), kStateCount);
        if (!next.allowed) {
            EXPECT_EQ(next.to, from);
            EXPECT_EQ(next.action, Action::None);
        }
    });
}

TEST(SessionMachine, NothingLeadsOutOfAFinalState) {
    for_all([](Role role, State from, Event event) {
        if (is_final(from)) {
            EXPECT_EQ(transition(role, from, event).to, from) << to_string(from) << to_string(event);
        }
    });
}

TEST(SessionMachine, EveryStateThatIsNotFinalEndsWhenThePeerIsSilent) {
    EXPECT_EQ(transition(Role::Requester, State::Requested, Event::PeerSilent).to, State::PeerLost);
    for (const Role role : kRoles) {
        for (const State state : {State::Active, State::Closing}) {
            EXPECT_EQ(transition(role, state, Event::PeerSilent).to, State::PeerLost);
            EXPECT_EQ(transition(role, state, Event::PeerRestarted).to, State::PeerLost);
        }
    }
}

TEST(SessionMachine, OnlyAnAcceptMakesARequesterActive) {
    for_all([](Role role, State from, Event event) {
        const Transition next = transition(role, from, event);
        if (role == Role::Requester && next.to == State::Active && from != State::Active) {
            EXPECT_EQ(event, Event::AcceptReceived);
        }
    });
}

TEST(SessionMachine, NamesAreOnePerValue) {
    std::set<std::string_view> names;
    for (int i = 0; i < kStateCount; ++i)
        names.insert(to_string(static_cast<State>(i)));
    EXPECT_EQ(names.size(), std::size_t{kStateCount});
    names.clear();
    for (int i = 0; i < kEventCount; ++i)
        names.insert(to_string(static_cast<Event>(i)));
    EXPECT_EQ(names.size(), std::size_t{kEventCount});
    names.clear();
    for (int i = 0; i < kActionCount; ++i)
        names.insert(to_string(static_cast<Action>(i)));
    EXPECT_EQ(names.size(), std::size_t{kActionCount});
}

std::vector<std::string> cells(const std::string& line) {
    std::vector<std::string> parts;
    for (std::size_t at = 1; at < line.size();) {
        const std::size_t end = line.find('|', at);
        std::string cell = line.substr(at, end - at);
        cell.erase(0, cell.find_first_not_of(' '));
        cell.erase(cell.find_last_not_of(' ') + 1);
        parts.push_back(cell);
        at = end + 1;
    }
    return parts;
}

using Table = std::map<std::tuple<std::string, std::string, std::string>, std::string>;  // role, state, event

/// The two tables under "Events and what they do", cell by cell.
Table documented() {
    std::ifstream file(std::string(DYETRACE_SOURCE_DIR) + "/docs/sessions.md");
    EXPECT_TRUE(file);
    Table table;
    std::string role;
    std::vector<std::string> states;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("## ")) role.clear();
        if (line == "### Requester") role = "requester";
        if (line == "### Acceptor") role = "acceptor";
        if (role.empty() || !line.starts_with("| ")) continue;
        const auto row = cells(line);
        if (row.at(0) == "action") break;
        if (row.at(0) == "event") {
            states.assign(row.begin() + 1, row.end());
            continue;
        }
        for (std::size_t i = 1; i < row.size(); ++i)
            table[{role, states.at(i - 1), row[0]}] = row[i];
    }
    return table;
}

TEST(SessionMachine, IsTheOneInTheDocumentation) {
    const Table table = documented();
    EXPECT_EQ(table.size(), std::size_t{2 * kStateCount * kEventCount});
    for_all([&](Role role, State from, Event event) {
        const Transition next = transition(role, from, event);
        std::string cell = next.allowed ? std::string(to_string(next.to)) : ".";
        if (next.action != Action::None) cell += ": " + std::string(to_string(next.action));
        const std::tuple key{std::string(to_string(role)), std::string(to_string(from)),
                             std::string(to_string(event))};
        ASSERT_TRUE(table.contains(key))
            << std::get<0>(key) << ' ' << std::get<1>(key) << ' ' << std::get<2>(key);
        EXPECT_EQ(table.at(key), cell)
            << std::get<0>(key) << ' ' << std::get<1>(key) << ' ' << std::get<2>(key);
    });
}

}  // namespace
}  // namespace dyetrace::test
