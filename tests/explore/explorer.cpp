// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/explore/explorer.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace dyetrace::explore {

namespace {

using Key = StateDigest::Value;

/// A set of keys, which are hashes already: open addressing, 16 bytes a slot. The key of zeros is no state's.
class KeySet {
  public:
    KeySet() : slots_(1 << 16) {}

    /// Returns whether it is new.
    bool insert(const Key& key) {
        if (size_ * 3 > slots_.size() * 2) grow();
        Key& slot = find(key);
        if (slot == key) return false;
        slot = key;
        ++size_;
        return true;
    }
    [[nodiscard]] bool contains(const Key& key) { return find(key) == key; }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    Key& find(const Key& key) {
        const std::size_t mask = slots_.size() - 1;
        for (std::size_t at = key[0] & mask;; at = (at + 1) & mask) {
            if (slots_[at] == key || slots_[at] == Key{}) return slots_[at];
        }
    }
    void grow() {
        std::vector<Key> before(slots_.size() * 2);
        before.swap(slots_);
        for (const Key& key : before) {
            if (key != Key{}) find(key) = key;
        }
    }

    std::vector<Key> slots_;
    std::size_t size_ = 0;
};

class Search {
  public:
    Search(const Limits& limits, KeySet& systems, Explored& result)
        : limits_(limits), systems_(systems), result_(result) {}

    void run(const Setup& setup) {
        enter(World(setup), "both start");
        while (!stack_.empty() && !result_.violation) {
            Step& step = stack_.back();
            if (step.next == step.actions.size()) {
                leave();
                continue;
            }
            const Action action = step.actions[step.next++];
            ++result_.steps;
            World next = step.world.after(action);
            enter(std::move(next), describe(step.world, action));
        }
        result_.nodes += nodes_.size();
        result_.states = systems_.size();
    }

  private:
    struct Step {
        World world;
        std::string how;
        std::vector<Action> actions;
        std::size_t next = 0;
        Key futures{};  ///< keys of all that followed, in order
        Key key{};
    };

    static std::string describe(const World& world, const Action& action) {
        using Kind = Action::Kind;
        std::string text = "at " + std::to_string(world.now().ns / 1000) + " us: " + action.to_string();
        if (action.kind == Kind::Deliver || action.kind == Kind::Lose || action.kind == Kind::Repeat)
            text += ", " + world.message(action).to_string();
        return text;
    }

    static void mix(Key& futures, const Key& key) {
        StateDigest digest(Time{});
        for (const std::uint64_t word : {futures[0], futures[1], key[0], key[1]})
            digest.add(word);
        futures = digest.value();
    }

    void enter(World world, std::string how) {
        const Key key = world.key();
        if (!stack_.empty()) mix(stack_.back().futures, key);
        if (!world.wrong().empty()) return fail(world.wrong(), how);
        if (nodes_.contains(key)) return meet_again(world, key, how);
        if (nodes_.size() >= limits_.states_most) {
            result_.complete = false;
            return;
        }
        nodes_.insert(key);
        systems_.insert(world.system_key());
        result_.messages_most = std::max(result_.messages_most, world.on_the_way(0) + world.on_the_way(1));
        note_messages(world);
        if (key[1] % limits_.end_one_in == 0) {
            ++result_.ends;
            for (const std::string& wrong : {world.end_in_silence(), world.end_in_peace()}) {
                if (!wrong.empty()) return fail(wrong, how);
            }
        }
        auto actions = world.actions();
        stack_.push_back({std::move(world), std::move(how), std::move(actions), 0, {}, key});
        result_.depth = std::max(result_.depth, stack_.size() - 1);
    }

    void note_messages(const World& world) {
        std::uint16_t first = 0;
        result_.with_tags += world.carries([](const Message& m) { return m.tracked; });
        result_.with_rides += world.carries([](const Message& m) { return m.ridden.has_value(); });
        result_.with_sketches +=
            world.carries([](const Message& m) { return m.type == wire::ControlType::DelaySketch; });
        result_.with_two_paths += world.carries([&first](const Message& m) {
            if (m.type != wire::ControlType::Marker) return false;
            if (first == 0) first = m.port;
            return m.port != first;
        });
    }

    void leave() {
        const Step& step = stack_.back();
        if (is_compared(step.key)) futures_.emplace(step.key, step.futures);
        stack_.pop_back();
    }

    /// Equal keys must mean equal futures, or what the key leaves out decides something after all.
    void meet_again(const World& world, const Key& key, const std::string& how) {
        if (!is_compared(key)) return;
        const auto known = futures_.find(key);
        if (known == futures_.end()) return;
        ++result_.compared;
        Key futures{};
        for (const Action& action : world.actions())
            mix(futures, world.after(action).key());
        if (futures != known->second) fail("two states of one key have different futures", how);
    }

    [[nodiscard]] bool is_compared(const Key& key) const {
        return (key[0] >> 32) % limits_.compare_one_in == 0;
    }

    void fail(const std::string& what, const std::string& how) {
        Violation violation{what, {}};
        for (const Step& step : stack_)
            violation.way.push_back(step.how);
        violation.way.push_back(how);
        result_.violation = std::move(violation);
    }

    const Limits& limits_;
    KeySet& systems_;
    Explored& result_;
    std::vector<Step> stack_;
    KeySet nodes_;
    struct First {
        std::size_t operator()(const Key& key) const { return key[0]; }
    };
    std::unordered_map<Key, Key, First> futures_;
};

}  // namespace

Explored explore(const std::vector<Setup>& setups, const Limits& limits) {
    Explored result;
    KeySet systems;
    for (const Setup& setup : setups) {
        if (!result.violation) Search(limits, systems, result).run(setup);
    }
    return result;
}

}  // namespace dyetrace::explore
