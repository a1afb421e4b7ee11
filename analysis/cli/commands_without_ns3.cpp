// SPDX-License-Identifier: GPL-2.0-or-later
// Takes the place of the commands that simulate where ns-3 is not installed: they are there and say what is
// missing.
#include <memory>
#include <string>
#include <vector>

#include "analysis/cli/command.h"

namespace dyetrace::cli {

void add_run(CLI::App& program, Context& context) {
    CLI::App* command =
        program.add_subcommand("run", "Simulate a scenario (not in this build: ns-3 is missing)");
    // Whatever the arguments are, the answer is the same: none of them may turn it into a usage error.
    command->allow_extras();
    command->prefix_command();
    command->callback([&context] {
        context.action = []() -> Exit {
            throw CommandError(Exit::Failed, "this build of dyetrace has no ns-3, so it cannot simulate",
                               "install the packages libns3-dev and ns3, then build again "
                               "(on Debian: apt-get install libns3-dev ns3)");
        };
    });
}

}  // namespace dyetrace::cli
