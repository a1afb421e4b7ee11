// SPDX-License-Identifier: GPL-2.0-or-later
// The window as its user has it: opened, played, scrubbed, stepped.
#include <QAbstractItemView>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include "gui/view/fabric_map_widget.h"
#include "gui/view/main_window.h"
#include "gui/view/playback_bar.h"
#include "gui/view/session_lanes_widget.h"
#include "gui/view/theme.h"
#include "gui/view/timeline_widget.h"
#include "tests/analysis/sample_run.h"

namespace dyetrace::viewer {
namespace {

constexpr int patience_ms = 20'000;
constexpr std::int64_t ms = 1'000'000;

QString path_of(const dyetrace::testing::TestFolder& folder, const char* name) {
    return QString::fromStdString(folder.file(name).string());
}

}  // namespace

class WindowTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() {
        dyetrace::testing::write_sample_run(folder_.file("sample.db"));
        dyetrace::testing::write_bytes(folder_.file("foreign.db"), "not a database at all");
        const auto whole = dyetrace::testing::file_bytes(folder_.file("sample.db"));
        dyetrace::testing::write_bytes(folder_.file("cut.db"), whole.substr(0, whole.size() / 2));
    }
    void init() { window_ = std::make_unique<MainWindow>(); }
    void cleanup() { window_.reset(); }

    void OpensARunAndShowsItsBeginning() {
        open();
        QVERIFY(window_->run());
        QCOMPARE(window_->playhead().now_ns(), 0);
        QVERIFY(map()->isVisible());
        QVERIFY(window_->windowTitle().contains(window_->run()->title));
    }

    void OpensWhereItWasAskedTo() {
        open(600 * ms);
        QCOMPARE(window_->playhead().now_ns(), 600 * ms);
        QCOMPARE(window_->state().t_ns, 600 * ms);
    }

    void TheSpaceBarPlaysAndPauses() {
        open();
        QTest::keyClick(window_.get(), Qt::Key_Space);
        QVERIFY(window_->playhead().clock().playing());
        QTRY_VERIFY_WITH_TIMEOUT(window_->playhead().now_ns() > 0, patience_ms);
        QTest::keyClick(window_.get(), Qt::Key_Space);
        QVERIFY(!window_->playhead().clock().playing());
        QCOMPARE(window_->state().t_ns, window_->playhead().now_ns());
    }

    void TheButtonsPlayAndStep() {
        open();
        QTest::mouseClick(window_->findChild<QToolButton*>("play"), Qt::LeftButton);
        QVERIFY(window_->playhead().clock().playing());
        QTest::mouseClick(window_->findChild<QToolButton*>("next"), Qt::LeftButton);
        QVERIFY(!window_->playhead().clock().playing());
        const auto first = window_->playhead().now_ns();
        QVERIFY(first > 0);
        QTest::mouseClick(window_->findChild<QToolButton*>("next"), Qt::LeftButton);
        QVERIFY(window_->playhead().now_ns() > first);
        QTest::mouseClick(window_->findChild<QToolButton*>("previous"), Qt::LeftButton);
        QCOMPARE(window_->playhead().now_ns(), first);
    }

    void TheArrowKeysStepThroughEveryEvent() {
        open();
        std::vector<std::int64_t> visited;
        for (auto before = std::int64_t{-1}; window_->playhead().now_ns() != before;) {
            before = window_->playhead().now_ns();
            QTest::keyClick(window_.get(), Qt::Key_Right);
            if (window_->playhead().now_ns() != before) visited.push_back(window_->playhead().now_ns());
        }
        QCOMPARE(visited, window_->events().moments());
        QTest::keyClick(window_.get(), Qt::Key_Left);
        QCOMPARE(window_->playhead().now_ns(), visited[visited.size() - 2]);
    }

    void ScrubbingTheTimelineMovesEveryView() {
        open();
        auto* timeline = window_->findChild<TimelineWidget*>();
        const double x = timeline->picture()->mapping().to_pixel(560 * ms);
        QTest::mouseClick(timeline, Qt::LeftButton, {}, QPoint(static_cast<int>(x), 20));
        QVERIFY(std::abs(window_->playhead().now_ns() - 560 * ms) < 5 * ms);
        QCOMPARE(window_->state().t_ns, window_->playhead().now_ns());
    }

    void ScrubbingLeftOfTheTimelineIsTheBeginning() {
        open(500 * ms);
        QTest::mouseClick(window_->findChild<TimelineWidget*>(), Qt::LeftButton, {}, QPoint(2, 20));
        QCOMPARE(window_->playhead().now_ns(), 0);
    }

    void DraggingOverTheLanesScrubs() {
        open();
        auto* lanes = this->lanes();
        const double x = lanes->picture().mapping().to_pixel(300 * ms);
        QTest::mousePress(lanes->viewport(), Qt::LeftButton, {}, QPoint(static_cast<int>(x), 60));
        QVERIFY(std::abs(window_->playhead().now_ns() - 300 * ms) < 5 * ms);
    }

    void AClickOnASessionShowsItsPaths() {
        open();
        const auto before = lanes()->rows().size();
        QTest::mouseClick(lanes()->viewport(), Qt::LeftButton, {}, QPoint(20, 35));
        QVERIFY(lanes()->rows().size() > before);
        QVERIFY(lanes()->rows()[1].path >= 0);
        QTest::mouseClick(lanes()->viewport(), Qt::LeftButton, {}, QPoint(20, 35));
        QCOMPARE(lanes()->rows().size(), before);
    }

