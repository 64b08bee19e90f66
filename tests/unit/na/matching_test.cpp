// SPDX-License-Identifier: BSD-3-Clause
// How messages find posted receives: last in, first out for unexpected ones; by source, context and
// tag, oldest first, for expected ones; and taking them out from anywhere.
#include "na/sdk/matching.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace cinnabar::na::sdk {
namespace {

PostedReceive expected_of(const void* source, std::uint8_t id, na_tag_t tag) {
    PostedReceive receive;
    receive.source = source;
    receive.source_id = id;
    receive.tag = tag;
    return receive;
}

TEST_CASE("the unexpected receive posted last is taken first") {
    UnexpectedReceives receives;
    PostedReceive a, b, c;
    CHECK(receives.empty());
    CHECK(receives.take() == nullptr);
    receives.post(a);
    receives.post(b);
    receives.post(c);
    CHECK(c.posted);
    CHECK(receives.take() == &c);
    CHECK_FALSE(c.posted);
    CHECK(receives.take() == &b);
    receives.post(c);
    CHECK(receives.take() == &c);
    CHECK(receives.take() == &a);
    CHECK(receives.empty());
}

TEST_CASE("an unexpected receive is removed from top, middle and bottom") {
    UnexpectedReceives receives;
    PostedReceive list[5];
    for (PostedReceive& receive : list)
        receives.post(receive);
    receives.remove(list[4]);
    receives.remove(list[2]);
    receives.remove(list[0]);
    CHECK_FALSE(list[2].posted);
    CHECK(receives.take() == &list[3]);
    CHECK(receives.take() == &list[1]);
    CHECK(receives.empty());
}

TEST_CASE("an expected receive is found by source, context and tag, and by nothing less") {
    ExpectedReceives receives;
    const int peers[2] = {};
    PostedReceive receive = expected_of(&peers[0], 1, 7);
    receives.post(receive);
    CHECK(receives.take(&peers[1], 1, 7) == nullptr);
    CHECK(receives.take(&peers[0], 2, 7) == nullptr);
    CHECK(receives.take(&peers[0], 1, 8) == nullptr);
    CHECK(receives.take(&peers[0], 1, 7 + 256) == nullptr);
    CHECK(receive.posted);
    CHECK(receives.take(&peers[0], 1, 7) == &receive);
    CHECK_FALSE(receive.posted);
    CHECK(receives.take(&peers[0], 1, 7) == nullptr);
    CHECK(receives.empty());
}

TEST_CASE("of equal expected receives the oldest is taken first") {
    ExpectedReceives receives;
    const int peer = 0;
    PostedReceive list[3] = {expected_of(&peer, 0, 9), expected_of(&peer, 0, 9),
                             expected_of(&peer, 0, 9)};
    for (PostedReceive& receive : list)
        receives.post(receive);
    for (PostedReceive& receive : list)
        CHECK(receives.take(&peer, 0, 9) == &receive);
}

TEST_CASE("expected receives are removed from anywhere in a chain") {
    // Tags 256 apart share a chain.
    ExpectedReceives receives;
    const int peer = 0;
    std::vector<PostedReceive> list;
    for (na_tag_t i = 0; i < 5; ++i)
        list.push_back(expected_of(&peer, 0, i * 256));
    for (PostedReceive& receive : list)
        receives.post(receive);
    receives.remove(list[0]);
    receives.remove(list[2]);
    receives.remove(list[4]);
    CHECK(receives.take(&peer, 0, 0) == nullptr);
    CHECK(receives.take(&peer, 0, 256) == &list[1]);
    CHECK(receives.take(&peer, 0, 3 * 256) == &list[3]);
    CHECK(receives.empty());
    receives.post(list[2]);
    CHECK(receives.take(&peer, 0, 512) == &list[2]);
}

TEST_CASE("all receives from one peer are taken, and no others") {
    ExpectedReceives receives;
    const int peers[2] = {};
    std::vector<PostedReceive> list;
    for (na_tag_t tag = 0; tag < 1000; ++tag)
        list.push_back(expected_of(&peers[tag % 3 == 0], static_cast<std::uint8_t>(tag % 4), tag));
    for (PostedReceive& receive : list)
        receives.post(receive);
    int taken = 0;
    while (PostedReceive* receive = receives.take_any_of(&peers[1])) {
        CHECK(receive->source == &peers[1]);
        ++taken;
    }
    CHECK(taken == 334);
    while (receives.take_any() != nullptr)
        ++taken;
    CHECK(taken == 1000);
    CHECK(receives.empty());
    CHECK(receives.take_any() == nullptr);
    CHECK(receives.take_any_of(&peers[0]) == nullptr);
}

}  // namespace
}  // namespace cinnabar::na::sdk
