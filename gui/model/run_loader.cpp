// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/model/run_loader.h"

#include <exception>

#include "gui/model/snapshot_builder.h"

namespace dyetrace::viewer {

RunLoader::RunLoader(QObject* parent) : QObject(parent) {
    pool_.setMaxThreadCount(1);
    connect(this, &RunLoader::job_progressed, this, &RunLoader::take_progress, Qt::QueuedConnection);
    connect(this, &RunLoader::job_ended, this, &RunLoader::take, Qt::QueuedConnection);
    connect(this, &RunLoader::job_failed, this, &RunLoader::take_failure, Qt::QueuedConnection);
}

RunLoader::~RunLoader() {
    ++*newest_job_;
    pool_.waitForDone();
}

int RunLoader::load(const QString& file) {
    const int job = ++*newest_job_;
    loading_ = true;
    pool_.start([this, job, file, newest = newest_job_] {
        // `this` outlives the job: the destructor waits.
        try {
            const SnapshotPtr run = load_snapshot(file.toStdString(), [&](const QString& what) {
                Q_EMIT job_progressed(job, what, {});
                return job == *newest;
            });
            Q_EMIT job_ended(job, run, {});
        } catch (const std::exception& error) {
            Q_EMIT job_failed(job, file, QString::fromUtf8(error.what()), {});
        }
    });
    return job;
}

void RunLoader::take_progress(int job, const QString& what) {
    if (job == *newest_job_) Q_EMIT progress(what);
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
