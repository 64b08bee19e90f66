// SPDX-License-Identifier: BSD-3-Clause
// Calls of "sum", a fixed number of them in flight: each is forwarded again from the callback that
// learns its result. Every result is checked. One thread.
#pragma once

#include <vector>

#include "hl/tools/perf/net.hpp"

namespace cinnabar::perf {

class CallLoop {
public:
    // Borrows both.
    CallLoop(Net& net, hg_addr_t server, std::uint64_t window);
    CallLoop(const CallLoop&) = delete;
    CallLoop& operator=(const CallLoop&) = delete;
    ~CallLoop();

    // Makes `warm` calls, then `count` more, and returns the seconds that those took.
    double run(std::uint64_t warm, std::uint64_t count);

private:
    struct Call {
        CallLoop* loop = nullptr;
        hg_handle_t handle = HG_HANDLE_NULL;
        SumIn in;
    };

    static hg_return_t on_answer(const hg_cb_info* info);
    void forward(Call& call);
    void receive(Call& call);

    Net& net_;
    std::vector<Call> calls_;
    std::uint64_t forwarded_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t warm_ = 0;
    std::uint64_t end_ = 0;
    double start_ = 0;
};

}  // namespace cinnabar::perf
