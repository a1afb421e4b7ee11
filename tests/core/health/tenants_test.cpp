// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/health/tenants.h"

#include <gtest/gtest.h>

namespace dyetrace::health {
namespace {

constexpr IpAddress kHost1{Ipv4Address{0x0a000001}};
constexpr IpAddress kHost2{Ipv4Address{0x0a000002}};

TenantSpec red() {
    return {"red",
            {Vni{100}, Vni{101}},
            {{"web2", Vni{100}, kHost2},
             {"web1", Vni{100}, kHost1},
             {"db", Vni{101}, kHost2},
             {"cache", Vni{100}, kHost1}},
            {}};
}

TEST(Tenants, CountPairsWithinAVirtualNetwork) {
    const Tenant tenant(red());
    EXPECT_EQ(tenant.pairs(), 6U);  // three guests of VNI 100; the one of 101 is alone
    EXPECT_EQ(tenant.pairs_between({kHost1, kHost2}), 2U);
    EXPECT_EQ(tenant.pairs_between({kHost2, kHost1}), 2U);
    EXPECT_EQ(tenant.pairs_between({kHost1, kHost1}), 0U);
}

TEST(Tenants, GuestsAreInOrderAndFoundByName) {
    const Tenant tenant(red());
    EXPECT_EQ(tenant.guests()[0].name, "cache");
    ASSERT_TRUE(tenant.find("web1").has_value());
    EXPECT_EQ(tenant.guests()[*tenant.find("web1")].host, kHost1);
    EXPECT_FALSE(tenant.find("web").has_value());
}

TEST(Tenants, AMoveChangesWhoIsWhere) {
    Tenant tenant(red());
    tenant.move(*tenant.find("web2"), kHost1);
    EXPECT_EQ(tenant.pairs_between({kHost1, kHost2}), 0U);
    EXPECT_EQ(tenant.on(kHost1).size(), 3U);
    tenant.move(*tenant.find("db"), kHost1);
    EXPECT_FALSE(tenant.is_on(kHost2));
}

std::string wrong(const std::vector<TenantSpec>& tenants, const TenantBounds& bounds = {}) {
    return wrong_tenants(tenants, bounds).value_or("");
}

TEST(Tenants, BadOnesAreNamed) {
    EXPECT_EQ(wrong({red()}), "");
    TenantSpec one = red();
    one.guests[0].name = "web1";
    EXPECT_EQ(wrong({one}), R"(tenant "red": guest "web1" is there twice)");
    one = red();
    one.guests[0].vni = Vni{7};
    EXPECT_EQ(wrong({one}), R"(tenant "red": guest "web2" is in VNI 7, which is not the tenant's)");
    one = red();
    one.guests[0].host = {};
    EXPECT_EQ(wrong({one}), R"(tenant "red": guest "web2" is on no host)");
    one = red();
    one.guests[0].name = "a\nb";
    EXPECT_EQ(wrong({one}), R"(tenant "red": a guest has no name that can be shown)");
    one = red();
    one.vnis.push_back(Vni{0x1000000});
    EXPECT_EQ(wrong({one}), R"(tenant "red": VNI 16777216 has more than 24 bits)");
    one = red();
    one.states = {{"bad", {}}, {"bad", {}}};
    EXPECT_EQ(wrong({one}), R"(tenant "red": state "bad" is there twice)");
    one.states = {{"healthy", {}}};
    EXPECT_EQ(wrong({one}), R"(tenant "red": state "healthy" has the name of a built-in one)");
    EXPECT_EQ(wrong({red(), red()}), R"(tenant "red" is there twice)");
    TenantSpec blue = red();
    blue.name = "blue";
    EXPECT_EQ(wrong({red(), blue}), R"(tenant "blue": VNI 100 is that of "red" already)");
    blue.name = "";
    EXPECT_EQ(wrong({blue}), "a tenant has no name that can be shown");
}

TEST(Tenants, EveryBoundRefusesOneMore) {
    TenantSpec empty{"blue", {}, {}, {}};
    EXPECT_EQ(wrong({red(), empty}, {2, 4, 1, 5}), "");
    EXPECT_EQ(wrong({red(), empty}, {1, 4, 1, 4}), "more tenants than the 1 that may be");
    EXPECT_EQ(wrong({red()}, {2, 3, 1, 8}), "more guests than the 3 that may be");
    TenantSpec one = red();
    one.states = {{"a", {}}, {"b", {}}};
    EXPECT_EQ(wrong({one}, {2, 4, 1, 8}), R"(tenant "red": more states than the 1 that may be)");
    EXPECT_EQ(wrong({red()}, {2, 4, 1, 4}), R"(tenant "red": a guest has no name that can be shown)");
}

}  // namespace
}  // namespace dyetrace::health
