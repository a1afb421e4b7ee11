// SPDX-License-Identifier: GPL-2.0-or-later
// The viewer's window: the fabric map, session lanes and events of one run, all at the playhead's moment.
#pragma once

#include <QElapsedTimer>
#include <QMainWindow>
#include <QTimer>
#include <optional>

#include "gui/model/event_list_model.h"
#include "gui/model/fabric_state.h"
#include "gui/model/playhead.h"
#include "gui/model/run_loader.h"
#include "gui/model/session_lanes_model.h"

class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;
class QTreeView;

namespace dyetrace::viewer {

class FabricMapWidget;
class PlaybackBar;
class SessionLanesWidget;
class TimelineWidget;

class MainWindow : public QMainWindow {
    Q_OBJECT
  public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Loads in the background; `run_shown` or `open_failed` follows. The playhead begins at `at_ns`.
    void open(const QString& file, std::int64_t at_ns = 0);
    /// The last file could not be shown.
    [[nodiscard]] bool failed() const { return failed_; }

    void set_truth_shown(bool shown);
    /// How far back the map looks; 0: chosen for each run.
    void set_window_ns(std::int64_t window_ns) { chosen_window_ns_ = window_ns; }

    [[nodiscard]] const SnapshotPtr& run() const { return run_; }
    [[nodiscard]] const FabricState& state() const { return state_; }
    [[nodiscard]] Playhead& playhead() { return playhead_; }
    [[nodiscard]] EventListModel& events() { return events_; }
    [[nodiscard]] SessionLanesModel& lanes() { return lanes_; }

  Q_SIGNALS:
    void run_shown();
    void open_failed(const QString& reason);

  private:
    QWidget* make_message_page();
    QWidget* make_run_page();
    QWidget* make_lanes_panel();
    QWidget* make_events_panel();
    void make_actions();
    void connect_playhead();

    void show_message(const QString& title, const QString& detail, bool busy);
    void take_run(const SnapshotPtr& run);
    void take_failure(const QString& file, const QString& reason);
    void ask_for_file();
    void refresh();
    void follow_playing(bool playing);
    void show_current_event();
    void show_about();

    Playhead playhead_;
    EventListModel events_;
    SessionLanesModel lanes_;
    RunLoader loader_;
    SnapshotPtr run_;
    FabricState state_;
    QTimer frames_;
    QElapsedTimer since_frame_;
    std::int64_t begin_at_ns_ = 0;
    std::int64_t chosen_window_ns_ = 0;
    bool failed_ = false;
    bool truth_shown_ = true;

    QStackedWidget* pages_ = nullptr;
    QLabel* message_title_ = nullptr;
    QLabel* message_detail_ = nullptr;
    QProgressBar* message_busy_ = nullptr;
    QPushButton* message_open_ = nullptr;
    FabricMapWidget* map_ = nullptr;
    SessionLanesWidget* lanes_view_ = nullptr;
    TimelineWidget* timeline_ = nullptr;
    PlaybackBar* bar_ = nullptr;
    QTreeView* event_view_ = nullptr;
    QLabel* moment_ = nullptr;
    QLabel* lanes_count_ = nullptr;
};

}  // namespace dyetrace::viewer
