// SPDX-License-Identifier: GPL-2.0-or-later
// Explores and says how far it came. What stands before `--also` is a search of its own, and what stands
// behind it changes that into the next one. Exit codes: 0 nothing is wrong, 1 something is, or too few
// states, 2 usage.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/explore/explorer.h"

namespace {

using namespace dyetrace::explore;

int usage(const char* program) {
    std::fprintf(
        stderr,
        "usage: %s [--data N] [--advances N] [--disturbances N] [--losses N] [--repeats N]\n"
        "       [--overtakings N] [--restarts N] [--closes N] [--both-ways 0|1] [--rides 0|1] [--replies N]\n"
        "       [--delays 0|1] [--paths N] [--states-most N]\n"
        "       [--at-least N] [--end-one-in N] [--also ...]\n",
        program);
    return 2;
}

void say(const Setup& setup) {
    const Budgets& b = setup.budgets;
    std::printf(
        "%d data packets%s%s, time passes %d times, %d disturbances: at most %d losses, %d repeats, "
        "%d overtakings, %d restarts, %d closes\n",
        b.data, setup.both_ways ? " from either side" : "",
        setup.paths > 1 ? (" on " + std::to_string(setup.paths) + " paths").c_str() : "", b.advances,
        b.disturbances, b.losses, b.repeats, b.overtakings, b.restarts, b.closes);
    if (setup.rides) std::printf("  reports ride, %d packets of B's guest\n", b.replies);
    if (setup.delays) std::printf("  delays are measured, and their sketch told\n");
}

}  // namespace

int main(int argc, char** argv) {
    Setup setup;
    Limits limits;
    std::size_t at_least = 0;
    std::vector<Setup> setups;
    for (int i = 1; i < argc; i += 2) {
        const std::string name = argv[i];
        if (name == "--also") {
            setups.push_back(setup);
            --i;
            continue;
        }
        if (i + 1 == argc) return usage(argv[0]);
        const long long value = std::atoll(argv[i + 1]);
        const auto number = static_cast<int>(value);
        if (name == "--data")
            setup.budgets.data = number;
        else if (name == "--disturbances")
            setup.budgets.disturbances = number;
        else if (name == "--advances")
            setup.budgets.advances = number;
        else if (name == "--losses")
            setup.budgets.losses = number;
        else if (name == "--repeats")
            setup.budgets.repeats = number;
        else if (name == "--overtakings")
            setup.budgets.overtakings = number;
        else if (name == "--restarts")
            setup.budgets.restarts = number;
        else if (name == "--closes")
            setup.budgets.closes = number;
        else if (name == "--both-ways")
            setup.both_ways = value != 0;
        else if (name == "--rides")
            setup.rides = value != 0;
        else if (name == "--replies")
            setup.budgets.replies = number;
        else if (name == "--delays")
            setup.delays = value != 0;
        else if (name == "--paths" && value > 0 && value <= 8)
            setup.paths = number;
        else if (name == "--states-most")
            limits.states_most = static_cast<std::size_t>(value);
        else if (name == "--at-least")
            at_least = static_cast<std::size_t>(value);
        else if (name == "--end-one-in" && value > 0)
            limits.end_one_in = static_cast<std::uint32_t>(value);
        else
            return usage(argv[0]);
    }
    setups.push_back(setup);
    for (const Setup& each : setups)
        say(each);
    const Explored explored = explore(setups, limits);
    std::printf(
        "%zu distinct states (%zu with what was left of the budgets), %zu steps, longest way %zu, %s\n",
        explored.states, explored.nodes, explored.steps, explored.depth,
        explored.complete ? "complete" : "NOT complete");
    std::printf("%zu states run to both ends, %zu futures compared, at most %zu messages on their way\n",
                explored.ends, explored.compared, explored.messages_most);
    std::printf(
        "on their way: tags in %zu, records that ride in %zu, sketches in %zu, markers of two paths in %zu\n",
        explored.with_tags, explored.with_rides, explored.with_sketches, explored.with_two_paths);
    if (explored.violation) {
        std::printf("WRONG: %s\n", explored.violation->what.c_str());
        for (const std::string& step : explored.violation->way)
            std::printf("  %s\n", step.c_str());
        return 1;
    }
    if (explored.states < at_least) {
        std::printf("fewer than the %zu states that were asked for\n", at_least);
        return 1;
    }
    return 0;
}
