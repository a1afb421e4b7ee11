// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/run_loader.h"

#include <exception>

#include "gui/model/snapshot_builder.h"

namespace dyetrace::viewer {

RunLoader::RunLoader(QObject* parent) : QObject(parent) {
    pool_.setMaxThreadCount(1);
}

RunLoader::~RunLoader() {
    ++*newest_job_;
    pool_.waitForDone();
}

int RunLoader::load(const QString& file) {
    const int job = ++*newest_job_;
    loading_ = true;
    pool_.start([this, job, file, newest = newest_job_] {
        // `this` outlives the job: the destructor waits. Results are queued and looked at in its own thread.
        const auto later = [this](auto action) {
            QMetaObject::invokeMethod(this, action, Qt::QueuedConnection);
        };
        try {
            const SnapshotPtr run = load_snapshot(file.toStdString(), [&](const QString& what) {
                later([this, job, what] {
                    if (job == *newest_job_) Q_EMIT progress(what);
                });
                return job == *newest;
            });
            later([this, job, run] { take(job, run); });
        } catch (const std::exception& error) {
            later([this, job, file, reason = QString::fromUtf8(error.what())] {
                take_failure(job, file, reason);
            });
        }
    });
    return job;
}

void RunLoader::take(int job, const SnapshotPtr& run) {
    if (job != *newest_job_ || !run) return;
    loading_ = false;
    Q_EMIT loaded(run);
}

void RunLoader::take_failure(int job, const QString& file, const QString& reason) {
    if (job != *newest_job_) return;
    loading_ = false;
    Q_EMIT failed(file, reason);
}

}  // namespace dyetrace::viewer
