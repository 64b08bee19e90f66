// SPDX-License-Identifier: BSD-3-Clause
// Payloads that are lent to the kernel: they arrive whole wherever they lie on their pages, between
// frames that are copied, when the socket takes little at a time, and when the peer is gone.
#include "plugins/tcp/lender.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "na/sdk/socket.hpp"
#include "plugins/tcp/output.hpp"

using namespace cinnabar::tcp;
namespace sdk = cinnabar::na::sdk;

namespace {

// Two ends of a TCP connection over loopback.
struct Pair {
    cinnabar::FileDescriptor writer;
    cinnabar::FileDescriptor reader;
    std::vector<std::byte> got;

    Pair() {
        auto ip = sdk::parse_ip("127.0.0.1");
        REQUIRE(ip.ok());
        std::uint16_t port = 0;
        auto listener = sdk::listen_on(*ip, port, "test");
        REQUIRE(listener.ok());
        bool dialing = false;
        auto dialed = sdk::dial(*ip, port, dialing);
        REQUIRE(dialed.ok());
        writer = std::move(*dialed);
        pollfd wait{listener->get(), POLLIN, 0};
        REQUIRE(::poll(&wait, 1, -1) == 1);
        reader.reset(::accept4(listener->get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        REQUIRE(reader);
        pollfd ready{writer.get(), POLLOUT, 0};
        REQUIRE(::poll(&ready, 1, -1) == 1);
    }
    void drain() {
        std::array<std::byte, 65536> part;
        for (ssize_t n = 0; (n = ::read(reader.get(), part.data(), part.size())) > 0;)
            got.insert(got.end(), part.begin(), part.begin() + n);
    }
    void read_until(std::size_t size) {
        while (got.size() < size) {
            pollfd wait{reader.get(), POLLIN, 0};
            REQUIRE(::poll(&wait, 1, -1) == 1);
            drain();
        }
    }
};

std::vector<std::byte> noise(std::mt19937& random, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

Payload lent(const std::byte* from, std::size_t size) {
    const na_segment segment{const_cast<std::byte*>(from), size};
    Payload payload;
    payload.region = std::make_shared<Region>(&segment, 1, NA_MEM_READ_ONLY);
    payload.remaining = size;
    payload.lend = true;
    return payload;
}

}  // namespace

TEST_CASE("what is lent is not copied before the receiver reads") {
    Pair pair;
    REQUIRE(sdk::within_host(pair.writer.get()));
    Lender lender;
    alignas(4096) static std::array<std::byte, 4096> page{};
    page.fill(std::byte{1});
    const iovec piece{page.data(), page.size()};
    bool refused = true;
    REQUIRE(lender.send(pair.writer.get(), std::span(&piece, 1), refused) == 4096);
    CHECK_FALSE(refused);
    page.fill(std::byte{2});
    pair.read_until(page.size());
    CHECK(pair.got == std::vector<std::byte>(page.size(), std::byte{2}));
}

TEST_CASE("a large piece widens the pipe, and arrives whole") {
    std::mt19937 random(4);
    const auto memory = noise(random, 4u << 20);
    Pair pair;
    Lender lender;
    REQUIRE(lender.open());
    const std::size_t before = lender.room();
    std::size_t given = 0;
    while (given < memory.size()) {
        const iovec piece{const_cast<std::byte*>(memory.data()) + given, memory.size() - given};
        bool refused = false;
        const ssize_t part = lender.send(pair.writer.get(), std::span(&piece, 1), refused);
        REQUIRE_FALSE(refused);
        if (part > 0) given += static_cast<std::size_t>(part);
        pair.drain();
    }
    pair.read_until(memory.size());
    CHECK(pair.got == memory);
    CHECK(lender.room() > before);
}

TEST_CASE("lent payloads and frames around them arrive in order") {
    std::mt19937 random(3);
    BufferPool pool(65536);
    Lender lender;
    for (int round = 0; round < 40; ++round) {
        Pair pair;
        // Half of the rounds: a socket that blocks often, and late readers.
        const int small = 8192;
        if (round % 2 == 1)
            ::setsockopt(pair.writer.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        Output out(pool, lender);
        std::vector<std::byte> sent;
        for (int step = 0; step < 4; ++step) {
            const auto header = noise(random, 1 + random() % 200);
            const auto memory = noise(random, 16384 + random() % 200000);
            const auto trailer = noise(random, 1 + random() % 200);
            const std::size_t skip = random() % 5000;
            const auto append = [&](const std::vector<std::byte>& bytes) {
                std::byte* room = out.reserve(bytes.size());
                REQUIRE(room != nullptr);
                std::memcpy(room, bytes.data(), bytes.size());
                out.commit(bytes.size());
                sent.insert(sent.end(), bytes.begin(), bytes.end());
            };
            append(header);
            out.set_payload(lent(memory.data() + skip, memory.size() - skip));
            sent.insert(sent.end(), memory.begin() + static_cast<std::ptrdiff_t>(skip),
                        memory.end());
            append(trailer);
            while (!out.empty()) {
                std::size_t written = 0;
                const auto wrote = out.write(pair.writer.get(), written);
                REQUIRE(wrote != Output::Wrote::failed);
                if (wrote == Output::Wrote::payload_done) (void)out.take_payload();
                if (wrote == Output::Wrote::blocked) pair.drain();
            }
            pair.read_until(sent.size());  // only then may the memory go
        }
        CHECK(pair.got == sent);
    }
}

TEST_CASE("a peer that is gone is an error, and no signal") {
    sigset_t none;
    sigemptyset(&none);
    sigset_t before;
    REQUIRE(::pthread_sigmask(SIG_SETMASK, &none, &before) == 0);
    const auto memory = std::vector<std::byte>(65536);
    const iovec piece{const_cast<std::byte*>(memory.data()), memory.size()};
    Pair pair;
    pair.reader.reset();
    Lender lender;
    bool refused = false;
    ssize_t given = 0;
    for (int i = 0; i < 1000 && given >= 0; ++i)  // the first may leave before the reset arrives
        given = lender.send(pair.writer.get(), std::span(&piece, 1), refused);
    const int error = errno;
    CHECK(given == -1);
    CHECK_FALSE(refused);
    CHECK((error == EPIPE || error == ECONNRESET));
    while (given == -1 && errno == ECONNRESET)  // the next one finds the pipe broken
        given = lender.send(pair.writer.get(), std::span(&piece, 1), refused);
    CHECK(errno == EPIPE);
    sigset_t pending;
    REQUIRE(::sigpending(&pending) == 0);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
    CHECK(::pthread_sigmask(SIG_SETMASK, &before, nullptr) == 0);
}

TEST_CASE("memory that cannot be lent is left to be copied") {
    Pair pair;
    Lender lender;
    const iovec nowhere{reinterpret_cast<void*>(4096), 4096};
    bool refused = false;
    CHECK(lender.send(pair.writer.get(), std::span(&nowhere, 1), refused) == -1);
    CHECK(refused);
}
