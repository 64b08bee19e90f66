// SPDX-License-Identifier: BSD-3-Clause
// Many clients of one server in one process: each has a net of its own, and one thread looks after
// those whose descriptors say that something happened, so that the crowd costs what its traffic
// costs. They take turns: a client whose server is quick must not keep the thread from the others,
// or the crowd, not the server, would decide who is served. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hl/tools/perf/caller.hpp"

namespace cinnabar::perf {

class Crowd {
public:
    // `count` clients, which have looked the server up and not called yet.
    Crowd(const Endpoint& endpoint, unsigned count);
    Crowd(const Crowd&) = delete;
    Crowd& operator=(const Crowd&) = delete;
    ~Crowd();

    // Each calls once; the seconds from the beginning until each had its answer.
    std::vector<float> call_once();
    // Each calls, one at a time, for so long, and ends; how many calls each made, in `seconds`.
    std::vector<std::uint64_t> call_for(double& seconds);

private:
    struct Member {
        Crowd* crowd = nullptr;
        std::unique_ptr<Caller> caller{};
        hg_handle_t handle = HG_HANDLE_NULL;
        std::uint64_t calls = 0;
        double answered = 0;
        bool awake = false;       // among those who take turns
        unsigned idle_turns = 0;  // since something happened
    };
    static hg_return_t on_answer(const hg_cb_info* info);
    void forward(Member& member);
    void wake(Member& member);
    // Wakes those whose descriptors say so, and waits for one if all sleep.
    void wake_ready();
    // One progress and its callbacks; whether there is more to do.
    bool take_turn(Member& member);
    // Until no call is under way.
    void run();

    std::vector<Member> members_;
    std::vector<Member*> awake_;
    int epoll_;
    bool all_can_sleep_ = true;
    unsigned under_way_ = 0;
    double deadline_ = 0;
};

}  // namespace cinnabar::perf
