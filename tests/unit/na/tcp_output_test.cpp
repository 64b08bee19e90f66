// SPDX-License-Identifier: BSD-3-Clause
// The output of a connection, written to a socket pair that takes little at a time: bytes come out
// in order, payloads where they were put, whatever the splits.
#include "plugins/tcp/output.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "na/base/file_descriptor.hpp"
#include "na/sdk/socket.hpp"

using namespace cinnabar::tcp;

namespace {

struct Fixture {
    BufferPool pool{4096};
    Lender lender;
    Output out{pool, lender};
    cinnabar::FileDescriptor write_end;
    cinnabar::FileDescriptor read_end;
    std::vector<std::byte> got;

    Fixture() {
        auto pair = cinnabar::na::sdk::socket_pair();
        REQUIRE(pair.ok());
        write_end = std::move(pair->first);
        read_end = std::move(pair->second);
        const int small = 4096;
        ::setsockopt(write_end.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    void append(std::span<const std::byte> bytes) {
        std::byte* room = out.reserve(bytes.size());
        REQUIRE(room != nullptr);
        std::memcpy(room, bytes.data(), bytes.size());
        out.commit(bytes.size());
    }
    void drain() {
        std::array<std::byte, 1000> part;
        for (ssize_t n = 0; (n = ::read(read_end.get(), part.data(), part.size())) > 0;)
            got.insert(got.end(), part.begin(), part.begin() + n);
    }
    // One write; true when a payload was finished by it.
    bool write() {
        std::size_t written = 0;
        const auto result = out.write(write_end.get(), written);
        REQUIRE(result != Output::Wrote::failed);
        if (result == Output::Wrote::payload_done) (void)out.take_payload();
        if (result == Output::Wrote::blocked) drain();
        return result == Output::Wrote::payload_done;
    }
};

std::vector<std::byte> noise(std::mt19937& random, std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes)
        byte = static_cast<std::byte>(random());
    return bytes;
}

}  // namespace

TEST_CASE("many small pieces leave in one write") {
    Fixture f;
    std::mt19937 random(1);
    std::vector<std::byte> sent;
    for (int i = 0; i < 16; ++i) {
        const auto piece = noise(random, 64);
        f.append(piece);
        sent.insert(sent.end(), piece.begin(), piece.end());
    }
    std::size_t written = 0;
    CHECK(f.out.write(f.write_end.get(), written) == Output::Wrote::all);
    CHECK(written == sent.size());
    CHECK(f.out.empty());
    f.drain();
    CHECK(f.got == sent);
}

TEST_CASE("buffered bytes and payloads keep their order under partial writes") {
    std::mt19937 random(2);
    for (int round = 0; round < 50; ++round) {
        Fixture f;
        std::vector<std::byte> sent;
        std::vector<std::vector<std::byte>> kept;
        for (int step = 0; step < 40; ++step) {
            const auto piece = noise(random, random() % 2000);
            f.append(piece);
            sent.insert(sent.end(), piece.begin(), piece.end());
            if (!f.out.has_payload() && random() % 2 == 0) {
                kept.push_back(noise(random, 1 + random() % 20000));
                Payload payload;
                payload.remaining = kept.back().size();
                if (random() % 2 == 0) {
                    payload.flat = kept.back().data();
                } else {
                    const std::size_t cut = random() % kept.back().size();
                    const na_segment segments[] = {
                        {kept.back().data(), cut},
                        {kept.back().data() + cut, kept.back().size() - cut}};
                    payload.region = std::make_shared<Region>(segments, 2, NA_MEM_READ_ONLY);
                }
                f.out.set_payload(std::move(payload));
                sent.insert(sent.end(), kept.back().begin(), kept.back().end());
            }
            if (random() % 3 == 0 && !f.out.empty()) f.write();
        }
        while (!f.out.empty())
            f.write();
        f.drain();
        REQUIRE(f.got.size() == sent.size());
        CHECK(f.got == sent);
    }
}

TEST_CASE("the rest of a payload whose memory is gone is zeros") {
    Fixture f;
    std::vector<std::byte> memory(100, std::byte{9});
    const na_segment segment{memory.data(), memory.size()};
    Payload payload;
    payload.region = std::make_shared<Region>(&segment, 1, NA_MEM_READ_ONLY);
    payload.remaining = memory.size();
    payload.pinned = true;
    f.out.set_payload(std::move(payload));  // the region was never registered
    std::size_t written = 0;
    CHECK(f.out.write(f.write_end.get(), written) == Output::Wrote::payload_done);
    CHECK(f.out.take_payload().retired);
    f.drain();
    CHECK(f.got == std::vector<std::byte>(100, std::byte{0}));
}
