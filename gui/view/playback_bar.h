// SPDX-License-Identifier: GPL-2.0-or-later
// Buttons and fields that move the playhead, and say where it is.
#pragma once

#include <QWidget>

#include "gui/model/playhead.h"

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLineEdit;
class QToolButton;

namespace dyetrace::viewer {

class PlaybackBar : public QWidget {
    Q_OBJECT
  public:
    explicit PlaybackBar(Playhead* playhead, QWidget* parent = nullptr);

    [[nodiscard]] std::int64_t window_ns() const;
    /// Adds it to the choices where it is none of them.
    void set_window_ns(std::int64_t window_ns);
    void set_truth_shown(bool shown);

  Q_SIGNALS:
    void window_changed(qint64 window_ns);
    void truth_toggled(bool shown);

  private:
    void add_buttons(QHBoxLayout* row);
    void add_time_field(QHBoxLayout* row);
    void add_speed(QHBoxLayout* row);
    void add_window(QHBoxLayout* row);
    void show_time();
    void show_playing(bool playing);
    void show_speed(double speed);
    void take_typed_time();

    Playhead* playhead_;
    QToolButton* play_ = nullptr;
    QLineEdit* time_ = nullptr;
    QComboBox* speed_ = nullptr;
    QComboBox* window_ = nullptr;
    QCheckBox* truth_ = nullptr;
};

}  // namespace dyetrace::viewer
