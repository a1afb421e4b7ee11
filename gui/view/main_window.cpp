// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/main_window.h"

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMessageBox>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <QStyledItemDelegate>
#include <QTreeView>
#include <QVBoxLayout>
#include <cstdio>
#include <utility>

#include "gui/model/explain.h"
#include "gui/view/command_line.h"
#include "gui/view/fabric_map_widget.h"
#include "gui/view/legend.h"
#include "gui/view/playback_bar.h"
#include "gui/view/render.h"
#include "gui/view/session_lanes_widget.h"
#include "gui/view/theme.h"
#include "gui/view/timeline_widget.h"

namespace dyetrace::viewer {
namespace {

// A run is over before one is bored.
constexpr double whole_run_seconds = 20;

/// What is later than the playhead is pale, a verdict is bold, truth is oblique.
class EventDelegate : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;

  protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        const auto kind = static_cast<EventKind>(index.data(EventListModel::KindRole).toInt());
        QColor color = theme::ink;
        if (kind == EventKind::Confirmed || kind == EventKind::Detection) color = theme::suspect;
        if (kind == EventKind::Refuted) color = theme::muted;
        if (!index.data(EventListModel::PastRole).toBool()) color = theme::faint;
        option->palette.setColor(QPalette::Text, color);
        option->font.setBold(kind == EventKind::Confirmed);
        option->font.setItalic(index.data(EventListModel::TruthRole).toBool());
    }
};

/// What the marks in the lanes mean; the colours are explained below the map.
class LaneLegend : public QWidget {
  public:
    using QWidget::QWidget;

  protected:
    void paintEvent(QPaintEvent*) override {
        QPainter painter(this);
        paint_legend(painter, rect(), LegendOf::LaneMarks, false);
    }
};

}  // namespace

MainWindow::MainWindow(QWidget* parent) : QMainWindow(parent) {
    setWindowTitle(QStringLiteral("dyetrace viewer"));
    resize(1680, 1000);
    pages_ = new QStackedWidget(this);
    pages_->addWidget(make_message_page());
    pages_->addWidget(make_run_page());
    setCentralWidget(pages_);
    make_actions();
    connect_playhead();
    connect(&loader_, &RunLoader::progress, this,
            [this](const QString& what) { message_detail_->setText(tr("Reading %1").arg(what)); });
    connect(&loader_, &RunLoader::loaded, this, &MainWindow::take_run);
    connect(&loader_, &RunLoader::failed, this, &MainWindow::take_failure);
    show_message(tr("No run is open"), tr("Open the database that `dyetrace run SCENARIO -o RUN.db` wrote."),
                 false);
}

MainWindow::~MainWindow() = default;

QWidget* MainWindow::make_message_page() {
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    message_title_ = new QLabel(page);
    message_title_->setObjectName(QStringLiteral("message_title"));
    message_title_->setFont(theme::font(20, true));
    message_title_->setAlignment(Qt::AlignCenter);
    message_detail_ = new QLabel(page);
    message_detail_->setObjectName(QStringLiteral("message_detail"));
    message_detail_->setAlignment(Qt::AlignCenter);
    message_detail_->setWordWrap(true);
    message_detail_->setTextFormat(Qt::PlainText);
    message_detail_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    message_busy_ = new QProgressBar(page);
    message_busy_->setRange(0, 0);
    message_busy_->setFixedWidth(240);
    message_open_ = new QPushButton(tr("Open a run..."), page);
    connect(message_open_, &QPushButton::clicked, this, &MainWindow::ask_for_file);
    column->addStretch();
    column->addWidget(message_title_);
    column->addWidget(message_detail_);
    column->addWidget(message_busy_, 0, Qt::AlignHCenter);
    column->addWidget(message_open_, 0, Qt::AlignHCenter);
    column->addStretch();
    return page;
}

