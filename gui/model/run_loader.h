// SPDX-License-Identifier: GPL-2.0-or-later
// Loads runs off the window's thread.
#pragma once

#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <memory>

#include "gui/model/run_snapshot.h"

namespace dyetrace::viewer {

/// Each `load` is a job with a number. Only the newest job's results are told; an older one gives up as soon
/// as it notices, and whatever it still says is dropped.
class RunLoader : public QObject {
    Q_OBJECT
  public:
    explicit RunLoader(QObject* parent = nullptr);
    /// Waits for the job that is running; it gives up.
    ~RunLoader() override;

    /// Returns the job's number. The signals come in the thread of this object.
    int load(const QString& file);
    [[nodiscard]] bool loading() const { return loading_; }

  Q_SIGNALS:
    void progress(const QString& what);
    void loaded(dyetrace::viewer::SnapshotPtr run);
    void failed(const QString& file, const QString& reason);

    // From the job, in its thread, to the takers below, in this object's thread.
    void job_progressed(int job, const QString& what, QPrivateSignal);
    void job_ended(int job, const dyetrace::viewer::SnapshotPtr& run, QPrivateSignal);
    void job_failed(int job, const QString& file, const QString& reason, QPrivateSignal);

  private:
    void take_progress(int job, const QString& what);
    void take(int job, const SnapshotPtr& run);
    void take_failure(int job, const QString& file, const QString& reason);

    std::shared_ptr<std::atomic<int>> newest_job_ = std::make_shared<std::atomic<int>>(0);
    QThreadPool pool_;
    bool loading_ = false;
};

}  // namespace dyetrace::viewer
