// SPDX-License-Identifier: GPL-2.0-or-later
// Networks in files: GraphML and edge lists, right and wrong.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenarios/reader/edge_list.h"
#include "scenarios/reader/graphml.h"
#include "tests/scenarios/reader/reading_errors.h"

namespace dyetrace::scenario {
namespace {

using localise::FabricPlan;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

enum class Form { GraphMl, EdgeList };

struct Outcome {
    std::optional<FabricPlan> plan;
    std::vector<std::string> told;
};

Outcome read_file(Form form, const std::string& text, std::uint32_t hosts_per_node = 1,
                  bool largest_part = false) {
    Diagnostics diagnostics;
    const SourceText source("net", text);
    FileReport report(source, diagnostics);
    Network network = form == Form::GraphMl ? read_graphml(report) : read_edge_list(report);
    if (largest_part) keep_largest_part(network, report);
    Outcome outcome;
    if (network.is_whole)
        outcome.plan =
            plan_network(network, {hosts_per_node, 1'000'000'000, Duration::microseconds(1)}, report);
    outcome.told = told(diagnostics);
    EXPECT_EQ(outcome.plan.has_value(), !diagnostics.has_errors()) << diagnostics.to_text();
    return outcome;
}

Outcome edges(const std::string& text, std::uint32_t hosts_per_node = 1) {
    return read_file(Form::EdgeList, text, hosts_per_node);
}

const std::string keys =
    R"(<key id="l" for="node" attr.name="label"/><key id="y" for="node" attr.name="Latitude"/>)"
    R"(<key id="x" for="node" attr.name="Longitude"/><key id="h" for="node" attr.name="hosts"/>)"
    R"(<key id="raw" for="edge" attr.name="LinkSpeedRaw"/><key id="s" for="edge" attr.name="LinkSpeed"/>)"
    R"(<key id="u" for="edge" attr.name="LinkSpeedUnits"/><key id="r" for="edge" attr.name="rate"/>)"
    R"(<key id="d" for="edge" attr.name="delay"/>)";

/// A graph whose first element is on line 2.
Outcome graphml(const std::string& inside, const std::string& graph = "<graph edgedefault=\"undirected\">") {
    return read_file(Form::GraphMl, "<graphml>" + keys + graph + "\n" + inside + "\n</graph></graphml>");
}

std::string node(const std::string& id, const std::string& data = "") {
    return "<node id=\"" + id + "\">" + data + "</node>\n";
}
std::string edge(const std::string& from, const std::string& to, const std::string& data = "") {
    return "<edge source=\"" + from + "\" target=\"" + to + "\">" + data + "</edge>\n";
}
std::string data(const std::string& key, const std::string& text) {
    return "<data key=\"" + key + "\">" + text + "</data>";
}

std::string read_data(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream(DYETRACE_SOURCE_DIR "/tests/data/topologies/" + name, std::ios::binary).rdbuf();
    return text.str();
}

std::vector<std::string> switches_of(const Outcome& outcome) {
    std::vector<std::string> names;
    if (!outcome.plan) return names;
    for (std::size_t i = outcome.plan->host_count(); i < outcome.plan->nodes().size(); ++i)
        names.push_back(outcome.plan->nodes()[i].name);
    return names;
}

localise::CableSettings link(const Outcome& outcome, const std::string& from, const std::string& to) {
    if (!outcome.plan) return {};
    const auto a = outcome.plan->find(from);
    const auto b = outcome.plan->find(to);
    const auto port = a && b ? outcome.plan->link(*a, *b) : std::nullopt;
    EXPECT_TRUE(port.has_value()) << from << " " << to;
    return port ? outcome.plan->cables()[outcome.plan->ports()[*port].cable].settings
                : localise::CableSettings{};
}

TEST(EdgeList, ALineIsALinkWithItsRateAndDelay) {
    const Outcome outcome = edges("# a comment\na b 10Gbps 5ms\nb c - 2us # more\n\nc d 3ms\na d\n");
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_THAT(switches_of(outcome), ElementsAre("a", "b", "c", "d"));
    EXPECT_EQ(outcome.plan->host_count(), 4U);
    EXPECT_TRUE(outcome.plan->find("host-c-0").has_value());
    EXPECT_EQ(link(outcome, "a", "b").rate_bps, 10'000'000'000U);
    EXPECT_EQ(link(outcome, "a", "b").delay, Duration::milliseconds(5));
    EXPECT_EQ(link(outcome, "b", "c").rate_bps, 0U);
    EXPECT_EQ(link(outcome, "b", "c").delay, Duration::microseconds(2));
    EXPECT_EQ(link(outcome, "c", "d").delay, Duration::milliseconds(3));
    EXPECT_FALSE(link(outcome, "a", "d").delay.has_value());
}

TEST(EdgeList, AFileThatDeclaresHostsHasNoOthers) {
    const Outcome outcome = edges("host web\nhost db\nweb a 2Gbps\ndb b\na b\n", 5);
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_THAT(switches_of(outcome), ElementsAre("a", "b"));
    EXPECT_EQ(outcome.plan->host_count(), 2U);
    EXPECT_EQ(link(outcome, "web", "a").rate_bps, 2'000'000'000U);
}

TEST(EdgeList, AHostHasOneLinkToASwitch) {
    EXPECT_THAT(edges("host h\na b\nb c\n").told,
                ElementsAre("net:1:6: host h has 0 links; a host has one, to a switch",
                            "net:2:1: no way leads from h to a"));
    EXPECT_THAT(edges("host h\nh a\nh b\na b\n").told,
                ElementsAre("net:1:6: host h has 2 links; a host has one, to a switch"));
    EXPECT_THAT(edges("host h\nhost g\nh g\n").told,
                Contains(HasSubstr("net:3:1: h and g are both hosts; a host has one link, to a switch")));
    EXPECT_THAT(edges("host h\nhost h\nh a\na b\n").told, ElementsAre("net:2:6: host h is declared twice"));
}

TEST(EdgeList, EveryLineThatIsWrongIsTold) {
    EXPECT_THAT(
        edges("a b\na\na b c d e\na c 5\na d 10Gps\na e 1ms 2ms\na f 10kbps\na g 2s\na x:y\n").told,
        ElementsAre("net:2:1: a link has two ends", "net:3:9: a word too many",
                    "net:4:5: \"5\" is neither a rate nor a delay",
                    "net:5:5: \"10Gps\" is neither a rate nor a delay", "net:6:9: a second delay",
                    "net:7:5: a link of 10000 bits a second is out of range: 1Mbps to 1Tbps",
                    "net:8:5: a delay of 2s is out of range: 0s to 1s", "net:9:3: \"x:y\" is no name"));
}

TEST(EdgeList, ASelfLoopAndAPieceOfItsOwnAreToldWithTheirLines) {
    EXPECT_THAT(edges("a b\nb b\nc d\n").told,
                ElementsAre("net:2:1: an edge joins b with itself", "net:3:1: no way leads from a to c"));
}

TEST(EdgeList, ParallelEdgesAreOneLinkOfBothRatesAndTheLongerDelay) {
    const Outcome outcome = edges("a b 1Gbps 5ms\nb a 2Gbps 3ms\na b\nb c\n");
    EXPECT_THAT(outcome.told,
                ElementsAre(HasSubstr("net:2:1: warning: b and a are joined a second time, after line 1"),
                            HasSubstr("net:3:1: warning: a and b are joined a second time, after line 1")));
    EXPECT_EQ(link(outcome, "a", "b").rate_bps, 4'000'000'000U);  // what the scenario says of the third
    EXPECT_EQ(link(outcome, "a", "b").delay, Duration::milliseconds(5));
    EXPECT_EQ(outcome.plan->cables().size(), 3U + 2);
}

TEST(EdgeList, AnEmptyFileHasNoNode) {
    EXPECT_THAT(edges("# nothing\n").told, ElementsAre("net: there is no node in this file"));
}

TEST(EdgeList, WithoutHostsItIsNoFabric) {
    EXPECT_THAT(edges("a b\n", 0).told, ElementsAre("net: no node has a host"));
}

TEST(EdgeList, AByteOrderMarkIsNoPartOfAName) {
    const Outcome outcome = edges(
        "\xef\xbb\xbf"
        "a b\nb a2\n");
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_THAT(switches_of(outcome), ElementsAre("a", "b", "a2"));
}

TEST(EdgeList, BytesThatAreNoTextAreTold) {
    EXPECT_THAT(edges("a b\na \xff\n").told, ElementsAre("net:2:1: this line is not UTF-8"));
}

TEST(EdgeList, TooManyNodesAreToldOnceAndReadingStops) {
    std::string text;
    for (std::size_t i = 1; i <= network_nodes_most + 5; ++i)
        text += "a n" + std::to_string(i) + "\n";
    EXPECT_THAT(edges(text).told, ElementsAre("net:10000:3: more than 10000 nodes"));
}

TEST(GraphMl, LabelsAreNamesMadeGoodAndUnique) {
    const Outcome outcome =
        graphml(node("0", data("l", "New York")) + node("1", data("l", "New York")) + node("2") +
                node("3", data("l", "a:b*c?")) + edge("0", "1") + edge("1", "2") + edge("2", "3"));
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_THAT(switches_of(outcome), ElementsAre("New_York", "New_York_2", "node-2", "a_b_c_"));
}

TEST(GraphMl, SpeedsComeFromWhatTheZooAndOthersWrite) {
    const Outcome outcome = graphml(node("a") + node("b") + node("c") + node("d") + node("e") +
                                    edge("a", "b", data("raw", "2500000000.0")) +
                                    edge("b", "c", data("s", "45") + data("u", "M")) +
                                    edge("c", "d", data("r", "3Gbps") + data("raw", "1")) + edge("d", "e"));
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_EQ(link(outcome, "node-a", "node-b").rate_bps, 2'500'000'000U);
    EXPECT_EQ(link(outcome, "node-b", "node-c").rate_bps, 45'000'000U);
    EXPECT_EQ(link(outcome, "node-c", "node-d").rate_bps, 3'000'000'000U);
    EXPECT_EQ(link(outcome, "node-d", "node-e").rate_bps, 0U);
}

TEST(GraphMl, ASpeedThatIsNoneIsToldAndLeftToTheScenario) {
    const Outcome outcome =
        graphml(node("a") + node("b") + edge("a", "b", data("s", "155-622") + data("u", "M")));
    EXPECT_THAT(
        outcome.told,
        ElementsAre("net:4:1: warning: LinkSpeed: \"155-622 M\" is no speed; this link has link_rate"));
    EXPECT_EQ(link(outcome, "node-a", "node-b").rate_bps, 0U);
}

TEST(GraphMl, ASpeedOfTheZooBeyondTheLimitsIsTheNearestAndTold) {
    const Outcome slow = graphml(node("a") + node("b") + edge("a", "b", data("raw", "64000.0")));
    EXPECT_THAT(slow.told,
                ElementsAre("net:4:1: warning: a link of 64000 bits a second is out of range: it has 1Mbps"));
    EXPECT_EQ(link(slow, "node-a", "node-b").rate_bps, 1'000'000U);
    const Outcome fast = graphml(node("a") + node("b") + edge("a", "b", data("s", "9") + data("u", "T")));
    EXPECT_EQ(link(fast, "node-a", "node-b").rate_bps, 1'000'000'000'000U);
}

TEST(LargestPart, IsKeptAndWhatIsLeftOutIsTold) {
    const Outcome outcome = read_file(Form::EdgeList, "a b\nc d\nd e\nf g\n", 1, true);
    EXPECT_THAT(outcome.told,
                ElementsAre(HasSubstr("warning: 4 of 7 nodes are left out, a the first of them: no "
                                      "way leads from them to c")));
    EXPECT_THAT(switches_of(outcome), ElementsAre("c", "d", "e"));
    EXPECT_EQ(outcome.plan->cables().size(), 2U + 3U);
}

/// Attributes under numbered keys, a node that nothing joins, another without a place, labels given twice,
/// and more links between two nodes: as files of the Zoo come.
TEST(LargestPart, AFileLikeThoseOfTheZooIsReadWhole) {
    const std::string file = read_data("zoo-like.graphml");
    EXPECT_THAT(read_file(Form::GraphMl, file).told,
                Contains(HasSubstr("no way leads from Porto_Largo to Ilha_do_Farol")));
    const Outcome outcome = read_file(Form::GraphMl, file, 1, true);
    EXPECT_THAT(outcome.told,
                UnorderedElementsAre(
                    HasSubstr("warning: 1 of 7 nodes are left out, Ilha_do_Farol the first of them"),
                    HasSubstr("warning: LinkSpeedRaw: \"dark fibre\" is no speed"),
                    HasSubstr("warning: a link of 64000 bits a second is out of range: it has 1Mbps"),
                    HasSubstr("Porto_Largo and Vila_Alta are joined a second time")));
    EXPECT_THAT(switches_of(outcome),
                ElementsAre("Porto_Largo", "Vila_Alta", "None", "None_2", "Campo_Verde", "__Hyper_edge"));
    EXPECT_EQ(link(outcome, "Porto_Largo", "Vila_Alta").rate_bps, 12'500'000'000U);
    EXPECT_EQ(link(outcome, "Vila_Alta", "Campo_Verde").rate_bps, 155'000'000U);
    EXPECT_EQ(link(outcome, "None", "None_2").rate_bps, 0U);
    EXPECT_EQ(link(outcome, "None", "Porto_Largo").delay, std::nullopt);
    EXPECT_GT(link(outcome, "Vila_Alta", "Campo_Verde").delay->ns, 500'000);
}

TEST(LargestPart, OfEqualPartsIsTheFirst) {
    EXPECT_THAT(switches_of(read_file(Form::EdgeList, "a b\nc d\n", 1, true)), ElementsAre("a", "b"));
}

TEST(LargestPart, OfAWholeNetworkIsAllOfIt) {
    const Outcome outcome = read_file(Form::EdgeList, "b c\na b\n", 1, true);
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_EQ(switches_of(outcome).size(), 3U);
}

TEST(GraphMl, ARateOrDelayThatIsNoneIsAnError) {
    EXPECT_THAT(graphml(node("a") + node("b") + edge("a", "b", data("r", "fast") + data("d", "5"))).told,
                ElementsAre(HasSubstr("net:4:1: rate: "), HasSubstr("net:4:1: delay: ")));
    EXPECT_THAT(graphml(node("a") + node("b") + edge("a", "b", data("r", "9600bps"))).told,
                ElementsAre("net:4:1: a link of 9600 bits a second is out of range: 1Mbps to 1Tbps"));
}

TEST(GraphMl, ADelayIsThatOfLightInFibreUnlessOneIsGiven) {
    const std::string places = node("0", data("y", "0") + data("x", "0")) +
                               node("1", data("y", "0") + data("x", "90")) +
                               node("2", data("y", "90") + data("x", "17"));
    const Outcome outcome = graphml(places + edge("0", "1") + edge("1", "2", data("d", "7ms")));
    EXPECT_THAT(outcome.told, IsEmpty());
    // A quarter of the way around: 6371.0088 km * pi / 2 at 2/3 c.
    EXPECT_NEAR(static_cast<double>(link(outcome, "node-0", "node-1").delay.value().ns), 50'072'000, 10'000);
    EXPECT_EQ(link(outcome, "node-1", "node-2").delay, Duration::milliseconds(7));
}

TEST(GraphMl, NodesStandFromWestToEast) {
    const Outcome outcome = graphml(node("a", data("x", "30")) + node("b", data("x", "-100")) + node("c") +
                                    edge("a", "b") + edge("b", "c"));
    const auto position = [&](const char* name) {
        return outcome.plan->nodes()[*outcome.plan->find(name)].position;
    };
    EXPECT_EQ(position("node-b"), 0U);
    EXPECT_EQ(position("node-a"), 1U);
    EXPECT_EQ(position("node-c"), 2U);
}

TEST(GraphMl, ANodeMaySayHowManyHostsItHas) {
    const Outcome outcome = graphml(node("a", data("h", "3")) + node("b", data("h", "0")) + node("c") +
                                    edge("a", "b") + edge("b", "c"));
    EXPECT_EQ(outcome.plan->host_count(), 4U);
    EXPECT_EQ(outcome.plan->nodes()[*outcome.plan->find("node-b")].tier, localise::PlanTier::Core);
    EXPECT_THAT(graphml(node("a", data("h", "254"))).told,
                ElementsAre("net:2:1: hosts: \"254\" is not 0 to 253"));
}

TEST(GraphMl, TheTwoDirectionsOfADirectedGraphAreOneLink) {
    const std::string graph = "<graph edgedefault=\"directed\">";
    const Outcome outcome = graphml(
        node("a") + node("b") + edge("a", "b", data("r", "1Gbps")) + edge("b", "a", data("r", "2Gbps")),
        graph);
    EXPECT_THAT(outcome.told, IsEmpty());
    EXPECT_EQ(link(outcome, "node-a", "node-b").rate_bps, 2'000'000'000U);
}

TEST(GraphMl, ADefaultOfAKeyHoldsWhereNothingIsSaid) {
    const std::string text =
        "<graphml><key id=\"r\" for=\"edge\" attr.name=\"rate\"><default>4Gbps</default></key><graph>" +
        node("a") + node("b") + node("c") + edge("a", "b") + edge("b", "c", data("r", "5Gbps")) +
        "</graph></graphml>";
    const Outcome outcome = read_file(Form::GraphMl, text);
    EXPECT_EQ(link(outcome, "node-a", "node-b").rate_bps, 4'000'000'000U);
    EXPECT_EQ(link(outcome, "node-b", "node-c").rate_bps, 5'000'000'000U);
}

TEST(GraphMl, EdgesThatLeadNowhereOrBackAreToldWithTheirLines) {
    EXPECT_THAT(
        graphml(node("a") + node("b") + edge("a", "z") + edge("b", "b") + "<edge source=\"a\"/>").told,
        ElementsAre("net:6:1: this edge has no target",
                    "net:4:1: this edge leads to \"z\", and no node has that id",
                    "net:5:1: an edge joins node-b with itself"));
    EXPECT_THAT(graphml(node("a") + node("b") + edge("a", "b") + edge("b", "b")).told,
                ElementsAre("net:5:1: an edge joins node-b with itself"));
    EXPECT_THAT(graphml(node("a") + node("b") + node("c") + edge("a", "b")).told,
                ElementsAre("net:4:1: no way leads from node-a to node-c"));
}

TEST(GraphMl, IdsAreThereAndUnique) {
    EXPECT_THAT(
        graphml(node("a") + node("a") + "<node/>").told,
        ElementsAre("net:3:1: a second node has the id \"a\", after line 2", "net:4:1: this node has no id"));
}

TEST(GraphMl, WhatIsNoFabricIsTold) {
    EXPECT_THAT(graphml("<hyperedge/>\n" + node("a") + node("b") + edge("a", "b")).told,
                ElementsAre("net:2:1: a hyperedge is no link"));
    EXPECT_THAT(read_file(Form::GraphMl, "<graphml/>").told, Contains("net: there is no graph in this file"));
    EXPECT_THAT(read_file(Form::GraphMl, "<svg/>").told,
                Contains("net:1:1: this is no GraphML: its outermost element is <svg>"));
    EXPECT_THAT(read_file(Form::GraphMl, "<graphml><graph/>\n<graph/></graphml>").told,
                Contains("net:2:1: a second graph: a fabric is one"));
}

TEST(GraphMl, BrokenXmlIsToldWithItsLine) {
    EXPECT_THAT(read_file(Form::GraphMl, "<graphml>\n<graph>\n<node id=\"a\">\n</graph>\n</graphml>").told,
                ElementsAre(AllOf(HasSubstr("net:4:"), HasSubstr("not XML: "))));
    EXPECT_THAT(read_file(Form::GraphMl, "nothing").told, ElementsAre(HasSubstr("not XML: ")));
    EXPECT_THAT(read_file(Form::GraphMl, "<graphml>\n\xff</graphml>").told,
                ElementsAre("net:2:1: this line is not UTF-8"));
    EXPECT_THAT(read_file(Form::GraphMl, std::string("<graphml>\0</graphml>", 20)).told,
                ElementsAre("net:1:1: this line is not UTF-8"));
}

TEST(GraphMl, ADocumentTypeIsRefusedBeforeAnyEntityIsDeclared) {
    const std::string bomb =
        "<?xml version=\"1.0\"?>\n<!-- one -->\n<!DOCTYPE g [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b "
        "\"&a;&a;&a;\">]>\n"
        "<graphml>&b;</graphml>";
    EXPECT_THAT(read_file(Form::GraphMl, bomb).told,
                ElementsAre("net:3:1: a document type is not read, nor any entity that it declares"));
    EXPECT_THAT(read_file(Form::GraphMl, "<!DOCTYPE g SYSTEM \"http://localhost/x.dtd\"><graphml/>").told,
                ElementsAre(HasSubstr("a document type is not read")));
    EXPECT_THAT(read_file(Form::GraphMl, "<graphml>\n&xxe;</graphml>").told,
                ElementsAre(HasSubstr("not XML: ")));
}

TEST(GraphMl, ElementsThatNestTooDeepAreTold) {
    std::string text = "<graphml>";
    for (int i = 0; i < 100'000; ++i)
        text += "<graph>";
    EXPECT_FALSE(read_file(Form::GraphMl, text).plan.has_value());
}

TEST(GraphMl, ManyNodesOfOneLabelAreNamedInNoTime) {
    std::string inside;
    for (int i = 0; i < 8000; ++i)
        inside += node(std::to_string(i), data("l", "x")) + (i > 0 ? edge("0", std::to_string(i)) : "");
    const Outcome outcome = graphml(inside);
    ASSERT_TRUE(outcome.plan.has_value());
    EXPECT_TRUE(outcome.plan->find("x_8000").has_value());
}

}  // namespace
}  // namespace dyetrace::scenario