QWidget* MainWindow::make_run_page() {
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    map_ = new FabricMapWidget(page);
    auto* views = new QSplitter(Qt::Vertical, page);
    views->addWidget(map_);
    views->addWidget(make_lanes_panel());
    views->setStretchFactor(0, 5);
    views->setStretchFactor(1, 3);
    views->setSizes({560, 300});
    auto* across = new QSplitter(Qt::Horizontal, page);
    across->addWidget(views);
    across->addWidget(make_events_panel());
    across->setStretchFactor(0, 1);
    across->setSizes({1260, 420});
    timeline_ = new TimelineWidget(page);
    bar_ = new PlaybackBar(&playhead_, page);
    column->addWidget(across, 1);
    column->addWidget(timeline_);
    column->addWidget(bar_);
    connect(timeline_, &TimelineWidget::scrubbed, &playhead_, &Playhead::seek);
    connect(lanes_view_, &SessionLanesWidget::scrubbed, &playhead_, &Playhead::seek);
    connect(bar_, &PlaybackBar::window_changed, this, &MainWindow::refresh);
    connect(bar_, &PlaybackBar::truth_toggled, this, &MainWindow::set_truth_shown);
    return page;
}

QWidget* MainWindow::make_lanes_panel() {
    auto* panel = new QWidget(this);
    auto* column = new QVBoxLayout(panel);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setContentsMargins(10, 4, 10, 4);
    auto* filter = new QLineEdit(panel);
    filter->setObjectName(QStringLiteral("filter"));
    filter->setPlaceholderText(tr("Filter sessions: host-0-1"));
    filter->setClearButtonEnabled(true);
    filter->setFixedWidth(240);
    filter->setFocusPolicy(Qt::ClickFocus);
    auto* order = new QComboBox(panel);
    order->setObjectName(QStringLiteral("order"));
    order->setFocusPolicy(Qt::NoFocus);
    order->addItem(tr("through suspects first"), static_cast<int>(LaneOrder::Relevance));
    order->addItem(tr("most lost first"), static_cast<int>(LaneOrder::MostLost));
    order->addItem(tr("by name"), static_cast<int>(LaneOrder::Name));
    order->addItem(tr("by start"), static_cast<int>(LaneOrder::Start));
    lanes_count_ = new QLabel(panel);
    row->addWidget(filter);
    row->addWidget(new QLabel(tr("Order"), panel));
    row->addWidget(order);
    auto* legend = new LaneLegend(panel);
    row->addWidget(legend, 1);
    row->addWidget(lanes_count_);
    lanes_view_ = new SessionLanesWidget(&lanes_, panel);
    column->addLayout(row);
    column->addWidget(lanes_view_, 1);
    connect(filter, &QLineEdit::textChanged, this, [this](const QString& text) {
        lanes_.set_filter(text);
        refresh();
    });
    connect(order, &QComboBox::currentIndexChanged, this, [this, order] {
        lanes_.set_order(static_cast<LaneOrder>(order->currentData().toInt()));
        refresh();
    });
    return panel;
}

QWidget* MainWindow::make_events_panel() {
    event_view_ = new QTreeView(this);
    event_view_->setObjectName(QStringLiteral("events"));
    event_view_->setModel(&events_);
    event_view_->setItemDelegate(new EventDelegate(event_view_));
    event_view_->setRootIsDecorated(false);
    event_view_->setUniformRowHeights(true);
    event_view_->setAllColumnsShowFocus(true);
    event_view_->setFrameShape(QFrame::NoFrame);
    event_view_->setFocusPolicy(Qt::ClickFocus);
    event_view_->setMinimumWidth(220);
    event_view_->setTextElideMode(Qt::ElideRight);
    event_view_->header()->setSectionResizeMode(EventListModel::TimeColumn, QHeaderView::ResizeToContents);
    event_view_->header()->setSectionResizeMode(EventListModel::KindColumn, QHeaderView::ResizeToContents);
    connect(event_view_, &QTreeView::clicked, this, [this](const QModelIndex& index) {
        playhead_.pause();
        playhead_.seek(index.data(EventListModel::TimeRole).toLongLong());
    });
    moment_ = new QLabel(this);
    moment_->setObjectName(QStringLiteral("moment"));
    moment_->setTextFormat(Qt::RichText);
    moment_->setWordWrap(true);
    moment_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    moment_->setMargin(10);
    moment_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    moment_->setAutoFillBackground(true);
    moment_->setBackgroundRole(QPalette::Base);
    auto* scroll = new QScrollArea(this);
    scroll->setWidget(moment_);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus);
    auto* panel = new QSplitter(Qt::Vertical, this);
    panel->addWidget(event_view_);
    panel->addWidget(scroll);
    panel->setSizes({520, 300});
    return panel;
}

