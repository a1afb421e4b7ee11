// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/eppc_table.h"

#include <set>

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

using Verdict = ReplayWindow::Verdict;

constexpr Endpoint kFrom{Ipv4Address{0x0a000001}, 46082};
constexpr Endpoint kOther{Ipv4Address{0x0a000002}, 46082};
constexpr Time kNow{1'000'000'000};
constexpr Duration kForgetAfter = Duration::seconds(60);

TEST(EppcTable, ShowsEachBootOfEachLifeAnotherBoot) {
    EppcTable table(BootId{1}, 10, kForgetAfter);
    EppcTable restarted(BootId{2}, 10, kForgetAfter);
    std::set<std::uint64_t> shown;
    const auto note = [&](BootId boot) {
        EXPECT_NE(boot.value, 0U);
        EXPECT_TRUE(shown.insert(boot.value).second);
    };
    for (std::uint64_t boot = 1; boot <= 20; ++boot) {
        note(table.shown_boot(kFrom.address, BootId{boot}));
        note(restarted.shown_boot(kFrom.address, BootId{boot}));
        table.take(kFrom, BootId{boot}, 1, kNow);
        restarted.take(kFrom, BootId{boot}, 1, kNow);
    }
    note(table.shown_boot(kFrom.address, BootId{3}));  // should boot 3 speak again
}

TEST(EppcTable, ShowsTheSameForAsLongAsABootIsCurrent) {
    EppcTable table(BootId{1}, 10, kForgetAfter);
    const BootId shown = table.shown_boot(kFrom.address, BootId{7});
    EXPECT_EQ(table.shown_boot(kFrom.address, BootId{7}), shown);
    EXPECT_EQ(table.size(), 0U);  // asking leaves nothing behind
    for (std::uint32_t number = 1; number < 100; ++number) {
        EXPECT_EQ(table.take(kFrom, BootId{7}, number, kNow).verdict, Verdict::New);
        EXPECT_EQ(table.shown_boot(kFrom.address, BootId{7}), shown);
    }
    EXPECT_EQ(table.find(kFrom.address)->shown_boot, shown);
    EXPECT_EQ(table.take(kFrom, BootId{7}, 50, kNow).verdict, Verdict::Repeated);
    EXPECT_EQ(table.take(kFrom, BootId{7}, 1, kNow).verdict, Verdict::TooOld);
}

TEST(EppcTable, ANewBootNumbersItsUpdatesAnew) {
    EppcTable table(BootId{1}, 10, kForgetAfter);
    table.take(kFrom, BootId{7}, 5, kNow);
    EXPECT_EQ(table.take(kFrom, BootId{8}, 5, kNow).verdict, Verdict::New);
    EXPECT_EQ(table.find(kFrom.address)->boot, BootId{8});
    EXPECT_EQ(table.size(), 1U);
}

TEST(EppcTable, ShowsAnotherBootBeforeNumbersRunInACircle) {
    EppcTable table(BootId{1}, 10, kForgetAfter, 4);
    const BootId first = table.shown_boot(kFrom.address, BootId{7});
    for (std::uint32_t number = 1; number <= 4; ++number)
        table.take(kFrom, BootId{7}, number, kNow);
    table.take(kFrom, BootId{7}, 4, kNow);
    const BootId second = table.shown_boot(kFrom.address, BootId{7});
    EXPECT_NE(second, first);
    EXPECT_EQ(table.take(kFrom, BootId{7}, 5, kNow).verdict, Verdict::New);
    EXPECT_EQ(table.find(kFrom.address)->shown_boot, second);
    EXPECT_EQ(table.shown_boot(kFrom.address, BootId{7}), second);
}

TEST(EppcTable, AFullTableTakesNobodyNew) {
    EppcTable table(BootId{1}, 1, kForgetAfter);
    EXPECT_NE(table.take(kFrom, BootId{7}, 1, kNow).eppc, nullptr);
    EXPECT_EQ(table.take(kOther, BootId{7}, 1, kNow).eppc, nullptr);
    EXPECT_NE(table.take(kFrom, BootId{8}, 1, kNow).eppc, nullptr);
    EXPECT_EQ(table.find(kOther.address), nullptr);
}

TEST(EppcTable, OneThatWasLongSilentGivesWayAndWhatItSaidIsNotTakenAgain) {
    EppcTable table(BootId{1}, 1, kForgetAfter);
    table.take(kFrom, BootId{6}, 1, kNow);
    table.take(kFrom, BootId{7}, 1, kNow);
    const BootId shown = table.shown_boot(kFrom.address, BootId{7});
    const Time later = kNow + kForgetAfter;
    EXPECT_NE(table.take(kOther, BootId{9}, 1, later).eppc, nullptr);
    EXPECT_EQ(table.forgotten(), 1U);
    EXPECT_EQ(table.find(kFrom.address), nullptr);
    // Whoever recorded its updates finds that they name what is shown to nobody any more.
    EXPECT_NE(table.shown_boot(kFrom.address, BootId{7}), shown);
    EXPECT_NE(table.take(kFrom, BootId{7}, 2, later + kForgetAfter).eppc, nullptr);
    EXPECT_NE(table.shown_boot(kFrom.address, BootId{7}), shown);
    EXPECT_EQ(table.size(), 1U);
}

TEST(EppcTable, WhatIsRepeatedKeepsNobodyAlive) {
    EppcTable table(BootId{1}, 1, kForgetAfter);
    table.take(kFrom, BootId{7}, 1, kNow);
    table.take(kFrom, BootId{7}, 1, kNow + kForgetAfter);
    EXPECT_NE(table.take(kOther, BootId{7}, 1, kNow + kForgetAfter).eppc, nullptr);
}

TEST(EppcTable, ARepeatFromElsewhereDoesNotMoveTheEndpoint) {
    EppcTable table(BootId{1}, 1, kForgetAfter);
    table.take(kFrom, BootId{7}, 1, kNow);
    table.take({kFrom.address, 1234}, BootId{7}, 1, kNow);
    EXPECT_EQ(table.find(kFrom.address)->endpoint, kFrom);
    table.take({kFrom.address, 1234}, BootId{7}, 2, kNow);
    EXPECT_EQ(table.find(kFrom.address)->endpoint.port, 1234);
}

}  // namespace
}  // namespace dyetrace::health
