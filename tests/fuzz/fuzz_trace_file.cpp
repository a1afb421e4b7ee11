// SPDX-License-Identifier: GPL-2.0-or-later
// Fault-localisation traces, which come from anywhere: each is read to its end or refused with the line that
// is wrong.
#include <cstddef>
#include <cstdint>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "analysis/store/error.h"
#include "analysis/store/trace_file.h"
#include "core/base/result.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace dyetrace;
    const int file = memfd_create("trace", MFD_CLOEXEC);
    DYETRACE_ASSERT(file >= 0);
    DYETRACE_ASSERT(write(file, data, size) == static_cast<ssize_t>(size));
    try {
        store::TraceFile trace("/proc/self/fd/" + std::to_string(file));
        for (store::TraceFlow flow; trace.next(flow);)
            DYETRACE_ASSERT(flow.lost <= flow.sent && !flow.hops.empty());
    } catch (const store::Error& error) {
        DYETRACE_ASSERT(std::string(error.what()).find(": ") != std::string::npos);
    }
    close(file);
    return 0;
}
