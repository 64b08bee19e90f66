// SPDX-License-Identifier: BSD-3-Clause
// The library over a transport that fails: first every call that it makes of a plugin, one at a
// time, then every completion, then weather by seed. CINNABAR_TEST_FAULT_SEEDS is how many seeds
// there are, CINNABAR_TEST_FAULT_SEED the first one, CINNABAR_TEST_FAULT_CALLS how many calls of a
// kind are made to fail; more than the defaults make a longer sweep.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/fault/workload.hpp"
#include "tests/support/log_check.hpp"

using namespace cinnabar::fault;

namespace {

unsigned setting(const char* name, unsigned otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

// Which of `count` calls fail: the first ones, the last one, and some between.
std::vector<unsigned> chosen(unsigned count) {
    const unsigned most = setting("CINNABAR_TEST_FAULT_CALLS", 24);
    std::vector<unsigned> list;
    for (unsigned i = 1; i <= count; ++i)
        if (i <= most / 2 || i == count || (i * most / 2) / count != ((i - 1) * most / 2) / count)
            list.push_back(i);
    return list;
}

constexpr na_return_t codes[] = {NA_NOMEM, NA_AGAIN, NA_HOSTUNREACH};

}  // namespace

TEST_CASE("without a fault everything succeeds and nothing is left") {
    for (const char* protocol : protocols())
        (void)run(protocol, {}, {});
}

TEST_CASE("each call of a transport's function fails once") {
    for (const char* protocol : protocols()) {
        const Report clean = run(protocol, {}, {});
        unsigned runs = 0, failed = 0;
        cinnabar::test::allow_log("");
        for (std::size_t slot = 0; slot < static_cast<std::size_t>(Slot::count); ++slot)
            for (const unsigned nth : chosen(clean.calls[slot])) {
                Plan plan;
                plan.slot = static_cast<Slot>(slot);
                plan.nth = nth;
                plan.code = codes[nth % std::size(codes)];
                Expectation expectation;
                expectation.closes_at_once =
                    plan.slot != Slot::context_close && plan.slot != Slot::cancel;
                ++runs;
                failed += run(protocol, plan, expectation).faults;
            }
        // Calls that depend on the time taken, such as polls, may be fewer than before.
        CHECK(failed * 10 >= runs * 9);
    }
}

TEST_CASE("each completion of a transport is an error once") {
    for (const char* protocol : protocols()) {
        const Report clean = run(protocol, {}, {});
        unsigned runs = 0, failed = 0;
        cinnabar::test::allow_log("");
        for (std::size_t kind = 0; kind < static_cast<std::size_t>(Kind::count); ++kind)
            for (const unsigned nth : chosen(clean.completions[kind])) {
                Plan plan;
                plan.kind = static_cast<Kind>(kind);
                plan.nth = nth;
                plan.code = nth % 2 == 0 ? NA_HOSTUNREACH : NA_PROTOCOL_ERROR;
                ++runs;
                failed += run(protocol, plan, {}).faults;
            }
        CHECK(failed * 10 >= runs * 9);
    }
}

TEST_CASE("a server that could not post its receives hears again once it can") {
    for (const char* protocol : protocols()) {
        cinnabar::test::allow_log("");
        for (unsigned nth = 5; nth < 12; ++nth) {
            Plan plan;
            plan.slot = Slot::recv_unexpected;
            plan.nth = nth;
            plan.times = 1000;
            (void)run(protocol, plan, {});
        }
    }
}

namespace {

// Each seed has weather of its own: most are mild, some rough, in some all peers go.
Plan weather(std::uint64_t seed) {
    Plan plan;
    plan.seed = seed;
    plan.code = codes[seed % std::size(codes)];
    const unsigned strength = seed % 3 == 0 ? 200 : 30;
    plan.delay = 2 * strength;
    if (seed % 2 == 0) plan.lose = strength;
    if (seed % 5 < 2) plan.duplicate = strength;
    if (seed % 7 < 3) plan.fail_post = strength;
    if (seed % 11 < 5) plan.fail_completion = strength;
    if (seed % 4 == 3) plan.gone_after = 10 + static_cast<unsigned>(seed * 7 % 80);
    return plan;
}

}  // namespace

// The thread sanitizer takes a minute for a thousand, and finds nothing more in them.
#ifdef __SANITIZE_THREAD__
constexpr unsigned usual_seeds = 200;
#else
constexpr unsigned usual_seeds = 1000;
#endif

TEST_CASE("in any weather each operation ends once") {
    cinnabar::test::allow_log("");
    const unsigned first = setting("CINNABAR_TEST_FAULT_SEED", 1);
    const unsigned count = setting("CINNABAR_TEST_FAULT_SEEDS", usual_seeds);
    for (const char* protocol : protocols())
        for (unsigned seed = first; seed < first + count; ++seed) {
            const Plan plan = weather(seed);
            Expectation expectation;
            // Receives that are lost to errors may be too many, and peers that are gone stay gone.
            expectation.serves_on = plan.gone_after == 0;
            (void)run(protocol, plan, expectation);
        }
}
