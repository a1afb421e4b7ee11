// SPDX-License-Identifier: GPL-2.0-or-later
// dyetrace-viewer from the outside: what it writes, says and exits with.
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTest>

#include "tests/analysis/sample_run.h"

namespace dyetrace::viewer {
namespace {

constexpr int patience_ms = 60'000;

struct Outcome {
    int exit = -1;
    QString out;
    QString err;
};

}  // namespace

class ProgramTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void initTestCase() { dyetrace::testing::write_sample_run(folder_.file("sample.db")); }

    void RendersBothViewsInTheSizeAskedFor() {
        for (const QString view : {"map", "lanes"}) {
            const QString png = path(view + ".png");
            const auto done = run(
                {path("sample.db"), "--render", view, "--at", "0.9s", "--out", png, "--size", "1280x720"});
            QVERIFY2(done.exit == 0, qPrintable(done.err));
            QCOMPARE(done.err, QString());
            const QImage image(png);
            QCOMPARE(image.size(), QSize(1280, 720));
            QVERIFY(colours(image) > 20);
        }
    }

    void APictureOfAnotherMomentIsAnother() {
        QVERIFY(render("0.1", "early.png").exit == 0);
        QVERIFY(render("0.9", "late.png").exit == 0);
        QVERIFY(QImage(path("early.png")) != QImage(path("late.png")));
    }

    void TheSamePictureTwiceIsTheSameBytes() {
        QVERIFY(render("700ms", "one.png").exit == 0);
        QVERIFY(render("700ms", "two.png").exit == 0);
        QCOMPARE(dyetrace::testing::file_bytes(folder_.file("one.png")),
                 dyetrace::testing::file_bytes(folder_.file("two.png")));
    }

    void ATimeOutsideOfTheRunIsClampedAndSaid() {
        const auto late = render("5s", "past.png");
        QCOMPARE(late.exit, 0);
        QVERIFY2(late.err.contains("outside of the run"), qPrintable(late.err));
        const auto early =
            run({path("sample.db"), "--render", "map", "--at=-1s", "--out", path("before.png")});
        QVERIFY2(early.exit == 0, qPrintable(early.err));
        QVERIFY2(early.err.contains("0.000000 s"), qPrintable(early.err));
    }

    void AnEarlierPictureIsReplacedOnlyByForce() {
        QVERIFY(render("0.1", "again.png").exit == 0);
        const QImage early(path("again.png"));
        const auto refused = render("0.9", "again.png");
        QCOMPARE(refused.exit, 1);
        QVERIFY2(refused.err.contains("again.png exists already") && refused.err.contains("--force"),
                 qPrintable(refused.err));
        QVERIFY(QImage(path("again.png")) == early);
        QCOMPARE(render("0.9", "again.png", {"--force"}).exit, 0);
        QVERIFY(QImage(path("again.png")) != early);
    }

    void ForceReplacesNothingThatIsNotAPictureOfItsOwn() {
        QImage foreign(8, 8, QImage::Format_RGB32);
        foreign.fill(Qt::red);
        QVERIFY(foreign.save(path("foreign.png")));
        for (const QString name : {"foreign.png", "sample.db"}) {
            const auto before = dyetrace::testing::file_bytes(folder_.file(name.toStdString()));
            const auto refused = render("0.5", name, {"--force"});
            QCOMPARE(refused.exit, 1);
            QVERIFY2(refused.err.contains("not replaced") && !refused.err.contains("hint"),
                     qPrintable(refused.err));
            QVERIFY(dyetrace::testing::file_bytes(folder_.file(name.toStdString())) == before);
        }
    }

    void AFileThatCannotBeWrittenIsAFailure() {
        const auto done =
            run({path("sample.db"), "--render", "map", "--at", "0", "--out", path("no/such/folder.png")});
        QCOMPARE(done.exit, 1);
        QVERIFY2(done.err.contains("cannot be written"), qPrintable(done.err));
    }

    void AForeignTruncatedOrAbsentFileIsInvalidInput() {
        dyetrace::testing::write_bytes(folder_.file("foreign.db"), "not a database at all");
        const auto whole = dyetrace::testing::file_bytes(folder_.file("sample.db"));
        dyetrace::testing::write_bytes(folder_.file("cut.db"), whole.substr(0, whole.size() / 3));
        for (const QString name : {"foreign.db", "cut.db", "absent.db"}) {
            const auto drawn = run({path(name), "--render", "map", "--at", "0", "--out", path("x.png")});
            QCOMPARE(drawn.exit, 3);
            QVERIFY2(drawn.err.contains(name), qPrintable(drawn.err));
            QVERIFY(!QFile::exists(path("x.png")));
            const auto shown = run({path(name)});
            QCOMPARE(shown.exit, 3);
            QVERIFY2(shown.err.contains(name), qPrintable(shown.err));
        }
    }

