// SPDX-License-Identifier: GPL-2.0-or-later
#include "gui/view/playback_bar.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QStyle>
#include <QToolButton>
#include <array>
#include <cmath>

#include "gui/model/time_text.h"

namespace dyetrace::viewer {
namespace {

constexpr std::array<std::int64_t, 7> windows_ns{10'000'000,  20'000'000,  50'000'000,   100'000'000,
                                                 200'000'000, 500'000'000, 1'000'000'000};

QString speed_text(double speed) {
    return QString::number(speed, 'g', 3) + QStringLiteral("\u00d7");
}

}  // namespace

PlaybackBar::PlaybackBar(Playhead* playhead, QWidget* parent) : QWidget(parent), playhead_(playhead) {
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 4, 10, 6);
    row->setSpacing(4);
    add_buttons(row);
    row->addSpacing(12);
    add_time_field(row);
    row->addSpacing(12);
    add_speed(row);
    row->addStretch();
    add_window(row);
    connect(playhead, &Playhead::moved, this, &PlaybackBar::show_time);
    connect(playhead, &Playhead::range_changed, this, &PlaybackBar::show_time);
    connect(playhead, &Playhead::playing_changed, this, &PlaybackBar::show_playing);
    connect(playhead, &Playhead::speed_changed, this, &PlaybackBar::show_speed);
    show_time();
    show_speed(playhead->clock().speed());
}

void PlaybackBar::add_buttons(QHBoxLayout* row) {
    const auto add = [&](const QString& name, QStyle::StandardPixmap icon, const QString& tip, auto action) {
        auto* button = new QToolButton(this);
        button->setObjectName(name);
        button->setIcon(style()->standardIcon(icon));
        button->setIconSize({20, 20});
        button->setAutoRaise(true);
        button->setToolTip(tip);
        // The space bar plays and pauses; it must not press the button that was clicked last.
        button->setFocusPolicy(Qt::NoFocus);
        connect(button, &QToolButton::clicked, playhead_, action);
        row->addWidget(button);
        return button;
    };
    Playhead* playhead = playhead_;
    add(QStringLiteral("previous"), QStyle::SP_MediaSkipBackward, tr("Previous event (Left)"),
        [playhead] { playhead->step_backward(); });
    play_ = add(QStringLiteral("play"), QStyle::SP_MediaPlay, tr("Play, pause (Space)"),
                [playhead] { playhead->toggle(); });
    add(QStringLiteral("next"), QStyle::SP_MediaSkipForward, tr("Next event (Right)"),
        [playhead] { playhead->step_forward(); });
}

void PlaybackBar::add_time_field(QHBoxLayout* row) {
    time_ = new QLineEdit(this);
    time_->setObjectName(QStringLiteral("time"));
    time_->setToolTip(tr("Type a time to go there: 0.9, 900ms"));
    time_->setAlignment(Qt::AlignRight);
    time_->setFixedWidth(130);
    time_->setFocusPolicy(Qt::ClickFocus);
    connect(time_, &QLineEdit::returnPressed, this, &PlaybackBar::take_typed_time);
    connect(time_, &QLineEdit::editingFinished, this, [this] { show_time(); });
    row->addWidget(time_);
}

void PlaybackBar::add_speed(QHBoxLayout* row) {
    row->addWidget(new QLabel(tr("Speed"), this));
    speed_ = new QComboBox(this);
    speed_->setObjectName(QStringLiteral("speed"));
    speed_->setFocusPolicy(Qt::NoFocus);
    speed_->setToolTip(tr("Seconds of the run per second (+ and -, R reverses)"));
    for (const double speed : round_speeds(-3, 1))
        speed_->addItem(speed_text(speed), speed);
    connect(speed_, &QComboBox::activated, this, [this](int i) {
        const double direction = playhead_->clock().speed() < 0 ? -1 : 1;
        playhead_->set_speed(direction * std::abs(speed_->itemData(i).toDouble()));
    });
    row->addWidget(speed_);
}

void PlaybackBar::add_window(QHBoxLayout* row) {
    row->addWidget(new QLabel(tr("Map looks back"), this));
    window_ = new QComboBox(this);
    window_->setObjectName(QStringLiteral("window"));
    window_->setFocusPolicy(Qt::NoFocus);
    window_->setToolTip(tr("The map's colours are the loss in reports of so long before the playhead"));
    for (const auto ns : windows_ns)
        window_->addItem(duration_text(ns), QVariant::fromValue<qint64>(ns));
    connect(window_, &QComboBox::currentIndexChanged, this, [this] { Q_EMIT window_changed(window_ns()); });
    row->addWidget(window_);
    row->addSpacing(12);
    truth_ = new QCheckBox(tr("Truth"), this);
    truth_->setObjectName(QStringLiteral("truth"));
    truth_->setFocusPolicy(Qt::NoFocus);
    truth_->setToolTip(tr("Show the injected faults, which only the simulator knows (T)"));
    truth_->setChecked(true);
    connect(truth_, &QCheckBox::toggled, this, &PlaybackBar::truth_toggled);
    row->addWidget(truth_);
}

std::int64_t PlaybackBar::window_ns() const {
    return window_->currentData().toLongLong();
}

void PlaybackBar::set_window_ns(std::int64_t window_ns) {
    int i = window_->findData(QVariant::fromValue<qint64>(window_ns));
    if (i < 0) {
        i = window_->count();
        window_->addItem(duration_text(window_ns), QVariant::fromValue<qint64>(window_ns));
    }
    window_->setCurrentIndex(i);
}

void PlaybackBar::set_truth_shown(bool shown) {
    truth_->setChecked(shown);
}

void PlaybackBar::show_time() {
    if (!time_->hasFocus() || !time_->isModified()) time_->setText(time_text(playhead_->now_ns()));
}

void PlaybackBar::take_typed_time() {
    const auto t = parse_time(time_->text().toStdString());
    time_->setModified(false);
    if (t) playhead_->seek(*t);
    time_->clearFocus();
    show_time();
}

void PlaybackBar::show_playing(bool playing) {
    play_->setIcon(style()->standardIcon(playing ? QStyle::SP_MediaPause : QStyle::SP_MediaPlay));
}

void PlaybackBar::show_speed(double speed) {
    int nearest = 0;
    for (int i = 1; i < speed_->count(); ++i) {
        const auto off = [&](int item) {
            return std::abs(std::log(speed_->itemData(item).toDouble() / std::abs(speed)));
        };
        if (off(i) < off(nearest)) nearest = i;
    }
    speed_->setCurrentIndex(nearest);
}

}  // namespace dyetrace::viewer
