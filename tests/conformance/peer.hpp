// SPDX-License-Identifier: BSD-3-Clause
// A peer in a process of its own, for the conformance tests: serves messages and lends memory until
// told to end. Requests are unexpected messages; what it does with one is chosen by the tag.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/region.hpp"
#include "tests/support/process.hpp"

namespace cinnabar::conformance {

// Tags below 1000 are answered: the payload comes back as an expected message with the same tag.
inline constexpr na_tag_t silent_tag = 5000;  // taken, never answered

// What the peer's memory holds at first, and how large it is.
inline constexpr unsigned char peer_seed = 6;
inline constexpr std::size_t peer_memory = 3000001;

class Peer {
public:
    // `info` instead of the transport's, for a fixed address. The child is ready when this returns.
    explicit Peer(const Transport& transport, const std::string& info = {});

    const std::string& address() const { return address_; }
    const std::vector<unsigned char>& memory() const { return memory_; }  // serialised
    test::Process& process() { return process_; }
    // Asks it to end and checks that it ended well.
    void end();

private:
    test::Process process_;
    std::string address_;
    std::vector<unsigned char> memory_;
};

// One request and its answer, with all checks.
void ask(Net& net, const Address& peer, std::size_t size, na_tag_t tag);

}  // namespace cinnabar::conformance
