// SPDX-License-Identifier: GPL-2.0-or-later
// Sleeps until a port has something, a deadline has come, or a signal wants something (epoll, timerfd,
// signalfd).
#pragma once

#include <functional>
#include <vector>

#include "core/base/time.h"
#include "host/clock.h"
#include "host/file_descriptor.h"

namespace dyetrace::host {

/// What signals asked for since they were last looked at.
struct SignalRequests {
    int stop = 0;    ///< SIGTERM or SIGINT; more than one: at once
    int report = 0;  ///< SIGUSR1
    int reload = 0;  ///< SIGHUP
};

class Waiter {
  public:
    /// Blocks these signals for this thread and those that it starts. Throws std::system_error.
    explicit Waiter(const HostClock& clock);

    /// A port whose trouble (interface down or gone) is told to `on_error`.
    using ErrorHandler = std::function<void(int error)>;
    void watch(int fd, ErrorHandler on_error);

    void wait_until(Time deadline) { wait(deadline, true); }
    /// Looks for signals without sleeping.
    void look() { wait(Time::never(), false); }
    SignalRequests take_signals();

  private:
    void wait(Time deadline, bool sleep);
    void set_timer(Time deadline);
    void read_signals();

    const HostClock& clock_;
    FileDescriptor epoll_;
    FileDescriptor timer_;
    FileDescriptor signals_;
    Time timer_at_ = Time::never();
    std::vector<ErrorHandler> on_error_;  ///< by file descriptor
    SignalRequests requests_;
};

}  // namespace dyetrace::host