void MainWindow::make_actions() {
    const auto add = [this](QMenu* menu, const QString& text, const QList<QKeySequence>& keys, auto action) {
        auto* a = menu->addAction(text);
        a->setShortcuts(keys);
        connect(a, &QAction::triggered, this, action);
        return a;
    };
    auto* file = menuBar()->addMenu(tr("&File"));
    add(file, tr("&Open..."), {QKeySequence::Open}, [this] { ask_for_file(); });
    add(file, tr("&Quit"), {QKeySequence::Quit, QKeySequence(Qt::CTRL | Qt::Key_Q)}, [this] { close(); });
    auto* play = menuBar()->addMenu(tr("&Play"));
    add(play, tr("Play, pause"), {Qt::Key_Space}, [this] { playhead_.toggle(); });
    add(play, tr("Next event"), {Qt::Key_Right, Qt::Key_N}, [this] { playhead_.step_forward(); });
    add(play, tr("Previous event"), {Qt::Key_Left, Qt::Key_P}, [this] { playhead_.step_backward(); });
    add(play, tr("A little later"), {Qt::SHIFT | Qt::Key_Right}, [this] { playhead_.nudge(1'000'000); });
    add(play, tr("A little earlier"), {Qt::SHIFT | Qt::Key_Left}, [this] { playhead_.nudge(-1'000'000); });
    add(play, tr("To the beginning"), {Qt::Key_Home},
        [this] { playhead_.seek(playhead_.clock().range().begin_ns); });
    add(play, tr("To the end"), {Qt::Key_End}, [this] { playhead_.seek(playhead_.clock().range().end_ns); });
    play->addSeparator();
    add(play, tr("Faster"), {Qt::Key_Plus, Qt::Key_Equal},
        [this] { playhead_.set_speed(playhead_.clock().speed() * 2); });
    add(play, tr("Slower"), {Qt::Key_Minus}, [this] { playhead_.set_speed(playhead_.clock().speed() / 2); });
    add(play, tr("Reverse"), {Qt::Key_R}, [this] { playhead_.set_speed(-playhead_.clock().speed()); });
    auto* view = menuBar()->addMenu(tr("&View"));
    add(view, tr("Truth"), {Qt::Key_T}, [this] { set_truth_shown(!truth_shown_); });
    add(view, tr("Show all"), {Qt::Key_0}, [this] {
        map_->show_all();
        lanes_view_->show_all();
    });
    auto* help = menuBar()->addMenu(tr("&Help"));
    add(help, tr("About this run"), {Qt::Key_F1}, [this] { show_about(); });
}

void MainWindow::connect_playhead() {
    frames_.setTimerType(Qt::PreciseTimer);
    frames_.setInterval(16);
    connect(&frames_, &QTimer::timeout, this, [this] {
        playhead_.advance(since_frame_.nsecsElapsed());
        since_frame_.restart();
    });
    connect(&playhead_, &Playhead::playing_changed, this, &MainWindow::follow_playing);
    connect(&playhead_, &Playhead::moved, this, &MainWindow::refresh);
}

void MainWindow::follow_playing(bool playing) {
    since_frame_.start();
    playing ? frames_.start() : frames_.stop();
}

void MainWindow::open(const QString& file, std::int64_t at_ns) {
    begin_at_ns_ = at_ns;
    failed_ = false;
    playhead_.pause();
    show_message(QFileInfo(file).fileName(), tr("Reading"), true);
    loader_.load(file);
}

void MainWindow::ask_for_file() {
    const QString file = QFileDialog::getOpenFileName(this, tr("Open a run"), {},
                                                      tr("Runs of dyetrace (*.db);;All files (*)"));
    if (!file.isEmpty()) open(file);
}

