// SPDX-License-Identifier: BSD-3-Clause
#include "hl/tools/perf/crowd.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>

#include "hl/tools/perf/fail.hpp"

namespace cinnabar::perf {
namespace {

constexpr int wait_ms = 100;
constexpr unsigned callbacks_per_turn = 256;
// Going to sleep and being woken costs more than a few looks.
constexpr unsigned idle_turns_before_sleep = 4;

}  // namespace

Crowd::Crowd(const Endpoint& endpoint, unsigned count)
    : members_(count), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    check_system(epoll_ >= 0, "epoll_create1");
    for (Member& member : members_) {
        member.crowd = this;
        // One that sleeps: a busy net has nothing to wait for.
        member.caller = std::make_unique<Caller>(Endpoint{endpoint.address, endpoint.info, false});
        Net& net = member.caller->net();
        check(HG_Create(net.context(), member.caller->server(), net.sum(), &member.handle),
              "HG_Create");
        const int descriptor = HG_Event_get_wait_fd(net.context());
        epoll_event event{EPOLLIN, {.ptr = &member}};
        if (descriptor < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0)
            all_can_sleep_ = false;
    }
}

Crowd::~Crowd() {
    for (Member& member : members_)
        check(HG_Destroy(member.handle), "HG_Destroy");
    ::close(epoll_);
}

std::vector<float> Crowd::call_once() {
    const double start = now();
    deadline_ = start;
    for (Member& member : members_) {
        forward(member);
        wake(member);
    }
    run();
    std::vector<float> times;
    for (const Member& member : members_)
        times.push_back(static_cast<float>(member.answered - start));
    return times;
}

std::vector<std::uint64_t> Crowd::call_for(double& seconds) {
    const double start = now();
    deadline_ = start + seconds;
    for (Member& member : members_) {
        member.calls = 0;
        forward(member);
        wake(member);
    }
    run();
    seconds = now() - start;
    std::vector<std::uint64_t> calls;
    for (const Member& member : members_)
        calls.push_back(member.calls);
    return calls;
}

void Crowd::forward(Member& member) {
    ++under_way_;
    SumIn in{1, 2};
    check(HG_Forward(member.handle, on_answer, &member, &in), "HG_Forward");
}

hg_return_t Crowd::on_answer(const hg_cb_info* info) {
    check(info->ret, "a call");
    Member& member = *static_cast<Member*>(info->arg);
    take_sum(member.handle, 3);
    --member.crowd->under_way_;
    ++member.calls;
    member.answered = now();
    if (member.answered < member.crowd->deadline_) member.crowd->forward(member);
    return HG_SUCCESS;
}

void Crowd::wake(Member& member) {
    if (member.awake) return;
    member.awake = true;
    member.idle_turns = 0;
    awake_.push_back(&member);
}

void Crowd::wake_ready() {
    std::array<epoll_event, 256> events;
    const int count =
        ::epoll_wait(epoll_, events.data(), events.size(), awake_.empty() ? wait_ms : 0);
    for (int i = 0; i < count; ++i)
        wake(*static_cast<Member*>(events[static_cast<std::size_t>(i)].data.ptr));
}

bool Crowd::take_turn(Member& member) {
    hg_context_t* context = member.caller->net().context();
    check(HG_Event_progress(context, nullptr), "HG_Event_progress");
    unsigned count = 0;
    check(HG_Event_trigger(context, callbacks_per_turn, &count), "HG_Event_trigger");
    member.idle_turns = count > 0 ? 0 : member.idle_turns + 1;
    return member.idle_turns < idle_turns_before_sleep || !all_can_sleep_ ||
           HG_Event_ready(context);
}

void Crowd::run() {
    while (under_way_ > 0) {
        wake_ready();
        std::erase_if(awake_, [this](Member* member) {
            member->awake = take_turn(*member);
            return !member->awake;
        });
    }
}

}  // namespace cinnabar::perf