    void ZoomingTheLanesKeepsThemWithinTheRun() {
        open();
        const double anchor = lanes()->picture().mapping().to_pixel(500 * ms);
        lanes()->zoom(10, anchor);
        QVERIFY(lanes()->visible_time().length_ns() < window_->run()->range.length_ns() / 9);
        lanes()->zoom(1e-6, anchor);
        QCOMPARE(lanes()->visible_time(), window_->run()->range);
    }

    void TypingATimeGoesThere() {
        open();
        auto* field = window_->findChild<QLineEdit*>("time");
        QTest::mouseClick(field, Qt::LeftButton);
        field->selectAll();
        QTest::keyClicks(field, "450ms");
        QTest::keyClick(field, Qt::Key_Return);
        QCOMPARE(window_->playhead().now_ns(), 450 * ms);
        QCOMPARE(field->text(), QString("0.450000 s"));
    }

    void TheSpeedCanBeChosen() {
        open();
        auto* speed = window_->findChild<QComboBox*>("speed");
        speed->setCurrentIndex(0);
        Q_EMIT speed->activated(0);
        QCOMPARE(window_->playhead().clock().speed(), 0.001);
        QTest::keyClick(window_.get(), Qt::Key_R);
        QCOMPARE(window_->playhead().clock().speed(), -0.001);
    }

    void HiddenTruthIsNowhere() {
        open(900 * ms);
        const auto with_truth = window_->grab().toImage();
        const auto events = window_->events().rowCount();
        window_->findChild<QCheckBox*>("truth")->setChecked(false);
        QVERIFY(window_->events().rowCount() < events);
        QVERIFY(window_->grab().toImage() != with_truth);
    }

    void FilteringLeavesTheSessionsThatMatch() {
        open();
        window_->findChild<QLineEdit*>("filter")->setText("host-1-1-1 >");
        QVERIFY(!lanes()->rows().empty());
        QVERIFY(lanes()->rows().size() < window_->run()->sessions.size());
        window_->grab();  // the filtered lanes are painted
    }

    void AClickOnAnEventGoesThere() {
        open();
        auto* list = window_->findChild<QAbstractItemView*>("events");
        const auto index = window_->events().index(1, 0);
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, list->visualRect(index).center());
        QCOMPARE(window_->playhead().now_ns(), window_->events().events()[1].t_ns);
    }

    void RestingOnTheSickLinkSaysWhyItIsRed() {
        open(900 * ms);
        const auto& run = *window_->run();
        const int link = run.truth_faults[0].link;
        const QPointF middle = map()->picture()->line_of(link).pointAt(0.47);
        const QString text = map()->explanation_at(middle);
        QVERIFY2(text.contains("Lost on paths through it"), qPrintable(text));
        QVERIFY2(text.contains("Suspect 1"), qPrintable(text));
        QVERIFY2(text.contains("Truth"), qPrintable(text));
    }

    void RestingOnALaneSaysWhatWasMeasured() {
        open(900 * ms);
        const auto& mapping = lanes()->picture().mapping();
        const QPointF spot(mapping.to_pixel(800 * ms), LanesPicture::header_height + 5);
        QVERIFY(lanes()->explanation_at(spot).contains("host-"));
    }

    void TheWheelZoomsTheMapAndADoubleClickShowsAll() {
        open();
        QWheelEvent wheel(map()->rect().center(), map()->mapToGlobal(map()->rect().center()), {}, {0, 480},
                          Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(map(), &wheel);
        QVERIFY(map()->map_view().zoom > 1.5);
        map()->grab();
        QTest::mouseDClick(map(), Qt::LeftButton);
        QCOMPARE(map()->map_view(), MapView{});
    }

    void AFileThatIsNoRunIsExplainedInTheWindow() {
        for (const char* name : {"foreign.db", "cut.db", "absent.db"}) {
            QSignalSpy failed(window_.get(), &MainWindow::open_failed);
            window_->show();
            window_->open(path_of(folder_, name));
            QVERIFY(failed.wait(patience_ms));
            QVERIFY(window_->failed());
            QVERIFY(window_->findChild<QLabel*>("message_title")->isVisible());
            QVERIFY(window_->findChild<QLabel*>("message_title")->text().contains(name));
            QVERIFY(window_->findChild<QLabel*>("message_detail")->text().contains(name));
        }
    }

    void AGoodFileAfterABadOneIsShown() {
        QSignalSpy failed(window_.get(), &MainWindow::open_failed);
        window_->open(path_of(folder_, "foreign.db"));
        QVERIFY(failed.wait(patience_ms));
        open();
        QVERIFY(!window_->failed());
        QVERIFY(map()->isVisible());
    }

    void OpeningAnotherRunWhilePlayingStops() {
        open();
        window_->playhead().play();
        open();
        QVERIFY(!window_->playhead().clock().playing());
        QCOMPARE(window_->playhead().now_ns(), 0);
    }

  private:
    void open(std::int64_t at_ns = 0) {
        QSignalSpy shown(window_.get(), &MainWindow::run_shown);
        window_->show();
        window_->open(path_of(folder_, "sample.db"), at_ns);
        QVERIFY(shown.wait(patience_ms));
        QVERIFY(QTest::qWaitForWindowExposed(window_.get()));
    }
    FabricMapWidget* map() { return window_->findChild<FabricMapWidget*>(); }
    SessionLanesWidget* lanes() { return window_->findChild<SessionLanesWidget*>(); }

    dyetrace::testing::TestFolder folder_;
    std::unique_ptr<MainWindow> window_;
};

}  // namespace dyetrace::viewer

QTEST_MAIN(dyetrace::viewer::WindowTest)
#include "window_test.moc"
