// SPDX-License-Identifier: GPL-2.0-or-later
#include <QApplication>
#include <QGuiApplication>
#include <cstdio>

#include "gui/view/command_line.h"
#include "gui/view/main_window.h"
#include "gui/view/theme.h"

namespace {

using namespace dyetrace::viewer;

/// Qt complains of a missing folder for sockets, which a picture does not need.
void without_chatter(QtMsgType, const QMessageLogContext&, const QString& message) {
    if (!message.startsWith(QLatin1String("QStandardPaths")))
        std::fprintf(stderr, "%s\n", message.toUtf8().constData());
}

int draw(const CommandLine& command, int argc, char** argv) {
    // A picture needs no display, also where one is.
    qputenv("QT_QPA_PLATFORM", "offscreen");
    qInstallMessageHandler(without_chatter);
    const QGuiApplication application(argc, argv);
    return static_cast<int>(render_to_file(command));
}

bool has_display() {
    return qEnvironmentVariableIsSet("DISPLAY") || qEnvironmentVariableIsSet("WAYLAND_DISPLAY") ||
           qEnvironmentVariableIsSet("QT_QPA_PLATFORM");
}

int show(const CommandLine& command, int argc, char** argv) {
    if (!has_display()) {
        say_error("there is no display to open a window on",
                  "--render map|lanes --at T --out FILE.png needs none");
        return static_cast<int>(Exit::Failed);
    }
    const QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("dyetrace-viewer"));
    QApplication::setStyle(QStringLiteral("Fusion"));
    QApplication::setPalette(theme::palette());
    MainWindow window;
    window.set_truth_shown(command.truth);
    window.set_window_ns(command.window_ns);
    // Where there is no screen nobody can read the window's message and close it.
    if (QGuiApplication::platformName() == QLatin1String("offscreen"))
        QObject::connect(&window, &MainWindow::open_failed, &application, &QCoreApplication::quit,
                         Qt::QueuedConnection);
    window.show();
    if (!command.run.empty()) window.open(QString::fromStdString(command.run), command.at_ns);
    const int status = QApplication::exec();
    // A file that could not be shown is said in the window, on stderr, and here.
    return window.failed() && status == 0 ? static_cast<int>(Exit::InvalidInput) : status;
}

}  // namespace

int main(int argc, char** argv) {
    const auto parsed = parse_command_line(argc, argv);
    if (parsed.exit) return static_cast<int>(*parsed.exit);
    return parsed.command.render ? draw(parsed.command, argc, argv) : show(parsed.command, argc, argv);
}