void MainWindow::show_message(const QString& title, const QString& detail, bool busy) {
    message_title_->setText(title);
    message_detail_->setText(detail);
    message_busy_->setVisible(busy);
    message_open_->setVisible(!busy);
    pages_->setCurrentIndex(0);
}

void MainWindow::take_failure(const QString& file, const QString& reason) {
    failed_ = true;
    show_message(tr("%1 cannot be shown").arg(QFileInfo(file).fileName()), reason, false);
    say_error(reason.toStdString());
    Q_EMIT open_failed(reason);
}

void MainWindow::take_run(const SnapshotPtr& run) {
    run_ = run;
    setWindowTitle(QStringLiteral("%1 \u2013 dyetrace viewer").arg(run->title));
    map_->set_run(run);
    lanes_.set_run(run);
    events_.set_run(run);
    timeline_->set_run(run, events_.events());
    bar_->set_window_ns(chosen_window_ns_ > 0 ? chosen_window_ns_ : usual_window_ns(*run));
    playhead_.set_moments(events_.moments());
    playhead_.set_run(run->range);
    playhead_.set_speed(comfortable_speed(run->range, whole_run_seconds));
    playhead_.seek(begin_at_ns_);
    lanes_view_->show_all();
    refresh();
    pages_->setCurrentIndex(1);
    Q_EMIT run_shown();
}

/// Every view shows the playhead's moment.
void MainWindow::refresh() {
    if (!run_) return;
    const auto window_ns = bar_->window_ns();
    state_ = fabric_state(*run_, playhead_.now_ns(), window_ns);
    map_->set_state(&state_, window_ns, last_event_text(events_.events(), state_.t_ns, true));
    lanes_view_->set_state(&state_);
    timeline_->set_now(state_.t_ns);
    events_.set_now(state_.t_ns);
    lanes_count_->setText(tr("%1 of %2 sessions").arg(lanes_.rowCount()).arg(run_->sessions.size()));
    show_current_event();
}

void MainWindow::show_current_event() {
    const int row = events_.row_at(state_.t_ns);
    const RunEvent* last = row < 0 ? nullptr : &events_.events()[static_cast<std::size_t>(row)];
    moment_->setText(explain_moment(*run_, state_, last, truth_shown_));
    const QModelIndex current = events_.index(std::max(row, 0), 0);
    if (row < 0 || event_view_->currentIndex().row() == row) return;
    event_view_->setCurrentIndex(current);
    event_view_->scrollTo(current);
}

void MainWindow::set_truth_shown(bool shown) {
    truth_shown_ = shown;
    bar_->set_truth_shown(shown);
    map_->set_truth_shown(shown);
    lanes_view_->set_truth_shown(shown);
    timeline_->set_truth_shown(shown);
    events_.set_truth_shown(shown);
    playhead_.set_moments(events_.moments());
    refresh();
}

void MainWindow::show_about() {
    QString text;
    if (run_) {
        text += QStringLiteral("<p><b>%1</b></p><table>").arg(run_->file.toHtmlEscaped());
        for (const auto& [key, value] : run_->provenance) {
            if (value.contains(u'\n')) continue;  // the scenario's text
            text += QStringLiteral("<tr><td>%1&nbsp;&nbsp;</td><td>%2</td></tr>")
                        .arg(key.toHtmlEscaped(), value.toHtmlEscaped());
        }
        text += QStringLiteral("</table>");
    }
    text +=
        QStringLiteral("<p>%1</p>")
            .arg(tr(
                "Space plays and pauses, Left and Right step through events, Shift with them by 1 ms; + and "
                "- "
                "change the speed, R reverses; T hides truth; 0 shows all. The wheel zooms the map, and with "
                "Ctrl the lanes."));
    QMessageBox box(QMessageBox::NoIcon, tr("About this run"), text, QMessageBox::Close, this);
    box.setTextFormat(Qt::RichText);
    box.exec();
}

}  // namespace dyetrace::viewer
