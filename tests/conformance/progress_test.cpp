// SPDX-License-Identifier: BSD-3-Clause
// Waiting: a poll never blocks, a wait ends with its time or with a message, the descriptor can be
// slept on, and a wake-up between arming and sleeping is not lost. The watchdog, not a clock, sees
// a hang.
#include <poll.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/conformance/net.hpp"

using namespace cinnabar::conformance;

namespace {

// Whether a thread of this process sleeps in the kernel.
bool is_asleep(pid_t thread) {
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    return name_end != std::string::npos && text.size() > name_end + 2 && text[name_end + 2] == 'S';
}

}  // namespace

CINNABAR_CONFORMANCE("a poll without work completes nothing and returns") {
    Net net(transport);
    unsigned int count = 77;
    CHECK(NA_Poll(net.cls(), net.context(), &count) == NA_SUCCESS);
    CHECK(count == 0);
    CHECK(NA_Poll_wait(net.cls(), net.context(), 0, &count) == NA_SUCCESS);
    CHECK(count == 0);
    CHECK(NA_Poll_wait(net.cls(), net.context(), 5, &count) == NA_SUCCESS);
    CHECK(count == 0);
    CHECK(NA_Progress(net.cls(), net.context(), 1) == NA_TIMEOUT);
    CHECK(NA_Trigger(net.context(), 10, &count) == NA_SUCCESS);
    CHECK(count == 0);
}

CINNABAR_CONFORMANCE("trigger runs no more callbacks than asked for") {
    Pair pair(transport);
    const Buffer in(pair.b, 8);
    std::vector<std::unique_ptr<Op>> receives;
    for (int i = 0; i < 5; ++i) {
        receives.push_back(std::make_unique<Op>(pair.b));
        REQUIRE(receives.back()->recv_unexpected(in) == NA_SUCCESS);
        REQUIRE(receives.back()->cancel() == NA_SUCCESS);
    }
    while (NA_Context_get_completion_count(pair.b.context()) < 5)
        REQUIRE(NA_Poll(pair.b.cls(), pair.b.context(), nullptr) == NA_SUCCESS);
    unsigned int count = 0;
    CHECK(NA_Trigger(pair.b.context(), 2, &count) == NA_SUCCESS);
    CHECK(count == 2);
    CHECK(NA_Trigger(pair.b.context(), 10, &count) == NA_SUCCESS);
    CHECK(count == 3);
}

CINNABAR_CONFORMANCE("the descriptor is constant, and absent when busy") {
    Net net(transport);
    const int fd = NA_Poll_get_fd(net.cls(), net.context());
    CHECK((fd >= 0) == !transport.busy);
    CHECK(NA_Poll_get_fd(net.cls(), net.context()) == fd);
    if (transport.busy) CHECK_FALSE(NA_Poll_try_wait(net.cls(), net.context()));
}

