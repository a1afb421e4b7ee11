// SPDX-License-Identifier: GPL-2.0-or-later
#include "host/waiter.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

namespace dyetrace::host {
namespace {

sigset_t watched_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGHUP})
        sigaddset(&signals, signal);
    return signals;
}

FileDescriptor open_signals() {
    const sigset_t signals = watched_signals();
    checked(::sigprocmask(SIG_BLOCK, &signals, nullptr), "sigprocmask");
    return FileDescriptor(checked(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC), "signalfd"));
}

/// Takes an error off a socket, so that epoll does not tell it for ever; none off anything else.
std::optional<int> take_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return std::nullopt;
    return error;
}

}  // namespace

Waiter::Waiter(const HostClock& clock)
    : clock_(clock),
      epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timer_(checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")),
      signals_(open_signals()) {
    watch(timer_.get(), {});
    watch(signals_.get(), {});
}

void Waiter::watch(int fd, ErrorHandler on_error) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
    if (on_error_.size() <= static_cast<std::size_t>(fd)) on_error_.resize(static_cast<std::size_t>(fd) + 1);
    on_error_[static_cast<std::size_t>(fd)] = std::move(on_error);
}

void Waiter::set_timer(Time deadline) {
    if (deadline == timer_at_) return;
    timer_at_ = deadline;
    itimerspec setting{};
    if (deadline != Time::never()) {
        setting.it_value = clock_.to_monotonic(deadline);
        // All zero would disarm it: what is long over is due one nanosecond after the clock began.
        if (setting.it_value.tv_sec == 0 && setting.it_value.tv_nsec == 0) setting.it_value.tv_nsec = 1;
    }
    checked(::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &setting, nullptr), "timerfd_settime");
}

void Waiter::wait(Time deadline, bool sleep) {
    if (sleep) set_timer(deadline);
    std::array<epoll_event, 16> events{};
    const int count =
        ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), sleep ? -1 : 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const int fd = event.data.fd;
        if (fd == signals_.get()) {
            read_signals();
        } else if (fd == timer_.get()) {
            std::uint64_t expirations = 0;
            if (::read(fd, &expirations, sizeof expirations) > 0) timer_at_ = Time::never();
        } else if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) {
            const ErrorHandler& on_error = on_error_[static_cast<std::size_t>(fd)];
            const auto error = take_error(fd);
            // A TAP whose interface was deleted, and a pipe that nobody writes into, have ended for good.
            if (!error) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
            if (on_error) on_error(error.value_or(ENODEV));
        }
    }
}

void Waiter::read_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGUSR1) {
            ++requests_.report;
        } else if (info.ssi_signo == SIGHUP) {
            ++requests_.reload;
        } else {
            ++requests_.stop;
        }
    }
}

SignalRequests Waiter::take_signals() {
    return std::exchange(requests_, {});
}

}  // namespace dyetrace::host