    void AWrongCommandLineIsAUsageError_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("unknown option") << QStringList{"--frobnicate"};
        QTest::newRow("unknown view")
            << QStringList{"RUN", "--render", "sessions", "--at", "0", "--out", "OUT"};
        QTest::newRow("no time") << QStringList{"RUN", "--render", "map", "--out", "OUT"};
        QTest::newRow("no output") << QStringList{"RUN", "--render", "map", "--at", "0"};
        QTest::newRow("no run") << QStringList{"--render", "map", "--at", "0", "--out", "OUT"};
        QTest::newRow("not a time") << QStringList{"RUN", "--render", "map", "--at", "soon", "--out", "OUT"};
        QTest::newRow("not a size") << QStringList{"RUN",   "--render", "map",    "--at", "0",
                                                   "--out", "OUT",      "--size", "big"};
        QTest::newRow("too large") << QStringList{"RUN",   "--render", "map",    "--at",    "0",
                                                  "--out", "OUT",      "--size", "99999x10"};
        QTest::newRow("output without view") << QStringList{"RUN", "--out", "OUT"};
    }
    void AWrongCommandLineIsAUsageError() {
        QFETCH(QStringList, arguments);
        arguments.replaceInStrings("RUN", path("sample.db")).replaceInStrings("OUT", path("usage.png"));
        const auto done = run(arguments);
        QCOMPARE(done.exit, 2);
        QVERIFY2(done.err.contains("error:") && done.err.contains("--help"), qPrintable(done.err));
        QVERIFY(!QFile::exists(path("usage.png")));
    }

    void HelpAndVersionAreToldOnStandardOutput() {
        const auto help = run({"--help"});
        QCOMPARE(help.exit, 0);
        for (const char* option :
             {"--render", "--at", "--out", "--size", "--force", "--version", "Exit codes"})
            QVERIFY2(help.out.contains(option), option);
        const auto version = run({"--version"});
        QCOMPARE(version.exit, 0);
        QVERIFY(version.out.startsWith("dyetrace-viewer "));
    }

    void WithoutADisplayItSaysWhatElseThereIs() {
        auto environment = QProcessEnvironment::systemEnvironment();
        for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"})
            environment.remove(name);
        const auto done = run({path("sample.db")}, environment);
        QCOMPARE(done.exit, 1);
        QVERIFY2(done.err.contains("display") && done.err.contains("--render"), qPrintable(done.err));
        const auto drawn = run(
            {path("sample.db"), "--render", "map", "--at", "0", "--out", path("headless.png")}, environment);
        QCOMPARE(drawn.exit, 0);
    }

  private:
    [[nodiscard]] QString path(const QString& name) const {
        return QString::fromStdString(folder_.file(name.toStdString()).string());
    }

    Outcome render(const QString& at, const QString& out, const QStringList& more = {}) {
        return run(QStringList{path("sample.db"), "--render", "map", "--at", at, "--out", path(out)} + more);
    }

    static Outcome run(const QStringList& arguments) {
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("QT_QPA_PLATFORM", "offscreen");
        return run(arguments, environment);
    }
    static Outcome run(const QStringList& arguments, const QProcessEnvironment& environment) {
        QProcess process;
        process.setProcessEnvironment(environment);
        process.start(QStringLiteral(DYETRACE_PROGRAM_DIR "/dyetrace-viewer"), arguments);
        if (!process.waitForFinished(patience_ms)) {
            process.kill();
            process.waitForFinished();
            return {};
        }
        return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
                QString::fromUtf8(process.readAllStandardOutput()),
                QString::fromUtf8(process.readAllStandardError())};
    }

    /// How many different colours the picture has: a blank one has one.
    static qsizetype colours(const QImage& image) {
        QSet<QRgb> found;
        for (int y = 0; y < image.height(); y += 2) {
            for (int x = 0; x < image.width(); x += 2)
                found.insert(image.pixel(x, y));
        }
        return found.size();
    }

    dyetrace::testing::TestFolder folder_;
};

}  // namespace dyetrace::viewer

QTEST_GUILESS_MAIN(dyetrace::viewer::ProgramTest)
#include "program_test.moc"