CINNABAR_CONFORMANCE("a blocking wait is woken by a message") {
    Pair pair(transport);
    exchange(pair);
    for (int round = 0; round < 200; ++round) {
        const Buffer out(pair.a, 8, 1), in(pair.b, 8);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        std::thread waiter([&] {
            while (!receive.done()) {
                unsigned int count = 0;
                // Longer than the watchdog waits: only the message can end it.
                if (NA_Poll_wait(pair.b.cls(), pair.b.context(), NA_MAX_IDLE_TIME, &count) !=
                    NA_SUCCESS)
                    std::abort();
                (void)NA_Trigger(pair.b.context(), 10, &count);
            }
        });
        for (int i = 0; i < round % 10; ++i)
            std::this_thread::yield();
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        if (pair.own_b != nullptr) pump(pair.a, [&] { return send.done(); });
        waiter.join();
        pump(pair.a, [&] { return send.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
        REQUIRE(in.holds(1, 8));
    }
}

CINNABAR_CONFORMANCE("the descriptor wakes a sleeper") {
    Pair pair(transport);
    exchange(pair);
    const int fd = NA_Poll_get_fd(pair.b.cls(), pair.b.context());
    REQUIRE(fd >= 0);
    for (int round = 0; round < 200; ++round) {
        const Buffer out(pair.a, 8, 1), in(pair.b, 8);
        Op send(pair.a), receive(pair.b);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        std::thread sleeper([&] {
            while (!receive.done()) {
                if (NA_Poll_try_wait(pair.b.cls(), pair.b.context())) {
                    pollfd event{fd, POLLIN, 0};
                    if (::poll(&event, 1, -1) < 0 && errno != EINTR) std::abort();
                }
                if (NA_Poll(pair.b.cls(), pair.b.context(), nullptr) != NA_SUCCESS) std::abort();
                (void)NA_Trigger(pair.b.context(), 10, nullptr);
            }
        });
        for (int i = 0; i < round % 10; ++i)
            std::this_thread::yield();
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        if (pair.own_b != nullptr) pump(pair.a, [&] { return send.done(); });
        sleeper.join();
        pump(pair.a, [&] { return send.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("a sleeper is woken although another thread has polled meanwhile") {
    Pair pair(transport);
    exchange(pair);
    for (int round = 0; round < 20; ++round) {
        const Buffer out(pair.a, 8, 1), in(pair.b, 8);
        Op send(pair.a), receive(pair.b);
        std::atomic<pid_t> waiter_id{0};
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        std::thread waiter([&] {
            waiter_id.store(::gettid());
            while (!receive.done()) {
                if (NA_Poll_wait(pair.b.cls(), pair.b.context(), NA_MAX_IDLE_TIME, nullptr) !=
                    NA_SUCCESS)
                    std::abort();
                (void)NA_Trigger(pair.b.context(), 10, nullptr);
            }
        });
        while (waiter_id.load() == 0 || !is_asleep(waiter_id.load()))
            std::this_thread::yield();
        REQUIRE(NA_Poll(pair.b.cls(), pair.b.context(), nullptr) == NA_SUCCESS);
        REQUIRE(send.send_unexpected(out, pair.to_b, 1) == NA_SUCCESS);
        if (pair.own_b != nullptr) pump(pair.a, [&] { return send.done(); });
        waiter.join();
        pump(pair.a, [&] { return send.done(); });
        REQUIRE(receive.ret() == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("between classes: a busy side and a blocking side understand each other") {
    NetOptions options;
    Net a(transport, options);
    options.other_mode = true;
    Net b(transport, options);
    const Address to_b = a.lookup(b), to_a = b.lookup(a);
    for (int round = 0; round < 100; ++round) {
        const bool forward = round % 2 == 0;
        Net& from = forward ? a : b;
        Net& to = forward ? b : a;
        const Buffer out(from, 8, 1), in(to, 8);
        Op send(from), receive(to);
        REQUIRE(receive.recv_unexpected(in) == NA_SUCCESS);
        std::thread waiter([&] {
            while (!receive.done()) {
                if (NA_Poll_wait(to.cls(), to.context(), NA_MAX_IDLE_TIME, nullptr) != NA_SUCCESS)
                    std::abort();
                (void)NA_Trigger(to.context(), 10, nullptr);
            }
        });
        REQUIRE(send.send_unexpected(out, forward ? to_b : to_a, 1) == NA_SUCCESS);
        pump(from, [&] { return send.done(); });
        waiter.join();
        REQUIRE(receive.ret() == NA_SUCCESS);
    }
}

CINNABAR_CONFORMANCE("a descriptor is quiet once everything is done") {
    if (transport.busy) return;
    Pair pair(transport);
    for (int i = 0; i < 3; ++i)
        exchange(pair);
    // What is left to do, such as the last of a greeting, is done in a few polls; then it is quiet.
    const int fd = NA_Poll_get_fd(pair.b.cls(), pair.b.context());
    pollfd event{fd, POLLIN, 0};
    do {
        for (int i = 0; i < 10; ++i)
            pair.progress();
        event.revents = 0;
        if (NA_Poll_try_wait(pair.b.cls(), pair.b.context())) (void)::poll(&event, 1, 0);
    } while (event.revents != 0);
    CHECK(event.revents == 0);
}
